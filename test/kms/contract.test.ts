import { callbackKeyService } from 'hawser/kms';
import { keyServiceContract } from './contract.ts';
import { jane, localKeys } from './world.ts';

keyServiceContract(
  'LocalKeyService in memory',
  async () => localKeys(),
  async (keys) => keys.as(jane),
);

keyServiceContract(
  'callbackKeyService over another',
  async () => localKeys(),
  async (keys) => {
    const { generateDataKey, decrypt } = keys.as(jane);
    return callbackKeyService({ generateDataKey, decrypt });
  },
);
