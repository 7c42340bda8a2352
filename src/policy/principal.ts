import type { Principal } from './authorization.ts';

/** Whoever calls without a signature. Only resource-based policies can let it pass. */
export const anonymous: Principal = { arn: 'anonymous', userId: 'anonymous', accountId: 'anonymous' };

/** `aws:PrincipalType`; the root user is `Account`, and a service, which has no ARN, is nothing of these. */
export type PrincipalKind = 'Account' | 'User' | 'AssumedRole' | 'FederatedUser' | 'Anonymous';

export function principalKind({ arn }: Principal): PrincipalKind | undefined {
  if (arn === anonymous.arn) return 'Anonymous';
  // The sixth part keeps its colons: whoever chooses the name of a session must not become the root user by it.
  const name = NAME.exec(arn)?.[1];
  if (name === undefined) return undefined;
  if (name === 'root') return 'Account';
  if (name.startsWith('user/')) return 'User';
  if (name.startsWith('assumed-role/') || name.startsWith('role/')) return 'AssumedRole';
  return name.startsWith('federated-user/') ? 'FederatedUser' : undefined;
}

export function isAnonymous({ arn }: Principal): boolean {
  return arn === anonymous.arn;
}

/** Anonymous callers and services are in no account and have no policies of their own. */
export function isOfAnAccount({ arn }: Principal): boolean {
  return arn.startsWith('arn:');
}

/** The role whose session this is. The ARN of a session does not tell the path of its role: `roleArn` does. */
export function roleArnOf({ arn, roleArn }: Principal): string | undefined {
  const match = SESSION.exec(arn);
  return match ? (roleArn ?? `arn:${match[1]}:iam::${match[2]}:role/${match[3]}`) : undefined;
}

const NAME = /^arn:[^:]*:[^:]*:[^:]*:[^:]*:(.*)$/s;

const SESSION = /^arn:([^:]*):sts::([^:]*):assumed-role\/([^/]+)\//;
