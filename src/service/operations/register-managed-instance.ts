import { ApiError } from '../api-error.ts';
import { string, structure } from '../shape.ts';
import { type OperationParts, operation } from './operation.ts';
import { checkPublicKey, PUBLIC_KEY, PUBLIC_KEY_TYPE } from './public-key.ts';

/**
 * The first call of an agent on a machine that is to be a hybrid node. It is not signed: who knows the code of an
 * activation may (CONTROL-PLANE.md section 2.8). What the machine says of role and tags is the activation's to say.
 */
export function registerManagedInstance({ hybridNodes }: OperationParts) {
  return operation({
    name: 'RegisterManagedInstance',
    signedWith: 'nothing',
    input: structure(
      { PublicKey: PUBLIC_KEY, Fingerprint: string({ min: 1, max: 256 }) },
      {
        ActivationId: string({ max: 64 }),
        ActivationCode: string({ max: 250, sensitive: true }),
        PublicKeyType: PUBLIC_KEY_TYPE,
      },
    ),

    async handle({ ActivationId, ActivationCode, PublicKey, Fingerprint }) {
      checkPublicKey(PublicKey, 'publicKey');
      if (ActivationId === undefined || ActivationCode === undefined) {
        throw new ApiError(
          'InvalidActivation',
          'A managed node is registered with the ActivationId and ActivationCode of CreateActivation.',
        );
      }
      const InstanceId = await hybridNodes.register({
        activationId: ActivationId,
        activationCode: ActivationCode,
        publicKey: PublicKey,
        fingerprint: Fingerprint,
      });
      return { InstanceId };
    },
  });
}
