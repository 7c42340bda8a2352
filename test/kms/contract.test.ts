import { DecryptCommand, GenerateDataKeyCommand, KMS, KMSClient } from '@aws-sdk/client-kms';
import { callbackKeyService, kmsKeyService, sdkKeyService } from 'hawser/kms';
import { localKeyFile } from 'hawser/node';
import { onTestFinished } from 'vitest';
import { keyServiceContract } from './contract.ts';
import { keyFilePath } from './file.ts';
import { hosting, hostingAt } from './hosted.ts';
import { JANE, jane, localKeys, REGION } from './world.ts';

const inMemory = async () => localKeys();

keyServiceContract('LocalKeyService in memory', inMemory, async (keys) => keys.as(jane));

keyServiceContract(
  'LocalKeyService with a file',
  async () => localKeys({ store: localKeyFile(await keyFilePath()) }),
  async (keys) => keys.as(jane),
);

keyServiceContract('callbackKeyService over another', inMemory, async (keys) => {
  const { generateDataKey, decrypt } = keys.as(jane);
  return callbackKeyService({ generateDataKey, decrypt });
});

keyServiceContract('kmsKeyService at a service of this process', inMemory, async (keys) => {
  const service = hosting(keys);
  const transport = {
    fetch: (request: Request) => service.fetch(request),
    connect: () => Promise.reject(new Error('KMS has no sockets.')),
  };
  return kmsKeyService({ region: REGION, credentials: JANE, platform: { transport } });
});

keyServiceContract('kmsKeyService over a socket', inMemory, async (keys) =>
  kmsKeyService({ region: REGION, credentials: JANE, endpoint: await hostingAt(keys) }),
);

const { accessKeyId, secretAccessKey } = JANE;
const sdkConfig = (endpoint: string) => ({
  region: REGION,
  endpoint,
  credentials: { accessKeyId, secretAccessKey },
  maxAttempts: 1,
});

keyServiceContract('sdkKeyService with KMS of @aws-sdk/client-kms', inMemory, async (keys) => {
  const client = new KMS(sdkConfig(await hostingAt(keys)));
  onTestFinished(() => client.destroy());
  return sdkKeyService(client);
});

keyServiceContract('sdkKeyService with KMSClient and two commands', inMemory, async (keys) => {
  const client = new KMSClient(sdkConfig(await hostingAt(keys)));
  onTestFinished(() => client.destroy());
  return sdkKeyService(client, { GenerateDataKeyCommand, DecryptCommand });
});
