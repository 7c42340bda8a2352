import type { PolicyType } from './authorization.ts';

/**
 * Where a policy stands, which decides what it may contain and how it counts (POLICY.md sections 1 and 5). `trust` is
 * the resource-based policy of a role; `vpce` the policy of a VPC endpoint.
 */
export type PolicyKind = 'identity' | 'resource' | 'trust' | 'boundary' | 'session' | 'scp' | 'rcp' | 'vpce';

interface KindRules {
  readonly policyType: PolicyType;
  /** `everyone`: may be there, and is `*`. */
  readonly principal: 'required' | 'prohibited' | 'everyone';
  readonly resource: 'required' | 'prohibited';
  /** Whether Sids are letters and digits only, and unique; such policies have no Id. */
  readonly strictSid: boolean;
  /** Default limit, in characters. */
  readonly maxCharacters: number;
  /** Whether white space counts towards it. */
  readonly countsSpace: boolean;
}

const OF_IDENTITY = {
  principal: 'prohibited',
  resource: 'required',
  strictSid: true,
  countsSpace: false,
} as const;

const OF_RESOURCE = { principal: 'required', strictSid: false, countsSpace: false } as const;

/** The sizes are AWS's quotas (IAM User Guide, "IAM and AWS STS quotas"; AWS Organizations User Guide, "Quotas"). */
export const KIND_RULES: Readonly<Record<PolicyKind, KindRules>> = {
  // The most that one policy can have there: the inline policies of a role together. A managed policy has 6,144.
  identity: { ...OF_IDENTITY, policyType: 'identity-based policy', maxCharacters: 10_240 },
  boundary: { ...OF_IDENTITY, policyType: 'permissions boundary', maxCharacters: 6_144 },
  session: { ...OF_IDENTITY, policyType: 'session policy', maxCharacters: 2_048 },
  scp: { ...OF_IDENTITY, policyType: 'service control policy', maxCharacters: 5_120, countsSpace: true },
  rcp: {
    ...OF_IDENTITY,
    policyType: 'resource control policy',
    principal: 'everyone',
    strictSid: false,
    maxCharacters: 5_120,
    countsSpace: true,
  },
  vpce: {
    ...OF_IDENTITY,
    policyType: 'VPC endpoint policy',
    principal: 'everyone',
    strictSid: false,
    maxCharacters: 20_480,
  },
  // That of a KMS key, the largest of those with one.
  resource: {
    ...OF_RESOURCE,
    policyType: 'resource-based policy',
    resource: 'required',
    maxCharacters: 32_768,
  },
  trust: {
    ...OF_RESOURCE,
    policyType: 'resource-based policy',
    resource: 'prohibited',
    maxCharacters: 8_192,
  },
};
