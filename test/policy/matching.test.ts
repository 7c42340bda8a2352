import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/policy/index.ts';
import {
  ACCOUNT,
  alice,
  applies,
  decision,
  fred,
  jane,
  NODE,
  OTHER,
  outcome,
  policy,
  request,
} from './world.ts';

const S3 = 'arn:aws:s3:::';
const LOG = `arn:aws:logs:r:${ACCOUNT}:log-group:a:log-stream:b/c`;
const object = (pattern: string, name: string) =>
  applies({ Resource: `${S3}${pattern}` }, { resource: `${S3}${name}` });

describe('POLICY.md 2, wildcards', () => {
  it('has * for any run, none included, and ? for exactly one character', () => {
    expect(object('a*c', 'ac')).toBe(true);
    expect(object('a*c', 'abbbc')).toBe(true);
    expect(object('a?c', 'abc')).toBe(true);
    expect(object('a?c', 'ac')).toBe(false);
    expect(object('a?c', 'abbc')).toBe(false);
    expect(object('a?c', 'a\u{1f600}c')).toBe(true);
    expect(object('a??c', 'a\u{1f600}c')).toBe(false);
  });

  it('has no classes, no escapes, and newline is a character; every other sign is itself', () => {
    expect(object('[ab]', 'a')).toBe(false);
    expect(object('a\\*', 'ax')).toBe(false);
    expect(object('a*b', 'a\nb')).toBe(true);
    for (const sign of ['.', '+', '(', '[', '^', '|', '$']) {
      expect(object(`a${sign}b*`, `a${sign}bc`)).toBe(true);
      expect(object(`a${sign}b*`, 'axbc')).toBe(false);
    }
  });

  it('matches the whole string', () => {
    expect(object('abc', 'abcd')).toBe(false);
    expect(object('bc', 'abc')).toBe(false);
    expect(object('*b', 'abc')).toBe(false);
  });

  it('matches patterns of many stars in no time', () => {
    const stars = `${'*a'.repeat(500)}*b`;
    expect(object(stars, 'a'.repeat(2_000))).toBe(false);
    expect(object(stars, `${'a'.repeat(2_000)}b`)).toBe(true);
  });
});

describe('POLICY.md 2, actions', () => {
  it('compares without case, of ASCII alone', () => {
    expect(applies({ Action: 'SSM:startSESSION' }, { action: 'ssm:StartSession' })).toBe(true);
    expect(applies({ Action: 'ssm:start*' }, { action: 'SSM:StartSession' })).toBe(true);
    expect(applies({ Action: 'kms:Decrypt' }, { action: '\u212ams:Decrypt' })).toBe(false);
    expect(applies({ Action: 'ssm:StartSession' }, { action: 'ssm:\u017ftartSession' })).toBe(false);
  });

  it('has ssm:* not reach ssmmessages:*', () => {
    expect(applies({ Action: 'ssm:*' }, { action: 'ssmmessages:OpenDataChannel' })).toBe(false);
    expect(applies({ Action: 'ssm:*' }, { action: 'ssm:DescribeSessions' })).toBe(true);
    expect(applies({ Action: 'ssm:*' }, { action: 'ssm' })).toBe(false);
  });
});

describe('POLICY.md 2, resources', () => {
  const matches = (Resource: string, resource: string) => applies({ Resource }, { resource });

  it('matches part by part: wildcards stay in parts 1 to 5, and run on in the sixth', () => {
    expect(matches(`arn:aws:ec2:*:${ACCOUNT}:instance/*`, NODE)).toBe(true);
    expect(matches('arn:aws:ec2:*:instance/i-0123456789abcdef0', NODE)).toBe(false);
    expect(matches('arn:*:instance/i-0123456789abcdef0', NODE)).toBe(false);
    expect(matches(`arn:a?s:*2:eu-????-1:${ACCOUNT}:inst*`, NODE)).toBe(true);
    expect(matches('arn:aws:logs:*:*:log-group:*', LOG)).toBe(true);
    expect(matches('arn:aws:logs:*:*:*b/c', LOG)).toBe(true);
  });

  it('has an empty part match only an empty part or *', () => {
    const document = 'arn:aws:ssm:eu-west-1::document/AWS-StartSSHSession';
    expect(matches('arn:aws:ssm:*::document/AWS-*', document)).toBe(true);
    expect(matches('arn:aws:ssm:*:*:document/AWS-*', document)).toBe(true);
    expect(matches(`arn:aws:ssm:*:${ACCOUNT}:document/AWS-*`, document)).toBe(false);
    expect(matches('arn:aws:ssm:*:?:document/AWS-*', document)).toBe(false);
    expect(matches('arn:aws:ssm:*::document/*', `arn:aws:ssm:r:${ACCOUNT}:document/x`)).toBe(false);
  });

  it('is case-sensitive', () => {
    expect(object('Log', 'log')).toBe(false);
    expect(object('L*g', 'log')).toBe(false);
  });

  it('fills up a short pattern that ends with *, and no other', () => {
    expect(matches('arn:aws:ec2:*', NODE)).toBe(true);
    expect(matches('arn:aws:ec2:eu-*', NODE)).toBe(true);
    expect(matches('arn:aws:ec2:us-*', NODE)).toBe(false);
    expect(matches('arn:aws:s*', NODE)).toBe(false);
    expect(matches('arn:aws:ec2', NODE)).toBe(false);
    expect(matches('arn:aws:ec2:eu-west-1:111122223333', NODE)).toBe(false);
  });

  it('has * alone match everything, and alone match requests on no resource', () => {
    const asked = { action: 'ssm:DescribeSessions', resource: '*' };
    expect(applies({ Resource: '*' }, asked)).toBe(true);
    for (const Resource of [
      'arn:*',
      '*:*:*:*:*:*',
      `arn:aws:ssm:*:${ACCOUNT}:*`,
      'arn:aws:ssm:*:*:session/*',
    ]) {
      expect(applies({ Resource }, asked)).toBe(false);
    }
  });

  it('takes the resource of a request as data: a * in it is no pattern', () => {
    const resource = `arn:aws:ssm:eu-west-1:${ACCOUNT}:session/*`;
    expect(applies({ Resource: `arn:aws:ssm:*:*:session/alice-1` }, { resource })).toBe(false);
    expect(applies({ Resource: 'arn:aws:ssm:*:*:session/${*}' }, { resource })).toBe(true);
  });
});

describe('POLICY.md 2, NotAction and NotResource', () => {
  it('are true when no entry matches', () => {
    const allow = { NotAction: ['iam:*', 'ssm:Start*'] };
    expect(decision(allow, { action: 'ssm:StartSession' })).toBe('ImplicitDeny');
    expect(decision(allow, { action: 'ssm:ResumeSession' })).toBe('Allow');
    const deny = [{}, { Effect: 'Deny', NotResource: 'arn:aws:ec2:*' }];
    expect(decision(deny)).toBe('Allow');
    expect(decision(deny, { resource: 'arn:aws:s3:::x' })).toBe('ExplicitDeny');
  });
});

describe('POLICY.md 2, principals', () => {
  /** Whether a Deny of the resource's policy reaches the principal. */
  const reaches = (Principal: unknown, principal = alice) =>
    outcome({ resource: [policy('resource', { Effect: 'Deny', Principal })] }, { principal }).startsWith(
      'Explicit',
    );

  it('are everybody with * and { AWS: * }', () => {
    expect(reaches('*')).toBe(true);
    expect(reaches({ AWS: '*' })).toBe(true);
  });

  it('have accounts and root ARNs delegate: they reach all of the account, and grant nothing by themselves', () => {
    for (const AWS of [ACCOUNT, `arn:aws:iam::${ACCOUNT}:root`]) {
      expect(reaches({ AWS })).toBe(true);
      expect(reaches({ AWS }, jane)).toBe(true);
      expect(outcome({ resource: [policy('resource', { Principal: { AWS } })] })).toBe(
        'ImplicitDeny: identity-based policy',
      );
    }
    expect(reaches({ AWS: OTHER })).toBe(false);
  });

  it('have a user match that user, case-sensitively', () => {
    expect(reaches({ AWS: alice.arn })).toBe(true);
    expect(reaches({ AWS: alice.arn.replace('alice', 'Alice') })).toBe(false);
    expect(reaches({ AWS: alice.arn.replace('alice', 'bob') })).toBe(false);
  });

  it('have a role match every session of it, a session ARN one', () => {
    const role = `arn:aws:iam::${ACCOUNT}:role/Ops`;
    expect(reaches({ AWS: role }, jane)).toBe(true);
    expect(reaches({ AWS: `arn:aws:iam::${ACCOUNT}:role/team/Ops` }, jane)).toBe(true);
    expect(reaches({ AWS: role }, { ...jane, roleArn: `arn:aws:iam::${ACCOUNT}:role/team/Ops` })).toBe(false);
    expect(reaches({ AWS: `arn:aws:iam::${OTHER}:role/Ops` }, jane)).toBe(false);
    expect(reaches({ AWS: jane.arn }, jane)).toBe(true);
    expect(reaches({ AWS: jane.arn.replace('jane', 'joe') }, jane)).toBe(false);
    expect(reaches({ AWS: fred.arn }, fred)).toBe(true);
  });

  it('have services by their names', () => {
    const service = { arn: 'ssm.amazonaws.com', userId: 'ssm.amazonaws.com', accountId: '' };
    expect(reaches({ Service: 'ssm.amazonaws.com' }, service)).toBe(true);
    expect(reaches({ Service: 'ec2.amazonaws.com' }, service)).toBe(false);
    expect(reaches({ Service: 'ssm.amazonaws.com' })).toBe(false);
  });

  it('have NotPrincipal deny all but those listed with their account and role', () => {
    const spared = (AWS: string[], principal = alice) =>
      outcome(
        { resource: [policy('resource', [{ Principal: '*' }, { Effect: 'Deny', NotPrincipal: { AWS } }])] },
        { principal },
      ) === 'Allow';
    expect(spared([alice.arn, ACCOUNT])).toBe(true);
    expect(spared([alice.arn])).toBe(false);
    expect(spared([ACCOUNT])).toBe(false);
    expect(spared([jane.arn, `arn:aws:iam::${ACCOUNT}:role/Ops`, ACCOUNT], jane)).toBe(true);
    expect(spared([jane.arn, ACCOUNT], jane)).toBe(false);
    expect(spared([alice.arn, ACCOUNT], jane)).toBe(false);
  });

  it('have NotPrincipal always hit who has a permissions boundary', () => {
    const resource = [policy('resource', { Effect: 'Deny', NotPrincipal: { AWS: [alice.arn, ACCOUNT] } })];
    const identity = [policy('identity', {})];
    expect(evaluate({ identity, resource }, request()).effect).toBe('Allow');
    expect(evaluate({ identity, resource, boundary: policy('boundary', {}) }, request()).effect).toBe(
      'ExplicitDeny',
    );
  });
});
