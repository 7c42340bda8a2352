import { expect, it } from 'vitest';
import { evaluate, parsePolicy } from '../../src/policy/index.ts';
import { awsDocument, DEFAULT_DOCUMENT, KEY, node, OWN, ownDocument, samples, session } from './samples.ts';
import { alice, type Context, jane, policy, request } from './world.ts';

type Row = readonly [
  action: string,
  resource: string,
  expected: 'yes' | 'no' | 'never',
  context?: Context,
  by?: 'jane',
];

const owner = (userId: string, target: string): Context => ({
  'ssm:resourceTag/aws:ssmmessages:session-id': userId,
  'ssm:resourceTag/aws:ssmmessages:target-id': target,
});
const finance = { 'ssm:resourceTag/Finance': 'WebServers', 'aws:ResourceTag/Finance': 'WebServers' };
const start = 'ssm:StartSession';
const terminate = 'ssm:TerminateSession';

// What its author expects of each: `never` is a Deny that nothing outweighs.
const rows: Readonly<Record<keyof typeof samples, readonly Row[]>> = {
  endUserQuickstart: [
    [start, node('i-one'), 'yes'],
    [start, node('i-two'), 'no'],
    [start, DEFAULT_DOCUMENT, 'yes'],
    [start, awsDocument('AWS-StartSSHSession'), 'no'],
    [terminate, session('alice-0a1b'), 'yes'],
    ['ssm:ResumeSession', session('bob-0a1b'), 'no'],
    ['ssmmessages:OpenDataChannel', session('alice-0a1b'), 'yes'],
    ['ssm:DescribeSessions', '*', 'yes'],
    ['kms:GenerateDataKey', KEY, 'yes'],
    ['kms:Decrypt', KEY, 'no'],
    // The session of a role has no aws:username.
    [terminate, session('jane-0a1b'), 'no', {}, 'jane'],
  ],
  administratorByTag: [
    [start, node('i-any'), 'yes', finance],
    [start, node('i-any'), 'yes', { 'SSM:ResourceTag/finance': 'WebServers' }],
    [start, node('i-any'), 'no', { 'ssm:resourceTag/Finance': 'Databases' }],
    [start, node('i-any'), 'no'],
    [start, DEFAULT_DOCUMENT, 'yes'],
    [terminate, session('alice-0a1b'), 'yes'],
  ],
  threeNodes: [
    [start, node('i-three'), 'yes'],
    [start, node('i-four'), 'no'],
    [start, DEFAULT_DOCUMENT, 'yes'],
  ],
  twoTags: [
    [
      start,
      node('i-any'),
      'yes',
      { 'ssm:resourceTag/tag-key1': 'tag-value1', 'ssm:resourceTag/tag-key2': 'tag-value2' },
    ],
    [start, node('i-any'), 'no', { 'ssm:resourceTag/tag-key1': 'tag-value1' }],
    [start, DEFAULT_DOCUMENT, 'yes'],
    // The tags of the node are not those of the document.
    [start, ownDocument('Other'), 'no'],
  ],
  describeAndOwnTerminate: [
    ['ssm:DescribeSessions', '*', 'yes'],
    [terminate, session('alice-0a1b'), 'yes'],
    // A name that begins with one's own is not told apart.
    [terminate, session('alice-smith-0a1b'), 'yes'],
    [terminate, session('bob-0a1b'), 'no'],
    [start, node('i-one'), 'no'],
  ],
  terminateByTarget: [
    [terminate, session('bob-1'), 'yes', owner('AIDABOB', 'i-two')],
    [terminate, session('bob-1'), 'no', owner('AIDABOB', 'i-three')],
    [terminate, session('bob-1'), 'no'],
  ],
  terminateByOwner: [
    [terminate, session('jane-1'), 'yes', owner('AROAOPS:jane', 'i-one'), 'jane'],
    [terminate, session('joe-1'), 'no', owner('AROAOPS:joe', 'i-one'), 'jane'],
    [terminate, session('alice-1'), 'yes', owner('AIDAALICE', 'i-one')],
  ],
  terminateByBoth: [
    [terminate, session('jane-1'), 'yes', owner('AROAOPS:jane', 'i-one'), 'jane'],
    [terminate, session('jane-1'), 'no', owner('AROAOPS:jane', 'i-two'), 'jane'],
    [terminate, session('joe-1'), 'no', owner('AROAOPS:joe', 'i-one'), 'jane'],
  ],
  fullAdmin: [
    [start, node('i-one'), 'yes'],
    ['ssm:DescribeSessions', '*', 'yes'],
    ['iam:PassRole', `arn:aws:iam::${OWN}:role/x`, 'yes'],
  ],
  onlyThisDocument: [
    [start, node('i-one'), 'yes', { 'ssm:SessionDocumentAccessCheck': 'true' }],
    [start, ownDocument('Restart'), 'yes', { 'ssm:SessionDocumentAccessCheck': 'true' }],
    [start, ownDocument('Restart'), 'yes'],
    [start, ownDocument('Restart'), 'no', { 'ssm:SessionDocumentAccessCheck': 'false' }],
    [start, DEFAULT_DOCUMENT, 'no', { 'ssm:SessionDocumentAccessCheck': 'true' }],
  ],
  allowSsh: [
    [start, node('i-one'), 'yes'],
    [start, awsDocument('AWS-StartSSHSession'), 'yes'],
    [start, DEFAULT_DOCUMENT, 'no'],
  ],
  denySsh: [
    [start, node('i-one'), 'yes'],
    [start, DEFAULT_DOCUMENT, 'yes'],
    [start, awsDocument('AWS-StartSSHSession'), 'never'],
  ],
  denyPreferenceChanges: [
    ['ssm:GetDocument', DEFAULT_DOCUMENT, 'yes'],
    ['ssm:UpdateDocument', ownDocument('Restart'), 'yes'],
    ['ssm:UpdateDocument', DEFAULT_DOCUMENT, 'never'],
  ],
  agentInstanceProfile: [
    ['ssmmessages:OpenControlChannel', '*', 'yes'],
    ['ssm:UpdateInstanceInformation', '*', 'yes'],
    [start, node('i-one'), 'no'],
    ['kms:Decrypt', KEY, 'yes'],
  ],
};

const EFFECTS = { yes: 'Allow', no: 'ImplicitDeny', never: 'ExplicitDeny' };

const cases = Object.entries(rows).flatMap(([name, list]) =>
  list.map(([action, resource, expected, context, by]) => ({
    name,
    action,
    resource,
    expected,
    context,
    by,
  })),
);

it.each(cases)('POLICY.md 6, $name: $action on $resource: $expected', (row) => {
  const { name, action, resource, expected, context = {}, by } = row;
  const policies = {
    identity: [parsePolicy('identity', JSON.stringify(samples[name as keyof typeof samples]))],
    // What every key has: it leaves the decision to the policies of its account.
    ...(resource === KEY ? { resource: [policy('resource', { Principal: { AWS: OWN } })] } : {}),
  };
  const asked = request({ principal: by ? jane : alice, action, resource, context });
  expect(evaluate(policies, asked).effect).toBe(EFFECTS[expected]);
});

it('POLICY.md 6, time-bound access: windows, expiry and revocation are conditions', () => {
  const said = [
    { Condition: { DateGreaterThan: { 'aws:CurrentTime': '2026-11-24T08:00:00Z' } } },
    { Effect: 'Deny', Condition: { DateGreaterThan: { 'aws:CurrentTime': '2026-11-24T17:00:00Z' } } },
    { Effect: 'Deny', Condition: { DateLessThan: { 'aws:TokenIssueTime': '2026-11-24T09:00:00Z' } } },
  ];
  const policies = { identity: [policy('identity', said)] };
  const at = (time: string, issued: string) =>
    evaluate(policies, request({ context: { 'aws:CurrentTime': time, 'aws:TokenIssueTime': issued } }))
      .effect;
  expect(at('2026-11-24T12:00:00Z', '2026-11-24T10:00:00Z')).toBe('Allow');
  expect(at('2026-11-24T07:00:00Z', '2026-11-24T10:00:00Z')).toBe('ImplicitDeny');
  expect(at('2026-11-24T17:00:01Z', '2026-11-24T10:00:00Z')).toBe('ExplicitDeny');
  expect(at('2026-11-24T12:00:00Z', '2026-11-24T08:59:59Z')).toBe('ExplicitDeny');
});
