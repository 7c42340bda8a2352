import { describe, expect, it } from 'vitest';
import { anonymous, evaluate, type Policies, PolicyError, parsePolicy } from '../../src/policy/index.ts';
import { ACCOUNT, alice, fred, jane, NODE, OTHER, outcome, policy, request, root } from './world.ts';

const DENY = { Effect: 'Deny' };
const NOTHING = { Action: 'iam:GetUser' };
const all = { identity: [policy('identity', {})] };
const stranger = { ...alice, arn: alice.arn.replace(ACCOUNT, OTHER), accountId: OTHER };
const named = (AWS: string) => [policy('resource', { Principal: { AWS } })];

describe('POLICY.md 5, the decision', () => {
  it('denies what nothing allows', () => {
    expect(outcome({})).toBe('ImplicitDeny: identity-based policy');
    expect(outcome({ identity: [policy('identity', NOTHING)] })).toBe('ImplicitDeny: identity-based policy');
    expect(outcome(all)).toBe('Allow');
  });

  it('has any applicable Deny anywhere win, whatever the order', () => {
    const resource = policy('resource', { ...DENY, Principal: '*' });
    const places: [string, Policies][] = [
      ['identity-based policy', { identity: [policy('identity', [{}, DENY])] }],
      ['identity-based policy', { identity: [policy('identity', DENY), policy('identity', {})] }],
      ['resource-based policy', { ...all, resource: [resource] }],
      ['permissions boundary', { ...all, boundary: policy('boundary', [{}, DENY]) }],
      ['session policy', { ...all, session: [policy('session', {}), policy('session', DENY)] }],
      ['service control policy', { ...all, scp: [[policy('scp', {})], [policy('scp', [{}, DENY])]] }],
      ['resource control policy', { ...all, rcp: [[], [policy('rcp', { ...DENY, Principal: '*' })]] }],
      ['VPC endpoint policy', { ...all, vpce: policy('vpce', [{}, DENY]) }],
    ];
    for (const [policyType, policies] of places)
      expect(outcome(policies)).toBe(`ExplicitDeny: ${policyType}`);
  });

  it('needs every SCP level: union within a level, intersection of levels, and an empty one allows nothing', () => {
    const [allows, silent] = [policy('scp', {}), policy('scp', NOTHING)];
    expect(outcome({ ...all, scp: [[silent, allows], [allows]] })).toBe('Allow');
    expect(outcome({ ...all, scp: [[allows], [silent]] })).toBe('ImplicitDeny: service control policy');
    expect(outcome({ ...all, scp: [[allows], []] })).toBe('ImplicitDeny: service control policy');
    expect(outcome({ scp: [[allows]] })).toBe('ImplicitDeny: identity-based policy');
  });

  it('has full access implied in RCPs', () => {
    expect(outcome({ ...all, rcp: [[policy('rcp', NOTHING)], []] })).toBe('Allow');
  });

  it('needs the endpoint policy, the boundary and the session policy where they are, and they never grant', () => {
    expect(outcome({ ...all, vpce: policy('vpce', NOTHING) })).toBe('ImplicitDeny: VPC endpoint policy');
    expect(outcome({ ...all, boundary: policy('boundary', NOTHING) })).toBe(
      'ImplicitDeny: permissions boundary',
    );
    expect(outcome({ ...all, session: [policy('session', NOTHING)] })).toBe('ImplicitDeny: session policy');
    expect(outcome({ ...all, session: [] })).toBe('ImplicitDeny: session policy');
    const filters = {
      vpce: policy('vpce', {}),
      boundary: policy('boundary', {}),
      session: [policy('session', {})],
      scp: [[policy('scp', {})]],
      rcp: [[policy('rcp', {})]],
    };
    expect(outcome({ ...all, ...filters })).toBe('Allow');
    expect(outcome(filters)).toBe('ImplicitDeny: identity-based policy');
  });

  it('takes the identity or the resource within an account, both across accounts', () => {
    expect(outcome({ resource: named(alice.arn) })).toBe('Allow');
    expect(outcome(all)).toBe('Allow');
    expect(outcome(all, { principal: stranger })).toBe('ImplicitDeny: resource-based policy');
    expect(outcome({ resource: named(stranger.arn) }, { principal: stranger })).toBe(
      'ImplicitDeny: identity-based policy',
    );
    for (const AWS of [stranger.arn, OTHER, '*']) {
      expect(outcome({ ...all, resource: named(AWS) }, { principal: stranger })).toBe('Allow');
    }
  });

  it('finds the account of a resource without one in aws:ResourceAccount', () => {
    const asked = { resource: 'arn:aws:s3:::bucket', context: { 'aws:ResourceAccount': OTHER } };
    expect(outcome(all, { resource: asked.resource })).toBe('Allow');
    expect(outcome(all, asked)).toBe('ImplicitDeny: resource-based policy');
    expect(outcome(all, { resource: 'arn:aws:ssm:r::document/AWS-StartSSHSession' })).toBe('Allow');
  });

  it('has KMS keys and roles need their own policy, within the account, too', () => {
    const key = { action: 'kms:GenerateDataKey', resource: `arn:aws:kms:r:${ACCOUNT}:key/1` };
    expect(outcome(all, key)).toBe('ImplicitDeny: resource-based policy');
    expect(outcome({ ...all, resource: named(ACCOUNT) }, key)).toBe('Allow');
    expect(outcome({ resource: named(ACCOUNT) }, key)).toBe('ImplicitDeny: identity-based policy');
    expect(outcome({ resource: named(alice.arn) }, key)).toBe('Allow');

    const role = { action: 'sts:AssumeRole', resource: `arn:aws:iam::${ACCOUNT}:role/Ops` };
    const trust = (AWS: string) => [policy('trust', { Action: 'sts:AssumeRole', Principal: { AWS } })];
    expect(outcome(all, role)).toBe('ImplicitDeny: resource-based policy');
    expect(outcome({ ...all, resource: trust(ACCOUNT) }, role)).toBe('Allow');
    expect(outcome({ resource: trust(ACCOUNT) }, role)).toBe('ImplicitDeny: identity-based policy');
    expect(outcome({ resource: trust(alice.arn) }, role)).toBe('Allow');
  });
});

describe('POLICY.md 5, direct grants', () => {
  const boundary = policy('boundary', NOTHING);
  const session = [policy('session', NOTHING)];

  it('to a user pass the implicit denies of identity and boundary', () => {
    expect(outcome({ resource: named(alice.arn), boundary })).toBe('Allow');
    expect(outcome({ resource: named(alice.arn), session })).toBe('ImplicitDeny: session policy');
    expect(outcome({ resource: named(alice.arn), boundary: policy('boundary', DENY) })).toMatch(
      'ExplicitDeny',
    );
  });

  it('to a session pass that of the session policy, too', () => {
    for (const principal of [jane, fred]) {
      expect(outcome({ resource: named(principal.arn), boundary, session }, { principal })).toBe('Allow');
    }
  });

  it('to a role and to everybody are limited by boundary and session policy', () => {
    for (const AWS of [`arn:aws:iam::${ACCOUNT}:role/Ops`, '*']) {
      const resource = named(AWS);
      expect(outcome({ resource }, { principal: jane })).toBe('Allow');
      expect(outcome({ resource, boundary }, { principal: jane })).toBe('ImplicitDeny: permissions boundary');
      expect(outcome({ resource, session }, { principal: jane })).toBe('ImplicitDeny: session policy');
    }
  });

  it('pass nothing across accounts', () => {
    const policies = { ...all, resource: named(stranger.arn), boundary };
    expect(outcome(policies, { principal: stranger })).toBe('ImplicitDeny: permissions boundary');
  });
});

describe('POLICY.md 5, particular principals', () => {
  it('gives anonymous callers no identity side', () => {
    expect(outcome(all, { principal: anonymous })).toBe('ImplicitDeny: resource-based policy');
    expect(outcome({ resource: named('*') }, { principal: anonymous })).toBe('Allow');
    expect(outcome({ resource: named(ACCOUNT) }, { principal: anonymous })).toMatch('ImplicitDeny');
  });

  it('has service-linked roles outside SCPs', () => {
    const principal = { ...jane, serviceLinked: true };
    expect(outcome({ ...all, scp: [[policy('scp', DENY)]] }, { principal })).toBe('Allow');
    expect(outcome({ ...all, scp: [[]] }, { principal })).toBe('Allow');
  });

  it('does not take those for the root user who are only called like it', () => {
    for (const name of ['assumed-role/Ops/idp:root', 'federated-user/idp:root', 'user/x:root']) {
      const service = name.startsWith('user/') ? 'iam' : 'sts';
      const principal = { ...alice, arn: `arn:aws:${service}::${ACCOUNT}:${name}` };
      expect(outcome({}, { principal })).toBe('ImplicitDeny: identity-based policy');
    }
  });

  it('gives the root user everything except where SCPs deny', () => {
    expect(outcome({}, { principal: root })).toBe('Allow');
    expect(outcome({ scp: [[policy('scp', NOTHING)]] }, { principal: root })).toMatch(
      'service control policy',
    );
    expect(outcome({ scp: [[policy('scp', [{}, DENY])]] }, { principal: root })).toMatch('ExplicitDeny');
    const foreign = NODE.replace(ACCOUNT, OTHER);
    expect(outcome({}, { principal: root, resource: foreign })).toBe('ImplicitDeny: resource-based policy');
    expect(outcome({ resource: named(ACCOUNT) }, { principal: root, resource: foreign })).toBe('Allow');
  });
});

describe('a policy in the wrong place, or one that parsePolicy has not made', () => {
  it('refuses the request', () => {
    const wrong = [
      { identity: [policy('boundary', {})] },
      { identity: [{ kind: 'identity', name: undefined, size: 0 }] },
      { boundary: policy('identity', {}) },
    ] as unknown as Policies[];
    for (const policies of wrong) {
      expect(() => evaluate(policies, request())).toThrow(PolicyError);
      expect(() => evaluate(policies, request())).toThrow(/stands where a policy of the kind/);
    }
    expect(parsePolicy('identity', '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}').size).toBe(
      1,
    );
  });
});
