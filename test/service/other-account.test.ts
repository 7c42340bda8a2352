import { expect, test } from 'vitest';
import { parsePolicy, policyAuthorizer } from '../../src/policy/index.ts';
import { world } from './world.ts';

const OTHER = '444455556666';
const EVE = { accessKeyId: 'AKIAEVE', secretAccessKey: 'eve-secret' };
const eve = { arn: `arn:aws:iam::${OTHER}:user/eve`, userId: 'AIDAEVE', accountId: OTHER, userName: 'eve' };

test.each([
  ['DescribeSessions', { State: 'Active' }],
  ['DescribeInstanceInformation', {}],
  ['DescribeActivations', {}],
  ['ListDocuments', {}],
])(
  'the policies of another account do not open %s, which is on no resource in particular',
  async (operation, input) => {
    const everything = parsePolicy('identity', {
      Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
    });
    const w = world({
      callers: [{ ...EVE, principal: eve }],
      authorize: policyAuthorizer(() => ({ identity: [everything] })),
    });
    expect((await w.call(operation, input)).status).toBe(200);
    expect((await w.call(operation, input, EVE)).body.__type).toBe('AccessDeniedException');
  },
);
