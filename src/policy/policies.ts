import type { AuthorizationRequest } from './authorization.ts';
import { checkKind } from './parse/parse-policy.ts';
import type { CompiledPolicy, Policy } from './policy.ts';

/**
 * All policies that have a say in one request. A filter that is absent does not filter; one that is there and empty
 * allows nothing.
 */
export interface Policies {
  /** Of the principal, those of its groups included. */
  readonly identity?: readonly Policy<'identity'>[];
  /** Of the resource; for `sts:AssumeRole` the trust policy of the role. */
  readonly resource?: readonly Policy<'resource' | 'trust'>[];
  /** The permissions boundary of the principal. */
  readonly boundary?: Policy<'boundary'>;
  /** Those with which the session was made. */
  readonly session?: readonly Policy<'session'>[];
  /** Service control policies by level: root, each organizational unit, account. All levels must allow. */
  readonly scp?: readonly (readonly Policy<'scp'>[])[];
  /** Resource control policies by level. Each allows everything that it does not deny. */
  readonly rcp?: readonly (readonly Policy<'rcp'>[])[];
  /** Of the VPC endpoint that the request came through. */
  readonly vpce?: Policy<'vpce'>;
}

/** The policies, and what was granted for this request alone. */
export function withGrant(policies: Policies, { grant }: AuthorizationRequest): Policies {
  return grant ? { ...policies, identity: [...(policies.identity ?? []), grant] } : policies;
}

/** A policy, and where it stands. */
export interface PlacedPolicy {
  readonly policy: CompiledPolicy;
  readonly place: Place;
  /** Among those of its place, or of its level. */
  readonly index: number;
  /** Of SCPs and RCPs. */
  readonly level: number | undefined;
}

/** `trust` policies stand among those of the resource. */
export type Place = keyof Policies;

/** Every policy, for looking at them one by one. @throws {PolicyError} for one in the wrong place */
export function placedPolicies(policies: Policies): PlacedPolicy[] {
  const { identity, resource, boundary, session, scp, rcp, vpce } = policies;
  return [
    ...leveled('scp', scp),
    ...leveled('rcp', rcp),
    ...placed('vpce', vpce && [vpce]),
    ...placed('resource', resource),
    ...placed('identity', identity),
    ...placed('boundary', boundary && [boundary]),
    ...placed('session', session),
  ];
}

/** @throws {PolicyError} */
export function checkPlace(policy: Policy, place: Place): asserts policy is CompiledPolicy {
  checkKind(policy, place === 'resource' && policy.kind === 'trust' ? 'trust' : place);
}

function leveled(place: Place, levels: readonly (readonly Policy[])[] | undefined): PlacedPolicy[] {
  return (levels ?? []).flatMap((policies, level) => placed(place, policies, level));
}

function placed(place: Place, policies: readonly Policy[] | undefined, level?: number): PlacedPolicy[] {
  return (policies ?? []).map((policy, index) => {
    checkPlace(policy, place);
    return { policy, place, index, level };
  });
}
