import { structure } from '../shape.ts';
import { nodeOperation, type OperationParts } from './operation.ts';
import { checkPublicKey, PUBLIC_KEY, PUBLIC_KEY_TYPE } from './public-key.ts';

/** Signed with the key that is to be replaced (CONTROL-PLANE.md section 2.8). */
export function updateManagedInstancePublicKey({ context, hybridNodes }: OperationParts) {
  return nodeOperation(
    {
      name: 'UpdateManagedInstancePublicKey',
      signedWith: 'nodeKey',
      input: structure({ NewPublicKey: PUBLIC_KEY, NewPublicKeyType: PUBLIC_KEY_TYPE }),

      async handle({ NewPublicKey }, { targetId }) {
        checkPublicKey(NewPublicKey, 'newPublicKey');
        await hybridNodes.replaceKey(targetId, NewPublicKey);
        return {};
      },
    },
    context,
  );
}
