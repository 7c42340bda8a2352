import type { AuthorizationRequest } from '../policy/index.ts';

/**
 * Whether a node wants to decrypt the data key of one of its own sessions. Without it no node could take part in an
 * encrypted one; and that is all of KMS that an agent needs (PROTOCOL.md section 8). The encryption context cannot be
 * made up: what was encrypted with another does not decrypt.
 *
 * @param node id of the node that asks
 */
export function isOwnDataKey({ action, context }: AuthorizationRequest, node: string): boolean {
  return action === 'kms:Decrypt' && context.get('kms:EncryptionContext:aws:ssm:TargetId') === node;
}
