import {
  type AuthorizationRequest,
  type Authorizer,
  type Decision,
  type Denial,
  evaluate,
  parsePolicy,
} from '../policy/index.ts';

/**
 * Who may use a key: asked with `kms:GenerateDataKey`, `kms:GenerateDataKeyWithoutPlaintext`, `kms:Decrypt` or
 * `kms:DescribeKey`, the ARN of the key, and the context keys `kms:EncryptionContext:<name>`,
 * `kms:EncryptionContextKeys`, `kms:CallerAccount`, and `kms:RequestAlias` when the key was named by an alias
 * (POLICY.md section 6).
 *
 * A document is the key policy of AWS, as JSON text or what `JSON.parse` makes of it. To the account it delegates: the
 * caller's side must allow the call as well. To a user, a role or a session it grants, and the caller's side can only
 * deny it. An authorizer delegates what it allows.
 */
export type KeyPolicy = KeyPolicyDocument | Authorizer;

export type KeyPolicyDocument = string | object;

/** What the policy of a key says to a request. */
export type KeyVerdict = 'granted' | 'delegated' | Denial;

/** Gives the verdict of a key policy. */
export type KeyPolicyJudge = (request: AuthorizationRequest) => KeyVerdict | Promise<KeyVerdict>;

/** As the policy that KMS gives to a key: every principal of its account, as far as its own side goes. */
export function accountPolicy(accountId: string): KeyPolicyJudge {
  return ({ principal }) =>
    principal.accountId === accountId
      ? 'delegated'
      : { effect: 'ImplicitDeny', policyType: 'resource-based policy' };
}

export function authorizerPolicy(authorize: Authorizer): KeyPolicyJudge {
  return async (request) => verdictOf(await authorize(request));
}

/** @throws {PolicyError} for a document that is no key policy */
export function documentPolicy(document: KeyPolicyDocument): KeyPolicyJudge {
  const resource = [parsePolicy('resource', document, { name: 'key policy' })];
  // Of a caller who may do everything: what is denied then is denied by the policy of the key. What is allowed to one who
  // may do nothing is granted by it.
  const identity = [parsePolicy('identity', EVERYTHING)];
  return (request) => {
    const verdict = verdictOf(evaluate({ resource, identity }, request));
    return verdict === 'delegated' && evaluate({ resource }, request).effect === 'Allow'
      ? 'granted'
      : verdict;
  };
}

function verdictOf(decision: Decision): KeyVerdict {
  return decision.effect === 'Allow' ? 'delegated' : decision;
}

const EVERYTHING = {
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
};
