import { describe, expect, it } from 'vitest';
import { type Principal, principalContext } from '../../src/policy/index.ts';
import { ACCOUNT, alice, applies, decision, fred, holds, jane, root } from './world.ts';

const tagged = (team: string): Principal => ({ ...alice, tags: new Map([['Team', team]]) });

describe('POLICY.md 3, policy variables', () => {
  const session = (pattern: string, name: string, principal = alice) =>
    applies(
      { Resource: `arn:aws:ssm:*:*:session/${pattern}` },
      { resource: `arn:aws:ssm:r:${ACCOUNT}:session/${name}`, principal },
    );

  it('are replaced by the value of a key, whatever the case of its name', () => {
    expect(session('${aws:username}-*', 'alice-0a1b')).toBe(true);
    expect(session('${AWS:UserName}-*', 'alice-0a1b')).toBe(true);
    expect(session('${aws:username}-*', 'bob-0a1b')).toBe(false);
  });

  it('cannot be keys with several values', () => {
    const Condition = { StringEquals: { one: '${many}' } };
    expect(applies({ Condition }, { context: { one: 'a', many: 'a' } })).toBe(true);
    expect(applies({ Condition }, { context: { one: 'a', many: ['a'] } })).toBe(false);
    const withDefault = { StringEquals: { one: "${many, 'a'}" } };
    expect(applies({ Condition: withDefault }, { context: { one: 'a', many: ['b'] } })).toBe(false);
  });

  it('are for the sixth part of a resource only', () => {
    const Resource = 'arn:aws:ec2:*:${k}:instance/*';
    expect(applies({ Resource }, { context: { k: ACCOUNT } })).toBe(false);
  });

  it('work in String*, Arn* and Bool values, and stay text elsewhere', () => {
    for (const operator of ['StringEquals', 'StringLike', 'StringEqualsIgnoreCase', 'Bool']) {
      expect(holds(operator, '${v}', 'true', { v: 'true' }), operator).toBe(true);
    }
    for (const operator of ['ArnEquals', 'ArnLike']) {
      const arn = `arn:aws:iam::${ACCOUNT}:role/x`;
      expect(holds(operator, 'arn:aws:iam::${a}:role/${v}', arn, { a: ACCOUNT, v: 'x' })).toBe(true);
      expect(holds(operator, '${v}', arn, { v: arn })).toBe(true);
      // Its colons do not make it more parts than it is.
      expect(holds(operator, 'arn:aws:iam::${v}', arn, { v: `${ACCOUNT}:role/x` })).toBe(false);
    }
    expect(holds('NumericEquals', '${v}', '1', { v: '1' })).toBe(false);
    expect(holds('DateEquals', '${v}', '2026-11-24', { v: '2026-11-24' })).toBe(false);
    expect(holds('IpAddress', '${v}', '10.0.0.1', { v: '10.0.0.1' })).toBe(false);
    expect(holds('BinaryEquals', '${v}', 'QUI=', { v: 'QUI=' })).toBe(false);
    expect(holds('Null', '${v}', 'x', { v: 'false' })).toBe(false);
  });

  it('without a value match nothing, and are true for negated operators', () => {
    expect(session('${aws:username}-*', 'alice-1', jane)).toBe(false);
    expect(session('${nothing}*', '${nothing}')).toBe(false);
    expect(holds('StringLike', '${nothing}*', 'x')).toBe(false);
    expect(holds('StringNotLike', '${nothing}*', 'x')).toBe(true);
    expect(holds('StringNotEquals', ['${nothing}', 'x'], 'x')).toBe(false);
  });

  it('have a default, used only when the key is absent', () => {
    expect(session("${aws:PrincipalTag/team, 'web'}-1", 'web-1')).toBe(true);
    expect(session("${aws:PrincipalTag/team, 'web'}-1", 'web-1', tagged('db'))).toBe(false);
    expect(session("${aws:PrincipalTag/team, 'web'}-1", 'db-1', tagged('db'))).toBe(true);
    expect(session("${aws:PrincipalTag/team, 'web'}-1", '-1', tagged(''))).toBe(true);
  });

  it('have ${*}, ${?} and ${$} for the characters themselves', () => {
    expect(session('a${*}', 'a*')).toBe(true);
    expect(session('a${*}', 'ab')).toBe(false);
    expect(session('a${?}', 'ab')).toBe(false);
    expect(session('${$}{aws:username}', '${aws:username}')).toBe(true);
    expect(holds('StringEquals', 'a${*}', 'a*')).toBe(true);
    expect(holds('StringEquals', 'a${$}', 'a$')).toBe(true);
  });

  it('stand for literal text: wildcards and variables in a value are none', () => {
    expect(session('${aws:PrincipalTag/Team}-1', 'web-1', tagged('*'))).toBe(false);
    expect(session('${aws:PrincipalTag/Team}-1', '*-1', tagged('*'))).toBe(true);
    expect(session('${aws:PrincipalTag/Team}*', 'alice', tagged('${aws:username}'))).toBe(false);
    expect(holds('StringLike', '${v}', 'abc', { v: 'a?c' })).toBe(false);
  });
});

describe('POLICY.md 4, combination', () => {
  const context = { a: '1', b: '2' };
  it('ANDs operators and keys, ORs the values of a key, and NORs those of a negated operator', () => {
    const condition = (Condition: object) => applies({ Condition }, { context });
    expect(condition({ StringEquals: { a: '1', b: '2' } })).toBe(true);
    expect(condition({ StringEquals: { a: '1', b: '3' } })).toBe(false);
    expect(condition({ StringEquals: { a: '1' }, StringLike: { b: '3' } })).toBe(false);
    expect(condition({ StringEquals: { a: ['0', '1'] } })).toBe(true);
    expect(condition({ StringNotEquals: { a: ['0', '2'] } })).toBe(true);
    expect(condition({ StringNotEquals: { a: ['0', '1'] } })).toBe(false);
  });

  it('finds keys whatever their case, tag keys included', () => {
    const Condition = { StringEquals: { 'AWS:resourcetag/ENV': 'prod', 'aws:principaltag/TEAM': 'db' } };
    expect(
      applies({ Condition }, { principal: tagged('db'), context: { 'aws:ResourceTag/Env': 'prod' } }),
    ).toBe(true);
  });

  it('takes two tags that differ in case for one key with two values, which no plain operator matches', () => {
    const context = { 'aws:ResourceTag/env': 'prod', 'aws:ResourceTag/Env': 'test' };
    expect(applies({ Condition: { StringEquals: { 'aws:ResourceTag/env': 'prod' } } }, { context })).toBe(
      false,
    );
  });

  it('knows no context key that every object has', () => {
    for (const key of ['constructor', '__proto__', 'toString']) {
      expect(applies({ Condition: JSON.parse(`{"Null":{"${key}":"true"}}`) })).toBe(true);
    }
  });

  it('finds operators whatever their case', () => {
    expect(holds('STRINGEQUALSIFEXISTS', 'v')).toBe(true);
    expect(holds('forallvalues:stringequals', ['a'], ['a'])).toBe(true);
  });
});

describe('POLICY.md 4, the table of absent and empty values', () => {
  it('has an absent key', () => {
    expect(holds('StringEquals', 'v')).toBe(false);
    expect(holds('StringNotEquals', 'v')).toBe(true);
    expect(holds('StringEqualsIfExists', 'v')).toBe(true);
    expect(holds('StringEqualsIfExists', 'v', 'w')).toBe(false);
    expect(holds('ForAnyValue:StringEquals', 'v')).toBe(false);
    expect(holds('ForAnyValue:StringNotEquals', 'v')).toBe(false);
    expect(holds('ForAllValues:StringEquals', 'v')).toBe(true);
    expect(holds('Null', 'true')).toBe(true);
    expect(holds('Null', 'false')).toBe(false);
    expect(holds('Null', false, 'v')).toBe(true);
  });

  it('has an empty set of values', () => {
    expect(holds('ForAnyValue:StringEquals', 'v', [])).toBe(false);
    expect(holds('ForAllValues:StringEquals', 'v', [])).toBe(true);
    expect(holds('Null', 'true', [])).toBe(true);
  });

  it('has an empty string', () => {
    expect(holds('StringEquals', '', '')).toBe(true);
    expect(holds('StringNotEquals', '', '')).toBe(false);
    expect(holds('StringEqualsIfExists', 'v', '')).toBe(false);
    expect(holds('ForAnyValue:StringEquals', '', '')).toBe(false);
    expect(holds('ForAllValues:StringEquals', 'v', '')).toBe(true);
    expect(holds('Null', 'true', '')).toBe(true);
    expect(holds('Null', 'false', '')).toBe(false);
  });

  it('has plain operators not match several values, and set operators take one for a set of one', () => {
    expect(holds('StringEquals', 'v', ['v', 'w'])).toBe(false);
    expect(holds('StringNotEquals', 'x', ['v', 'w'])).toBe(false);
    expect(holds('ForAnyValue:StringEquals', 'v', 'v')).toBe(true);
    expect(holds('ForAllValues:StringEquals', 'v', 'w')).toBe(false);
  });

  it('has ForAnyValue for some value, ForAllValues for each', () => {
    expect(holds('ForAnyValue:StringEquals', ['a', 'b'], ['x', 'b'])).toBe(true);
    expect(holds('ForAllValues:StringEquals', ['a', 'b'], ['x', 'b'])).toBe(false);
    expect(holds('ForAllValues:StringEquals', ['a', 'b'], ['a', 'b'])).toBe(true);
    expect(holds('ForAnyValue:StringNotEquals', ['a', 'b'], ['a', 'x'])).toBe(true);
    expect(holds('ForAnyValue:StringNotEquals', ['a', 'b'], ['a', 'b'])).toBe(false);
    expect(holds('ForAllValues:StringNotLike', ['a*'], ['ab', 'x'])).toBe(false);
  });
});

describe('POLICY.md 4, operators', () => {
  it.each([
    ['StringEquals', 'a', 'a', true],
    ['StringEquals', 'a', 'A', false],
    ['StringEquals', '*', 'a', false],
    ['StringNotEquals', 'a', 'A', true],
    ['StringEqualsIgnoreCase', 'ALICE', 'alice', true],
    ['StringEqualsIgnoreCase', '*', 'a', false],
    ['StringEqualsIgnoreCase', 'stra\u00dfe', 'STRASSE', false],
    ['StringEqualsIgnoreCase', '\u03c3', '\u03c2', true],
    ['StringEqualsIgnoreCase', 'i', '\u0131', false],
    ['StringNotEqualsIgnoreCase', 'A', 'a', false],
    ['StringLike', 'a*', 'abc', true],
    ['StringLike', 'A*', 'abc', false],
    ['StringNotLike', 'a*', 'abc', false],
    ['NumericLessThan', '3600', '900', true],
    ['NumericLessThan', '900', '3600', false],
    ['NumericLessThanEquals', '900', '900.0', true],
    ['NumericGreaterThan', '9', '10', true],
    ['NumericGreaterThanEquals', '-1', '-1', true],
    ['NumericEquals', '10', '10abc', false],
    ['NumericEquals', '0', '', false],
    ['NumericEquals', '10', '0x0a', false],
    ['NumericNotEquals', '1', '2', true],
    ['DateGreaterThan', '2026-11-24T12:00:00Z', '2026-11-24T12:30:00+01:00', false],
    ['DateLessThan', '2026-11-24T12:00:00Z', '2026-11-24T12:30:00+01:00', true],
    ['DateEquals', '2026-11-24T00:00:00Z', '1795478400', true],
    ['DateEquals', '1795478400', '2026-11-24', true],
    ['DateLessThanEquals', '2026-11', '2026-11-01T00:00:00.000Z', true],
    ['DateGreaterThanEquals', '2026', '2026-01-01T00:00Z', true],
    ['DateNotEquals', '2026-11-24', '2026-11-25', true],
    ['DateEquals', '2026-*', '2026-11-24', false],
    ['DateEquals', '2026-02-30', '2026-03-02', false],
    ['Bool', 'true', 'TRUE', true],
    ['Bool', 'True', 'true', true],
    ['Bool', 'false', 'yes', true],
    ['Bool', 'yes', 'yes', false],
    ['BinaryEquals', 'QUI=', 'QUI=', true],
    ['BinaryEquals', 'QUI=', 'QUJD', false],
    ['BinaryEquals', 'QUI', 'QUI', false],
    ['IpAddress', '203.0.113.0/24', '203.0.113.77', true],
    ['IpAddress', '203.0.113.0/24', '203.0.114.1', false],
    ['IpAddress', '128.0.0.0/1', '200.1.2.3', true],
    ['IpAddress', '203.0.113.7', '203.0.113.7', true],
    ['IpAddress', '203.0.113.7', '203.0.113.8', false],
    ['IpAddress', '0.0.0.0/0', '203.0.113.8', true],
    ['IpAddress', '2001:db8::1', '2001:0DB8:0:0:0:0:0:0001', true],
    ['IpAddress', '2001:db8::/33', '2001:db8:8000::1', false],
    ['IpAddress', '::/0', '2001:db8::1', true],
    ['IpAddress', '::ffff:0:0/96', '::ffff:10.0.0.1', true],
    ['IpAddress', '0.0.0.0/0', '2001:db8::1', false],
    ['IpAddress', '10.0.0.0/33', '10.0.0.1', false],
    ['IpAddress', '10.0.0.0/8', '10.0.0.256', false],
    ['NotIpAddress', '203.0.113.0/24', '203.0.113.77', false],
    ['NotIpAddress', '0.0.0.0/0', '2001:db8::1', true],
    ['ArnEquals', 'arn:aws:iam::*:role/*', 'arn:aws:iam::1:role/a:b/c', true],
    ['ArnLike', 'arn:aws:*:role/x', 'arn:aws:iam::1:role/x', false],
    ['ArnLike', 'arn:aws:iam::1:Role/x', 'arn:aws:iam::1:role/x', false],
    ['ArnNotEquals', 'arn:aws:iam::2:*', 'arn:aws:iam::1:role/x', true],
    ['ArnNotLike', 'arn:aws:iam::1:*', 'arn:aws:iam::1:role/x', false],
    ['ArnNotLike', 'arn:aws:iam::2:*', 'no ARN', false],
    ['ArnNotEquals', 'arn:aws:iam::2:*', 'no ARN', false],
    ['Null', 'false', 'v', true],
    ['Null', 'true', 'v', false],
  ])('%s %s with %s is %s', (operator, wanted, value, expected) => {
    expect(holds(operator, wanted, value)).toBe(expected);
  });
});

describe('POLICY.md 6, keys of the principal', () => {
  const username = (principal: Principal) => principalContext(principal).get('aws:username');

  it('are of a user, a session of a role, a federated user and the root user', () => {
    expect([...principalContext({ ...alice, tags: new Map([['Team', 'db']]) })]).toEqual([
      ['aws:PrincipalArn', alice.arn],
      ['aws:PrincipalAccount', ACCOUNT],
      ['aws:PrincipalType', 'User'],
      ['aws:userid', 'AIDAALICE'],
      ['aws:username', 'alice'],
      ['aws:PrincipalTag/Team', 'db'],
    ]);
    expect(principalContext(jane).get('aws:PrincipalArn')).toBe(`arn:aws:iam::${ACCOUNT}:role/Ops`);
    expect(principalContext(jane).get('aws:userid')).toBe('AROAOPS:jane');
    expect([username({ ...jane, userName: 'jane' }), username(fred), username(root)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(principalContext(root).get('aws:PrincipalType')).toBe('Account');
  });

  it('cannot be overridden by the context of the request, also where the principal has none', () => {
    const Condition = { StringEquals: { 'aws:username': 'bob', 'aws:PrincipalTag/team': 'db' } };
    const context = { 'aws:username': 'bob', 'aws:PrincipalTag/team': 'db' };
    expect(decision({ Condition }, { principal: jane, context })).toBe('ImplicitDeny');
    expect(decision({ Condition }, { principal: alice, context })).toBe('ImplicitDeny');
  });
});
