import { type EncryptionContext, KeyServiceError } from '../crypto/index.ts';
import {
  type AuthorizationRequest,
  type Authorizer,
  type Decision,
  type Denial,
  denialMessage,
  type Principal,
} from '../policy/index.ts';
import type { KeyPolicy } from './local-key.ts';

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
 * Asks both who must say yes: the caller's side, and the policy of the key (POLICY.md section 5). A Deny of either
 * wins.
 *
 * @param policy `undefined` of a key that is not there, which only those may learn whose own side allows the call
 * @throws {KeyServiceError} `ERR_KEY_ACCESS_DENIED`, in the words of AWS
 */
export async function authorizeKey(
  { principal, authorize = yes }: KeyCaller,
  { action, resource, encryptionContext, requestAlias }: KeyQuestion,
  policy: KeyPolicy = yes,
): Promise<void> {
  const context = new Map<string, string | readonly string[]>([
    ['kms:CallerAccount', principal.accountId],
    ['kms:EncryptionContextKeys', Object.keys(encryptionContext)],
  ]);
  for (const [name, value] of Object.entries(encryptionContext)) {
    context.set(`kms:EncryptionContext:${name}`, value);
  }
  if (requestAlias !== undefined) context.set('kms:RequestAlias', requestAlias);
  const request: AuthorizationRequest = { principal, action, resource, context };
  const denials = [await authorize(request), await policy(request)].filter(isDenial);
  const denial = denials.find(({ effect }) => effect === 'ExplicitDeny') ?? denials[0];
  if (denial) throw new KeyServiceError('ERR_KEY_ACCESS_DENIED', denialMessage(request, denial));
}

/** As the policy that KMS gives to a key: every principal of its account, as far as its own side goes. */
export function accountPolicy(accountId: string): KeyPolicy {
  return ({ principal }) =>
    principal.accountId === accountId
      ? { effect: 'Allow' }
      : { effect: 'ImplicitDeny', policyType: 'resource-based policy' };
}

const yes: Authorizer = () => ({ effect: 'Allow' });

/** Nothing but `Allow` lets a request pass. */
function isDenial(decision: Decision): decision is Denial {
  return decision.effect !== 'Allow';
}
