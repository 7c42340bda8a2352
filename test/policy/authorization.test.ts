import { expect, it } from 'vitest';
import { type AuthorizationRequest, allowAll, denialMessage } from '../../src/policy/index.ts';

const request: AuthorizationRequest = {
  principal: {
    arn: 'arn:aws:iam::111122223333:user/alice',
    userId: 'AIDAALICE',
    accountId: '111122223333',
    userName: 'alice',
  },
  action: 'ssm:StartSession',
  resource: 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0',
  context: new Map(),
};

it('allows everything with allowAll', async () => {
  expect(await allowAll(request)).toEqual({ effect: 'Allow' });
});

it('words an implicit deny as AWS does', () => {
  expect(denialMessage(request, { effect: 'ImplicitDeny', policyType: 'identity-based policy' })).toBe(
    'User: arn:aws:iam::111122223333:user/alice is not authorized to perform: ssm:StartSession on resource: arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0 because no identity-based policy allows the ssm:StartSession action',
  );
});

it('words an explicit deny as AWS does', () => {
  expect(denialMessage(request, { effect: 'ExplicitDeny', policyType: 'identity-based policy' })).toMatch(
    / with an explicit deny in an identity-based policy$/,
  );
  expect(denialMessage(request, { effect: 'ExplicitDeny', policyType: 'service control policy' })).toMatch(
    / with an explicit deny in a service control policy$/,
  );
});
