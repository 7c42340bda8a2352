import { HawserError } from '../base/error.ts';

export type PolicyErrorCode =
  /** The text is not JSON (RFC 8259), or the object cannot be written as JSON. */
  | 'ERR_POLICY_JSON'
  /** One name twice in one object. */
  | 'ERR_POLICY_DUPLICATE_KEY'
  /** More characters than a policy of its kind may have, or nested too deep. */
  | 'ERR_POLICY_SIZE'
  /** An element is missing, unknown, in the wrong kind of policy, or of the wrong type. */
  | 'ERR_POLICY_ELEMENT'
  | 'ERR_POLICY_VERSION'
  | 'ERR_POLICY_SID'
  | 'ERR_POLICY_EFFECT'
  | 'ERR_POLICY_PRINCIPAL'
  | 'ERR_POLICY_ACTION'
  | 'ERR_POLICY_RESOURCE'
  /** An unknown operator, or a condition that is not of the form operator, key, values. */
  | 'ERR_POLICY_CONDITION'
  /** `${` that begins no policy variable, where variables are allowed. */
  | 'ERR_POLICY_VARIABLE'
  /** A policy was given to `evaluate` in the place of another kind, or was not made by `parsePolicy`. */
  | 'ERR_POLICY_KIND'
  /** A request that cannot be decided: a value is too long, or is no string, or it takes too many steps. */
  | 'ERR_POLICY_REQUEST';

/** One thing that is wrong with a policy. */
export interface PolicyProblem {
  readonly code: PolicyErrorCode;
  /** Where: `Statement[0].Action[2]`; empty for the whole document. */
  readonly path: string;
  /** For whoever wrote the policy: what is wrong there, and what would be right. */
  readonly reason: string;
}

/**
 * A policy that cannot be used, or a request that cannot be decided. Nothing is allowed by it: whoever catches
 * it refuses the call. The text may quote a few words of the policy, so it is for the author of the policy and
 * not for the caller of the service.
 */
export class PolicyError extends HawserError {
  /** That of the first problem. */
  declare readonly code: PolicyErrorCode;
  /** In the order of the document, at most 20 of them. */
  readonly problems: readonly PolicyProblem[];

  constructor(subject: string, problems: readonly [PolicyProblem, ...PolicyProblem[]]) {
    const lines = problems.map(({ path, reason }) => (path === '' ? reason : `${path} ${reason}`));
    super(problems[0].code, `${subject}: ${lines.join('; ')}.`);
    this.problems = problems;
  }
}
