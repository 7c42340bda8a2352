/** IAM JSON policies: parse, evaluate, explain; and the seam of authorization: what the service asks, and what may answer. */

export type {
  AuthorizationRequest,
  Authorizer,
  Decision,
  Denial,
  PolicyType,
  Principal,
} from './authorization.ts';
export { allowAll } from './authorization.ts';
export { denialMessage } from './denial-message.ts';
export type { PolicyErrorCode, PolicyProblem } from './error.ts';
export { PolicyError } from './error.ts';
export { evaluate } from './evaluate.ts';
export type { Explanation, MatchedStatement, NearlyMatchedStatement } from './explain.ts';
export { explain } from './explain.ts';
export { principalContext } from './match/principal-keys.ts';
export type { ParsePolicyOptions } from './parse/parse-policy.ts';
export { parsePolicy } from './parse/parse-policy.ts';
export type { Place, Policies } from './policies.ts';
export { withGrant } from './policies.ts';
export type { Policy } from './policy.ts';
export type { PoliciesFor } from './policy-authorizer.ts';
export { policyAuthorizer } from './policy-authorizer.ts';
export type { PolicyKind } from './policy-kind.ts';
export { anonymous } from './principal.ts';
