import { expect, test } from 'vitest';
import { ACCOUNT, applies, holds, outcome, policy } from './world.ts';

test('a network in a request is within another only when all of it is', () => {
  expect(holds('IpAddress', '10.0.0.0/16', '10.0.0.0/8')).toBe(false);
  expect(holds('IpAddress', '10.0.0.0/8', '10.0.0.0/16')).toBe(true);
});

test('two spellings of a key are a list of both values, neither of which counts alone', () => {
  const context = { 'aws:ResourceTag/team': 'a', 'aws:ResourceTag/Team': 'b' };
  const said = (operator: string, value: string) => ({
    Condition: { [operator]: { 'aws:ResourceTag/team': value } },
  });
  for (const value of ['a', 'b']) {
    expect(applies(said('StringEquals', value), { context })).toBe(false);
    expect(applies(said('ForAnyValue:StringEquals', value), { context })).toBe(true);
  }
});

test('a resource of the account `aws` is in the account of the caller, or in the one that the context names', () => {
  const resource = 'arn:aws:iam::aws:policy/ReadOnlyAccess';
  const identity = [policy('identity', {})];
  expect(outcome({ identity }, { resource })).toBe('Allow');
  const of = (account: string) => ({ resource, context: { 'aws:ResourceAccount': account } });
  expect(outcome({ identity }, of(ACCOUNT))).toBe('Allow');
  expect(outcome({ identity }, of('444455556666'))).toBe('ImplicitDeny: resource-based policy');
});
