import type { AuthorizationRequest, Decision } from './authorization.ts';
import { decide, questionOf } from './evaluate.ts';
import { Named } from './match/principal-pattern.ts';
import { type Place, type PlacedPolicy, type Policies, placedPolicies } from './policies.ts';
import type { Question, Statement } from './statement.ts';

/**
 * Why a request was decided as it was, for the administrator: it names statements and context keys of the policies, so
 * keep it from callers. What they may read is `denialMessage`.
 */
export interface Explanation {
  /** The same as that of `evaluate`. */
  readonly decision: Decision;
  /** Statements that apply: all of their parts match. */
  readonly matched: readonly MatchedStatement[];
  /** Statements of which all parts match but one; of conditions any number may fail. */
  readonly nearlyMatched: readonly NearlyMatchedStatement[];
  /** Context keys that a condition or a variable asked for and the request does not have, sorted. */
  readonly missingContextKeys: readonly string[];
}

export interface MatchedStatement {
  readonly place: Place;
  /** Of the policy among those of its place, or of its level. */
  readonly policyIndex: number;
  /** Of SCPs and RCPs, from 0. */
  readonly level?: number;
  readonly policyName?: string;
  /** In the document, from 0. */
  readonly statementIndex: number;
  readonly sid?: string;
  readonly effect: 'Allow' | 'Deny';
}

export interface NearlyMatchedStatement extends MatchedStatement {
  readonly failed: 'principal' | 'action' | 'resource' | 'condition';
  /** When it was the conditions: those that do not hold. */
  readonly conditions?: readonly { readonly operator: string; readonly key: string }[];
}

/**
 * Decides as `evaluate` does and tells the reasons. It looks at every statement, so it is for questions, not for
 * every call.
 *
 * @throws {PolicyError} as `evaluate` does
 */
export function explain(policies: Policies, request: AuthorizationRequest): Explanation {
  const decision = decide(policies, questionOf(policies, request));
  const missing = new Set<string>();
  const question = questionOf(policies, request, missing);
  const matched: MatchedStatement[] = [];
  const nearlyMatched: NearlyMatchedStatement[] = [];
  for (const placed of placedPolicies(policies)) {
    for (const [index, statement] of placed.policy.statements.entries()) {
      const reference = referenceTo(placed, index, statement);
      const [failed, ...more] = failedParts(statement, question);
      if (failed === undefined) matched.push(reference);
      else if (more.length === 0) nearlyMatched.push({ ...reference, ...failed });
    }
  }
  return { decision, matched, nearlyMatched, missingContextKeys: [...missing].sort() };
}

type Failed = Pick<NearlyMatchedStatement, 'failed' | 'conditions'>;

function failedParts(statement: Statement, question: Question): Failed[] {
  const parts: Failed[] = [];
  if (statement.named(question) === Named.not) parts.push({ failed: 'principal' });
  if (!statement.hasAction(question.action)) parts.push({ failed: 'action' });
  if (!statement.hasResource(question)) parts.push({ failed: 'resource' });
  const conditions = statement.conditions
    .filter((condition) => !condition.holds(question.keys))
    .map(({ operator, key }) => ({ operator, key: key.name }));
  if (conditions.length > 0) parts.push({ failed: 'condition', conditions });
  return parts;
}

function referenceTo(
  { policy, place, index, level }: PlacedPolicy,
  statementIndex: number,
  { sid, effect }: Statement,
): MatchedStatement {
  return {
    place,
    policyIndex: index,
    ...(level === undefined ? {} : { level }),
    ...(policy.name === undefined ? {} : { policyName: policy.name }),
    statementIndex,
    ...(sid === undefined ? {} : { sid }),
    effect,
  };
}
