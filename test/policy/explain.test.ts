import { describe, expect, it } from 'vitest';
import { denialMessage, explain, parsePolicy, policyAuthorizer } from '../../src/policy/index.ts';
import { ACCOUNT, alice, NODE, policy, request } from './world.ts';

const web = { StringEquals: { 'ssm:resourceTag/team': 'web', 'aws:PrincipalTag/team': '${team}' } };

describe('explain', () => {
  it('names the statements that match, by Sid and by place', () => {
    const policies = {
      identity: [
        parsePolicy('identity', { Statement: { Effect: 'Allow', Action: 'iam:*', Resource: '*' } }),
        parsePolicy(
          'identity',
          { Statement: [{ Sid: 'Start', Effect: 'Allow', Action: 'ssm:*', Resource: '*' }] },
          { name: 'Ops' },
        ),
      ],
      scp: [[policy('scp', {})], [policy('scp', [{}, { Effect: 'Deny', Action: 'ssm:Start*' }])]],
    };
    const { decision, matched } = explain(policies, request());
    expect(decision).toEqual({ effect: 'ExplicitDeny', policyType: 'service control policy' });
    expect(matched).toEqual([
      { place: 'scp', level: 0, policyIndex: 0, statementIndex: 0, effect: 'Allow' },
      { place: 'scp', level: 1, policyIndex: 0, statementIndex: 0, effect: 'Allow' },
      { place: 'scp', level: 1, policyIndex: 0, statementIndex: 1, effect: 'Deny' },
      {
        place: 'identity',
        policyIndex: 1,
        policyName: 'Ops',
        statementIndex: 0,
        sid: 'Start',
        effect: 'Allow',
      },
    ]);
  });

  it('names the statements that nearly match, and the part that failed', () => {
    const identity = [
      policy('identity', [
        { Action: 'ssm:ResumeSession' },
        { Resource: 'arn:aws:s3:::*' },
        { Condition: web },
        { Action: 'iam:*', Resource: 'arn:aws:s3:::*' },
      ]),
    ];
    const resource = [policy('resource', { Principal: { AWS: '444455556666' } })];
    const { decision, matched, nearlyMatched } = explain({ identity, resource }, request());
    expect(decision.effect).toBe('ImplicitDeny');
    expect(matched).toEqual([]);
    expect(nearlyMatched.map(({ place, statementIndex, failed }) => [place, statementIndex, failed])).toEqual(
      [
        ['resource', 0, 'principal'],
        ['identity', 0, 'action'],
        ['identity', 1, 'resource'],
        ['identity', 2, 'condition'],
      ],
    );
    expect(nearlyMatched[3]?.conditions).toEqual([
      { operator: 'StringEquals', key: 'ssm:resourceTag/team' },
      { operator: 'StringEquals', key: 'aws:PrincipalTag/team' },
    ]);
  });

  it('names the context keys that were looked up and absent, those of variables, too', () => {
    const identity = [policy('identity', { Condition: web })];
    const principal = { ...alice, tags: new Map([['team', 'web']]) };
    const { missingContextKeys } = explain({ identity }, request({ principal }));
    expect(missingContextKeys).toEqual(['ssm:resourceTag/team', 'team']);
    const context = { 'ssm:resourceTag/team': 'web', team: 'web' };
    expect(explain({ identity }, request({ principal, context })).missingContextKeys).toEqual([]);
  });

  it('leaves nothing of a policy in what callers read', () => {
    const identity = [
      policy('identity', { Sid: 'Secret', Effect: 'Deny', Condition: { Null: { hidden: 'true' } } }),
    ];
    const { decision } = explain({ identity }, request());
    if (decision.effect === 'Allow') return expect.unreachable();
    expect(denialMessage(request(), decision)).toBe(
      `User: ${alice.arn} is not authorized to perform: ssm:StartSession on resource: ${NODE} with an explicit deny in an identity-based policy`,
    );
  });
});

describe('policyAuthorizer', () => {
  it('asks for the policies of each request anew', async () => {
    const policies = { identity: [policy('identity', { Resource: `arn:aws:ec2:*:${ACCOUNT}:instance/*` })] };
    const asked: string[] = [];
    const authorize = policyAuthorizer((principal, { resource }) => {
      asked.push(`${principal.arn} ${resource}`);
      return asked.length === 1 ? policies : Promise.resolve({});
    });
    expect(await authorize(request())).toEqual({ effect: 'Allow' });
    expect(await authorize(request())).toEqual({
      effect: 'ImplicitDeny',
      policyType: 'identity-based policy',
    });
    expect(asked).toEqual([`${alice.arn} ${NODE}`, `${alice.arn} ${NODE}`]);
  });

  it('refuses by throwing what the look-up throws', async () => {
    const authorize = policyAuthorizer(() => Promise.reject(new Error('store is away')));
    await expect(authorize(request())).rejects.toThrow('store is away');
  });
});
