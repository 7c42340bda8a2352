import { describe, expect, it } from 'vitest';
import { PolicyError, parsePolicy } from '../../src/policy/index.ts';
import { applies, decision, policy, problemsOf } from './world.ts';

const statement = { Effect: 'Allow', Action: '*', Resource: '*' };
const document = (...said: object[]) => ({ Version: '2012-10-17', Statement: said });
const problems = (said: object) => problemsOf('identity', document({ ...statement, ...said }));

describe('POLICY.md 1, the document', () => {
  it('is one JSON object with a Statement, an object or a list', () => {
    expect(problemsOf('identity', { Statement: statement })).toEqual([]);
    expect(problemsOf('identity', { Statement: [statement] })).toEqual([]);
    expect(problemsOf('identity', '[]')).toEqual(['ERR_POLICY_ELEMENT at ']);
    expect(problemsOf('identity', {})).toEqual(['ERR_POLICY_ELEMENT at ']);
    expect(problemsOf('identity', { Statement: [] })).toEqual(['ERR_POLICY_ELEMENT at Statement']);
    expect(problemsOf('identity', { Statement: ['x'] })).toEqual(['ERR_POLICY_ELEMENT at Statement[0]']);
  });

  it('has case-sensitive element names, and unknown elements are errors', () => {
    expect(problemsOf('identity', { ...document(statement), version: '2012-10-17' })).toEqual([
      'ERR_POLICY_ELEMENT at ',
    ]);
    expect(problems({ effect: 'Allow' })).toEqual(['ERR_POLICY_ELEMENT at Statement[0]']);
    expect(problems({ Conditions: {} })).toEqual(['ERR_POLICY_ELEMENT at Statement[0]']);
  });

  it('refuses the same key twice in one object, at every depth', () => {
    const text = (conditions: string) =>
      `{"Statement":{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*","Condition":${conditions}}}`;
    expect(problemsOf('identity', text('{"Bool":{"a":"true","\\u0061":"false"}}'))).toEqual([
      'ERR_POLICY_DUPLICATE_KEY at Statement.Effect',
      'ERR_POLICY_DUPLICATE_KEY at Statement.Condition.Bool.a',
    ]);
    expect(problemsOf('identity', document({ ...statement, Condition: { Bool: { a: 1, A: 1 } } }))).toEqual([
      'ERR_POLICY_DUPLICATE_KEY at Statement[0].Condition.Bool.A',
    ]);
  });

  it('has one of two versions, and without variables under the older one, which is the default', () => {
    expect(problemsOf('identity', { Version: '2012-10-18', Statement: statement })).toEqual([
      'ERR_POLICY_VERSION at Version',
    ]);
    const said = { Resource: 'arn:aws:s3:::${aws:username}' };
    expect(applies(said, { resource: 'arn:aws:s3:::alice' })).toBe(true);
    expect(applies(said, { resource: 'arn:aws:s3:::alice' }, '2008-10-17')).toBe(false);
    expect(applies(said, { resource: 'arn:aws:s3:::${aws:username}' }, '2008-10-17')).toBe(true);
    const without = parsePolicy('identity', { Statement: { ...statement, ...said } });
    expect(without.size).toBe(1);
  });

  it('has an Effect that is exactly Allow or Deny', () => {
    for (const Effect of ['allow', 'DENY', '', true, undefined]) {
      expect(problems({ Effect })).toEqual(['ERR_POLICY_EFFECT at Statement[0].Effect']);
    }
  });

  it('has exactly one of Action and NotAction, of Resource and NotResource', () => {
    const { Action, Resource } = statement;
    expect(problemsOf('identity', document({ Effect: 'Allow', Resource }))).toHaveLength(1);
    expect(problemsOf('identity', document({ Effect: 'Allow', Action }))).toHaveLength(1);
    expect(problems({ NotAction: '*' })).toHaveLength(1);
    expect(problems({ NotResource: '*' })).toHaveLength(1);
  });

  it('takes a single value for a list of one', () => {
    const said = { Action: ['ssm:StartSession'], Resource: ['*'], Condition: { StringEquals: { k: ['v'] } } };
    expect(applies(said, { context: { k: 'v' } })).toBe(true);
    expect(
      applies(
        { Action: 'ssm:StartSession', Condition: { StringEquals: { k: 'v' } } },
        { context: { k: 'v' } },
      ),
    ).toBe(true);
  });

  it('refuses empty lists and what is no string', () => {
    expect(problems({ Action: [] })).toEqual(['ERR_POLICY_ELEMENT at Statement[0].Action']);
    expect(problems({ Resource: [] })).toEqual(['ERR_POLICY_ELEMENT at Statement[0].Resource']);
    expect(problems({ Action: ['ssm:*', 7] })).toEqual(['ERR_POLICY_ELEMENT at Statement[0].Action[1]']);
    expect(problems({ Resource: null })).toEqual(['ERR_POLICY_ELEMENT at Statement[0].Resource']);
  });

  it('takes strings, numbers and booleans as condition values, not objects and null', () => {
    for (const value of ['900', 900]) {
      expect(applies({ Condition: { StringEquals: { k: value } } }, { context: { k: '900' } })).toBe(true);
    }
    expect(applies({ Condition: { StringEquals: { k: true } } }, { context: { k: 'true' } })).toBe(true);
    expect(problems({ Condition: { StringEquals: { k: null } } })).toHaveLength(1);
    expect(problems({ Condition: { StringEquals: { k: [{}] } } })).toEqual([
      'ERR_POLICY_CONDITION at Statement[0].Condition.StringEquals.k[0]',
    ]);
    expect(problems({ Condition: { StringEquals: 'k' } })).toHaveLength(1);
    expect(problems({ Condition: [] })).toHaveLength(1);
  });

  it('keeps the text of a number, so that it compares as a string first', () => {
    const text =
      '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"k":1.0}}}}';
    expect(parsePolicy('identity', text).size).toBe(1);
  });

  it('has a Condition {} that is always true', () => {
    expect(decision({ Condition: {} })).toBe('Allow');
    expect(decision({ Condition: { StringEquals: {} } })).toBe('Allow');
  });
});

describe('POLICY.md 1, kinds of policies', () => {
  it('wants Sids of letters and digits, unique in an identity policy, and no Id', () => {
    expect(problems({ Sid: 'Start Session' })).toEqual(['ERR_POLICY_SID at Statement[0].Sid']);
    const twice = document({ ...statement, Sid: 'A1' }, { ...statement, Sid: 'A1' });
    expect(problemsOf('identity', twice)).toEqual(['ERR_POLICY_SID at Statement[1].Sid']);
    expect(problemsOf('identity', { Id: 'x', ...document(statement) })).toEqual(['ERR_POLICY_ELEMENT at Id']);
    const resource = { Id: 'key', ...document({ ...statement, Sid: 'Allow use', Principal: '*' }) };
    expect(problemsOf('resource', resource)).toEqual([]);
  });

  it('has Principal only and always in resource-based policies', () => {
    expect(problems({ Principal: '*' })).toEqual(['ERR_POLICY_PRINCIPAL at Statement[0].Principal']);
    for (const kind of ['boundary', 'session', 'scp'] as const) {
      expect(problemsOf(kind, document({ ...statement, Principal: '*' }))).toHaveLength(1);
    }
    expect(problemsOf('resource', document(statement))).toEqual(['ERR_POLICY_PRINCIPAL at Statement[0]']);
    expect(problemsOf('trust', document({ Effect: 'Allow', Action: 'sts:AssumeRole' }))).toHaveLength(1);
  });

  it('allows Principal "*" alone in endpoint policies and RCPs', () => {
    for (const kind of ['vpce', 'rcp'] as const) {
      expect(problemsOf(kind, document(statement))).toEqual([]);
      expect(problemsOf(kind, document({ ...statement, Principal: '*' }))).toEqual([]);
      expect(problemsOf(kind, document({ ...statement, Principal: { AWS: '111122223333' } }))).toHaveLength(
        1,
      );
      expect(problemsOf(kind, document({ ...statement, Effect: 'Deny', NotPrincipal: '*' }))).toHaveLength(1);
    }
  });

  it('has no Resource in trust policies', () => {
    const trust = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'ec2.amazonaws.com' } };
    expect(problemsOf('trust', document(trust))).toEqual([]);
    expect(problemsOf('trust', document({ ...trust, Resource: '*' }))).toEqual([
      'ERR_POLICY_RESOURCE at Statement[0].Resource',
    ]);
  });

  it('has principals that are "*" or a map, never a bare ARN or a part of one', () => {
    const principal = (Principal: unknown) => problemsOf('resource', document({ ...statement, Principal }));
    const where = 'ERR_POLICY_PRINCIPAL at Statement[0].Principal';
    expect(principal('*')).toEqual([]);
    expect(principal({ AWS: ['*', '111122223333', 'arn:aws:iam::111122223333:root'] })).toEqual([]);
    expect(principal({ Service: 'ssm.amazonaws.com', Federated: 'x', CanonicalUser: 'y' })).toEqual([]);
    expect(principal('arn:aws:iam::111122223333:user/alice')).toEqual([where]);
    expect(principal({})).toEqual([where]);
    expect(principal({ aws: '*' })).toEqual([where]);
    expect(principal({ AWS: 'arn:aws:iam::111122223333:user/*' })).toEqual([`${where}.AWS`]);
    expect(principal({ AWS: ['alice'] })).toEqual([`${where}.AWS[0]`]);
    expect(principal({ Service: '*.amazonaws.com' })).toEqual([`${where}.Service`]);
  });

  it('has NotPrincipal with Deny only', () => {
    const said = { Action: '*', Resource: '*', NotPrincipal: { AWS: '111122223333' } };
    expect(problemsOf('resource', document({ Effect: 'Deny', ...said }))).toEqual([]);
    expect(problemsOf('resource', document({ Effect: 'Allow', ...said }))).toHaveLength(1);
  });

  it('has actions service:Name or "*", without wildcards in the service', () => {
    for (const Action of ['ssm:StartSession', 'ssm:*', 'SSM:start?ession', '*']) {
      expect(problems({ Action })).toEqual([]);
    }
    for (const Action of ['ssm', 's*:StartSession', '*:*', 'ssm:', ':x', '', '**', 'ssm:Start Session']) {
      expect(problems({ Action })).toEqual(['ERR_POLICY_ACTION at Statement[0].Action']);
    }
  });

  it('has resources that are ARNs or "*"', () => {
    for (const Resource of ['*', 'arn:aws:s3:::x', 'arn:aws:ec2:*', '*:*:*:*:*:*', 'arn:*']) {
      expect(problems({ Resource })).toEqual([]);
    }
    for (const Resource of ['', 'instance', 'i-*', 'x:y', 'urn:aws:s3:::x']) {
      expect(problems({ Resource })).toEqual(['ERR_POLICY_RESOURCE at Statement[0].Resource']);
    }
  });

  it('fails closed: what is malformed is rejected when read, all problems at once, and nothing else is evaluated', () => {
    const wrong = document({ Effect: 'allow', Action: 'ssm', Resource: 'x', Condition: { StringIs: {} } });
    expect(problemsOf('identity', wrong)).toEqual([
      'ERR_POLICY_EFFECT at Statement[0].Effect',
      'ERR_POLICY_ACTION at Statement[0].Action',
      'ERR_POLICY_RESOURCE at Statement[0].Resource',
      'ERR_POLICY_CONDITION at Statement[0].Condition',
    ]);
    try {
      parsePolicy('identity', wrong, { name: 'Ops' });
    } catch (error) {
      expect(error).toBeInstanceOf(PolicyError);
      expect((error as PolicyError).code).toBe('ERR_POLICY_EFFECT');
      expect((error as PolicyError).message).toMatch(
        /^The identity-based policy "Ops": Statement\[0\]\.Effect must be/,
      );
    }
  });

  it('knows no operator that there is not, and no variable that is none', () => {
    for (const operator of [
      'StringIs',
      'NullIfExists',
      'ForAnyValue:Null',
      'ForSomeValue:StringEquals',
      'constructor',
    ]) {
      expect(problems({ Condition: { [operator]: { k: 'v' } } })).toHaveLength(1);
    }
    for (const text of ['${', '${}', '${a', '${${a}}', "${a,'b'}", "${a, 'b}", '${ a}', '${a*}']) {
      expect(problems({ Resource: `arn:aws:s3:::${text}` }), text).toEqual([
        'ERR_POLICY_VARIABLE at Statement[0].Resource',
      ]);
      expect(problems({ Condition: { StringLike: { k: text } } })).toHaveLength(1);
      expect(policy('identity', { Resource: `arn:aws:s3:::${text}` }, '2008-10-17').size).toBe(1);
    }
  });
});
