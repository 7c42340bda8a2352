import {
  type AuthorizationRequest,
  type Authorizer,
  type Decision,
  evaluate,
  parsePolicy,
} from '../policy/index.ts';
import type { Caller } from './caller.ts';
import type { ServiceContext } from './context.ts';
import { contextKeys } from './context-keys.ts';

/** What is asked of a caller, without what is always the same. */
export type Question = Pick<AuthorizationRequest, 'action' | 'resource' | 'context'>;

/** Decides for one caller after another: the authorizer, and what comes with the caller's credentials. */
export class Decider {
  readonly #context: ServiceContext;
  readonly #authorize: Authorizer;

  constructor(context: ServiceContext, authorize: Authorizer) {
    this.#context = context;
    this.#authorize = authorize;
  }

  async decide(caller: Caller, question: Question): Promise<Decision> {
    const { principal } = caller;
    const { action, resource } = question;
    const context = new Map([...question.context, ...contextKeys(caller, this.#context)]);
    const grant = caller.access && { grant: caller.access.grant };
    const request: AuthorizationRequest = { principal, action, resource, context, ...grant };
    return narrowed(approved(await this.#authorize(request), caller, request), caller, request);
  }

  /** An authorizer for those who ask by themselves, for this caller. */
  for(caller: Caller): Authorizer {
    return (request) => this.decide(caller, request);
  }
}

/**
 * An approval stands for the identity-based policy that is missing, and for nothing else: a Deny, and whatever filters,
 * still win. Authorizers that know of policies have counted it already; this is for the others.
 */
function approved(decision: Decision, { access }: Caller, request: AuthorizationRequest): Decision {
  if (!access || decision.effect !== 'ImplicitDeny' || decision.policyType !== 'identity-based policy') {
    return decision;
  }
  return evaluate({ identity: [access.grant] }, request);
}

/** The policies that temporary credentials were made with never grant; a Deny of theirs wins (POLICY.md section 5). */
function narrowed(decision: Decision, { sessionPolicies }: Caller, request: AuthorizationRequest): Decision {
  if (decision.effect === 'ExplicitDeny') return decision;
  let narrow = decision;
  for (const session of sessionPolicies) {
    const limit = evaluate({ identity: [EVERYTHING], resource: [ANYBODY], session }, request);
    if (limit.effect === 'ExplicitDeny') return limit;
    if (narrow.effect === 'Allow') narrow = limit;
  }
  return narrow;
}

const STATEMENT = { Effect: 'Allow', Action: '*', Resource: '*' };
const EVERYTHING = parsePolicy('identity', { Statement: STATEMENT });
/** Keys of KMS want a policy of their own to allow, too. What that says is asked elsewhere. */
const ANYBODY = parsePolicy('resource', { Statement: { ...STATEMENT, Principal: '*' } });
