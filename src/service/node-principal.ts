import type { PayloadDigest } from '../crypto/digest.ts';
import type { Principal } from '../policy/index.ts';
import { type ArnScope, assumedRoleArn, roleArn } from './arn.ts';
import { sha256Text } from './token.ts';

/** Who the agent of a hybrid node is: a session of its role, called as the node (CONTROL-PLANE.md section 2.8). */
export function nodePrincipal(
  iamRole: string,
  instanceId: string,
  context: ArnScope & { readonly digest: PayloadDigest },
): Principal {
  // AWS would know the role's id; of a role that is only a name, one that is always the same does.
  const roleId = sha256Text(roleArn(iamRole, context), context.digest).slice(0, 17).toUpperCase();
  return {
    arn: assumedRoleArn(iamRole, instanceId, context),
    userId: `AROA${roleId}:${instanceId}`,
    accountId: context.accountId,
  };
}
