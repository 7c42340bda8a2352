import { type EncryptionContext, KeyServiceError } from '../crypto/index.ts';
import {
  type AuthorizationRequest,
  type Authorizer,
  type Decision,
  type Denial,
  denialMessage,
  PolicyError,
  type Principal,
} from '../policy/index.ts';
import type { KeyPolicyJudge, KeyVerdict } from './key-policy.ts';

/** What is done with a key. */
export type KeyAction =
  | 'kms:GenerateDataKey'
  | 'kms:GenerateDataKeyWithoutPlaintext'
  | 'kms:Decrypt'
  | 'kms:DescribeKey';

/** Who wants to use a key. */
export interface KeyCaller {
  readonly principal: Principal;
  /** What is said of the principal elsewhere than in the policy of the key. Default: it may do everything. */
  readonly authorize?: Authorizer | undefined;
}

export interface KeyQuestion {
  readonly action: KeyAction;
  /** ARN of the key. */
  readonly resource: string;
  readonly encryptionContext: EncryptionContext;
  /** `alias/…` by which the key was named, if it was. */
  readonly requestAlias?: string | undefined;
}

/**
 * Asks both who must say yes: the caller's side, and the policy of the key, which can do without the former where it
 * grants (POLICY.md section 5). A Deny of either wins.
 *
 * @param judge `undefined` of a key that is not there, which only those may learn whose own side allows the call
 * @throws {KeyServiceError} `ERR_KEY_ACCESS_DENIED`, in the words of AWS
 */
export async function authorizeKey(
  { principal, authorize = yes }: KeyCaller,
  { action, resource, encryptionContext, requestAlias }: KeyQuestion,
  judge: KeyPolicyJudge = () => 'delegated',
): Promise<void> {
  const names = Object.keys(encryptionContext);
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) throw ambiguous();
  const context = new Map<string, string | readonly string[]>([
    ['kms:CallerAccount', principal.accountId],
    ['kms:EncryptionContextKeys', names],
  ]);
  for (const [name, value] of Object.entries(encryptionContext)) {
    context.set(`kms:EncryptionContext:${name}`, value);
  }
  if (requestAlias !== undefined) context.set('kms:RequestAlias', requestAlias);
  const request: AuthorizationRequest = { principal, action, resource, context };
  const [side, verdict] = [await decided(authorize, request), await decided(judge, request)];
  const denial = denialOf(side, verdict);
  if (denial) throw new KeyServiceError('ERR_KEY_ACCESS_DENIED', denialMessage(request, denial));
}

/** A request that cannot be matched, since what the caller put in it is too long, is not allowed. */
async function decided<T>(
  ask: (request: AuthorizationRequest) => T | Promise<T>,
  request: AuthorizationRequest,
): Promise<T | Denial> {
  try {
    return await ask(request);
  } catch (error) {
    if (!(error instanceof PolicyError && error.code === 'ERR_POLICY_REQUEST')) throw error;
    return { effect: 'ImplicitDeny', policyType: 'identity-based policy' };
  }
}

function denialOf(side: Decision, verdict: KeyVerdict): Denial | undefined {
  const ofKey = typeof verdict === 'string' ? undefined : verdict;
  // Nothing but `Allow` lets a request pass.
  const ofSide = side.effect === 'Allow' ? undefined : side;
  if (ofSide?.effect === 'ExplicitDeny') return ofSide;
  if (ofKey?.effect === 'ExplicitDeny') return ofKey;
  return (verdict === 'granted' ? undefined : ofSide) ?? ofKey;
}

/** Condition keys have no case: a condition on one of the two would be met, or not, by the value of the other. */
function ambiguous(): KeyServiceError {
  return new KeyServiceError(
    'ERR_KEY_ACCESS_DENIED',
    'The encryption context has two names that differ in upper and lower case alone, which policies cannot tell apart.',
  );
}

const yes: Authorizer = () => ({ effect: 'Allow' });
