import { utf8 } from '../../base/encoding.ts';
import { equalBytes } from '../../crypto/equal.ts';
import { ApiError } from '../api-error.ts';
import { notRegistered } from '../role-credentials.ts';
import { string, structure } from '../shape.ts';
import { nodeOperation, type OperationParts } from './operation.ts';

/** CONTROL-PLANE.md section 2.8. */
export function requestManagedInstanceRoleToken({
  context,
  nodes,
  hybridNodes,
  roleCredentials,
}: OperationParts) {
  return nodeOperation(
    {
      name: 'RequestManagedInstanceRoleToken',
      signedWith: 'nodeKey',
      input: structure({ Fingerprint: string({ max: 256, sensitive: true }) }),

      async handle({ Fingerprint }, { targetId }) {
        const registration = (await nodes.get(targetId))?.registration;
        if (!registration) throw notRegistered(targetId);
        if (!equalBytes(utf8(registration.fingerprint), utf8(Fingerprint))) {
          throw new ApiError(
            'MachineFingerprintDoesNotMatch',
            `This is not the machine that registered as ${targetId}: its fingerprint differs.`,
          );
        }
        const { accessKeyId, secretAccessKey, sessionToken, expires } = await roleCredentials.issue(targetId);
        return {
          AccessKeyId: accessKeyId,
          SecretAccessKey: secretAccessKey,
          SessionToken: sessionToken,
          TokenExpirationDate: expires / 1000,
          // The agent breaks without it.
          UpdateKeyPair: hybridNodes.isRotationDue(registration),
        };
      },
    },
    context,
  );
}
