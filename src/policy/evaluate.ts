import type { AuthorizationRequest, Decision, Denial } from './authorization.ts';
import { arnColons } from './match/arn-pattern.ts';
import { ContextKey, checkText, RequestKeys } from './match/context-key.ts';
import { foldName } from './match/fold.ts';
import { Named } from './match/principal-pattern.ts';
import { checkPlace, type Place, type Policies } from './policies.ts';
import type { Policy } from './policy.ts';
import { KIND_RULES } from './policy-kind.ts';
import { isOfAnAccount, principalKind } from './principal.ts';
import type { Question } from './statement.ts';

/**
 * Decides by the rules of IAM (POLICY.md section 5): any Deny that applies wins; otherwise every filter that is present
 * must allow, and a granting side, which is the identity's or the resource's within an account and both between two.
 *
 * The account of the resource is that of its ARN, or else `aws:ResourceAccount` of the context, or else the caller's.
 *
 * @throws {PolicyError} for a policy in the wrong place and for a request that cannot be decided: refuse it
 */
export function evaluate(policies: Policies, request: AuthorizationRequest): Decision {
  return decide(policies, questionOf(policies, request));
}

/** @param missing takes the context keys that were looked up and absent */
export function questionOf(
  policies: Policies,
  request: AuthorizationRequest,
  missing?: Set<string>,
): Question {
  const { principal, action, resource } = request;
  checkText('action', action);
  checkText('resource', resource);
  return {
    principal,
    action: foldName(action),
    resource,
    colons: arnColons(resource),
    keys: new RequestKeys(request, missing),
    hasBoundary: policies.boundary !== undefined,
  };
}

export function decide(policies: Policies, question: Question): Decision {
  const { principal } = question;
  // Service-linked roles are outside SCPs.
  const scp = principal.serviceLinked ? ALLOWED : levels('scp', policies.scp, question);
  if (scp === DENIED) return DENIALS.scp.explicit;
  if (levels('rcp', policies.rcp, question) === DENIED) return DENIALS.rcp.explicit;
  const vpce = filter('vpce', policies.vpce && [policies.vpce], question);
  if (vpce === DENIED) return DENIALS.vpce.explicit;
  const resource = granted('resource', policies.resource, question);
  if (resource === DENIED) return DENIALS.resource.explicit;
  const identity = granted('identity', policies.identity, question);
  if (identity === DENIED) return DENIALS.identity.explicit;
  const boundary = filter('boundary', policies.boundary && [policies.boundary], question);
  if (boundary === DENIED) return DENIALS.boundary.explicit;
  const session = filter('session', policies.session, question);
  if (session === DENIED) return DENIALS.session.explicit;

  if (scp !== ALLOWED) return DENIALS.scp.implicit;
  if (vpce !== ALLOWED) return DENIALS.vpce.implicit;
  return grant(question, { resource, identity, boundary, session });
}

interface Sides {
  /** How strongly the resource's policies grant. */
  readonly resource: Named;
  readonly identity: Named;
  readonly boundary: Outcome;
  readonly session: Outcome;
}

/** What is left to decide when nothing is denied and the organization and the endpoint let it pass. */
function grant(question: Question, { resource, identity, boundary, session }: Sides): Decision {
  const { principal } = question;
  // Nothing can be attached to the root user of an account.
  const isRoot = principalKind(principal) === 'Account';
  const byIdentity = isRoot || identity !== Named.not;
  const isSameAccount = sameAccount(question);
  if (!isOfAnAccount(principal)) {
    if (resource < Named.role) return DENIALS.resource.implicit;
  } else if (!isSameAccount) {
    if (!byIdentity) return DENIALS.identity.implicit;
    if (resource === Named.not) return DENIALS.resource.implicit;
  } else if (needsResourcePolicy(question)) {
    if (resource === Named.not) return DENIALS.resource.implicit;
    if (resource === Named.account && !byIdentity) return DENIALS.identity.implicit;
  } else if (!byIdentity && resource < Named.role) {
    return DENIALS.identity.implicit;
  }
  // A grant to the user or the session itself passes the implicit denies of what is attached to it.
  const direct = isSameAccount ? resource : Named.not;
  if (boundary !== ALLOWED && !isRoot && direct < Named.user) return DENIALS.boundary.implicit;
  // But credentials of its can have been narrowed, as those for a request for access.
  if (session !== ALLOWED && direct < Named.session) return DENIALS.session.implicit;
  return ALLOW;
}

/** Of one kind of policies. */
type Outcome = typeof DENIED | typeof SILENT | typeof ALLOWED;
const DENIED = -1;
const SILENT = 0;
const ALLOWED = 1;

/** Whether a filter lets the request pass; one that is absent does. */
function filter(place: Place, policies: readonly Policy[] | undefined, question: Question): Outcome {
  if (policies === undefined) return ALLOWED;
  const strength = granted(place, policies, question);
  return strength === DENIED ? DENIED : strength === Named.not ? SILENT : ALLOWED;
}

/** Union within a level, intersection of levels. */
function levels(place: Place, all: readonly (readonly Policy[])[] | undefined, question: Question): Outcome {
  let outcome: Outcome = ALLOWED;
  for (const level of all ?? []) {
    const one = filter(place, level, question);
    if (one === DENIED) return DENIED;
    if (one === SILENT) outcome = SILENT;
  }
  return outcome;
}

/** How strongly the Allow statements grant, taken together, or that a Deny applies. */
function granted(
  place: Place,
  policies: readonly Policy[] | undefined,
  question: Question,
): Named | typeof DENIED {
  let strongest: Named = Named.not;
  if (policies === undefined) return strongest;
  const enough = place === 'resource' ? Named.session : Named.role;
  for (const policy of policies) {
    checkPlace(policy, place);
    const { denies, allows } = policy.candidates(question.action);
    for (const statement of denies) {
      if (
        statement.named(question) !== Named.not &&
        statement.hasResource(question) &&
        statement.holds(question.keys)
      ) {
        return DENIED;
      }
    }
    for (const statement of allows) {
      if (strongest >= enough) break;
      const named = statement.named(question);
      if (named > strongest && statement.hasResource(question) && statement.holds(question.keys)) {
        strongest = named;
      }
    }
  }
  return strongest;
}

/** KMS keys and roles: their own policy must delegate or grant, within the account, too (POLICY.md section 5). */
function needsResourcePolicy({ action, resource, colons }: Question): boolean {
  if (action.startsWith('sts:assumerole')) return true;
  return (
    colons !== undefined &&
    resource.startsWith('kms:', colons[1] + 1) &&
    resource.startsWith('key/', colons[4] + 1)
  );
}

function sameAccount({ principal, resource, colons, keys }: Question): boolean {
  if (colons && colons[4] - colons[3] > 1) {
    const account = resource.slice(colons[3] + 1, colons[4]);
    // Amazon's own have no account, or `aws` for one.
    if (account !== 'aws') return account === principal.accountId;
  }
  const account = keys.get(RESOURCE_ACCOUNT);
  return account === undefined || account === principal.accountId;
}

const RESOURCE_ACCOUNT = new ContextKey('aws:ResourceAccount');

const ALLOW: Decision = Object.freeze({ effect: 'Allow' });

const DENIALS = Object.fromEntries(
  (['identity', 'resource', 'boundary', 'session', 'scp', 'rcp', 'vpce'] as const).map((place) => {
    const { policyType } = KIND_RULES[place];
    return [
      place,
      {
        explicit: Object.freeze({ effect: 'ExplicitDeny', policyType }),
        implicit: Object.freeze({ effect: 'ImplicitDeny', policyType }),
      },
    ];
  }),
) as Readonly<Record<Place, { readonly explicit: Denial; readonly implicit: Denial }>>;
