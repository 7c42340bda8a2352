/** Rows of FEATURES.md that are about who may do what. */
import { describe, expect, test } from 'vitest';
import type { IamDocument } from '../../src/service/index.ts';
import {
  ARN,
  credentialsOf,
  deniedText,
  type IamWorld,
  iamWorld,
  OTHER_NODE,
  policy,
  user,
} from './iam-world.ts';
import { ACCOUNT, JANE, NODE, type Peer, REGION, signedCall, WireNode } from './world.ts';

const ON = (Resource: string | string[], Condition?: object) =>
  policy({ Action: 'ssm:StartSession', Resource, ...(Condition && { Condition }) });
const OWN = policy({
  Action: ['ssm:ResumeSession', 'ssm:TerminateSession'],
  Resource: 'arn:aws:ssm:*:*:session/${aws:username}-*',
});

async function code(
  w: IamWorld,
  name: string,
  input: object = {},
  operation = 'StartSession',
): Promise<unknown> {
  const target = operation === 'StartSession' ? { Target: NODE } : {};
  return (await w.as(credentialsOf(name), operation, { ...target, ...input })).__type ?? 'ok';
}

test('A6: one node is allowed and another denied, and both calls leave an event', async () => {
  const w = iamWorld({ users: { jane: user('jane', { policies: [ON([ARN.node(), ARN.document()])] }) } });
  await w.node();
  await w.node(OTHER_NODE);
  expect(await code(w, 'jane')).toBe('ok');
  expect(await code(w, 'jane', { Target: OTHER_NODE })).toBe('AccessDeniedException');
  const calls = w.events.filter((event) => event.type === 'call');
  expect(calls).toMatchObject([
    { operation: 'StartSession', caller: ARN.user('jane') },
    { operation: 'StartSession', caller: ARN.user('jane'), errorCode: 'AccessDeniedException' },
  ]);
  expect(calls[0]).not.toHaveProperty('errorCode');
});

describe('B1, D3a: policies grant and revoke by', () => {
  test.each<[string, IamDocument, jane: unknown, bob: unknown]>([
    [
      'user and node',
      {
        users: {
          jane: user('jane', { policies: [ON([ARN.node(), ARN.document()])] }),
          bob: user('bob', { policies: [ON([ARN.node(OTHER_NODE), ARN.document()])] }),
        },
      },
      'ok',
      'AccessDeniedException',
    ],
    [
      'tag of the node',
      {
        users: {
          jane: user('jane', {
            policies: [
              ON(ARN.node(), { StringEquals: { 'ssm:resourceTag/Env': 'test' } }),
              ON(ARN.document()),
            ],
          }),
          bob: user('bob', {
            policies: [
              ON(ARN.node(), { StringEquals: { 'ssm:resourceTag/Env': 'production' } }),
              ON(ARN.document()),
            ],
          }),
        },
      },
      'ok',
      'AccessDeniedException',
    ],
    [
      // The most common error in the field: the document has no such tag.
      'tag of the node, in a statement for both',
      {
        users: {
          jane: user('jane', { policies: [ON('*', { StringEquals: { 'ssm:resourceTag/Env': 'test' } })] }),
          bob: user('bob', {
            policies: [ON('*', { StringEqualsIfExists: { 'ssm:resourceTag/Env': 'test' } })],
          }),
        },
      },
      'AccessDeniedException',
      'ok',
    ],
    [
      'document',
      {
        users: {
          jane: user('jane', { policies: [ON([ARN.node(), ARN.document()])] }),
          bob: user('bob', { policies: [ON([ARN.node(), 'arn:aws:ssm:*::document/AWS-StartSSHSession'])] }),
        },
      },
      'ok',
      'AccessDeniedException',
    ],
    [
      'tag of the user',
      {
        policies: {
          Team: ON('*', { StringEqualsIfExists: { 'aws:ResourceTag/Team': '${aws:PrincipalTag/team}' } }),
        },
        users: {
          jane: user('jane', { policies: ['Team'], tags: { Team: 'web' } }),
          bob: user('bob', { policies: ['Team'], tags: { Team: 'data' } }),
        },
      },
      'ok',
      'AccessDeniedException',
    ],
    [
      'group',
      {
        groups: { ops: { policies: [ON('*')] } },
        users: { jane: user('jane', { groups: ['ops'] }), bob: user('bob') },
      },
      'ok',
      'AccessDeniedException',
    ],
  ])('%s', async (_, document, forJane, forBob) => {
    const w = iamWorld(document);
    await w.node();
    await w.service.registerTarget({ id: NODE, tags: { Env: 'test', Team: 'web' } });
    expect([await code(w, 'jane'), await code(w, 'bob')]).toEqual([forJane, forBob]);
  });

  test('own sessions, and revoking takes effect at the next call; terminate cuts a running one', async () => {
    const users = (members: object) => ({
      users: { jane: user('jane', members), bob: user('bob', { policies: [OWN] }) },
    });
    const w = iamWorld(users({ policies: [ON('*'), OWN] }));
    const node = await w.node();
    const { SessionId } = await w.as(credentialsOf('jane'), 'StartSession', { Target: NODE });
    await node.joinReady(SessionId as string);
    expect(await code(w, 'bob', { SessionId }, 'TerminateSession')).toBe('AccessDeniedException');
    w.put(users({ policies: [OWN] }));
    expect(await code(w, 'jane')).toBe('AccessDeniedException');
    expect(await code(w, 'jane', { SessionId }, 'TerminateSession')).toBe('ok');
    expect(node.control.types).toContain('channel_closed');
  });
});

test('B3c: somebody new with a policy starts at once: no key, nothing on the node', async () => {
  const w = iamWorld({ groups: { ops: { policies: [ON('*')] } } });
  const node = await w.node();
  expect(await code(w, 'jane')).toBe('UnrecognizedClientException');
  w.put({ groups: { ops: { policies: [ON('*')] } }, users: { jane: user('jane', { groups: ['ops'] }) } });
  expect(await code(w, 'jane')).toBe('ok');
  expect(node.control.types).toEqual(['interactive_shell']);
});

test('C3: an administrator revokes a user while a session runs, and ends it', async () => {
  const admin = user('admin', { policies: [policy({ Action: 'ssm:TerminateSession', Resource: '*' })] });
  const w = iamWorld({ users: { admin, jane: user('jane', { policies: [ON('*'), OWN] }) } });
  const node = await w.node();
  const session = await w.as(credentialsOf('jane'), 'StartSession', { Target: NODE });
  const client: Peer = await w.client(session as never);
  await node.joinReady(session.SessionId as string);
  w.put({ users: { admin, jane: user('jane') } });
  expect(await code(w, 'jane')).toBe('AccessDeniedException');
  expect(client.closed).toBeUndefined();
  expect(await code(w, 'admin', { SessionId: session.SessionId }, 'TerminateSession')).toBe('ok');
  expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'UserTerminated' }]);
});

describe('C4, D2b: a list shows the nodes that somebody may start on', () => {
  const document: IamDocument = {
    users: {
      jane: user('jane', { policies: [ON([ARN.node(), ARN.document()])] }),
      bob: user('bob', {
        policies: [ON('*'), policy({ Effect: 'Deny', Action: '*', Resource: ARN.document() })],
      }),
    },
  };
  const ids = [NODE, OTHER_NODE];

  test('and a click on one of them works', async () => {
    const w = iamWorld(document);
    for (const id of ids) await w.node(id);
    const jane = w.iam.principal(ARN.user('jane'))!;
    const each = await w.service.canStartEach(jane, ids);
    const shown = ids.filter((id) => each.get(id)?.allowed);
    expect(shown).toEqual([NODE]);
    expect(await code(w, 'jane', { Target: shown[0] })).toBe('ok');
    expect(await code(w, 'jane', { Target: OTHER_NODE })).toBe('AccessDeniedException');
  });

  test('with the decision about node and document', async () => {
    const w = iamWorld(document);
    const [jane, bob] = ['jane', 'bob'].map((name) => w.iam.principal(ARN.user(name))!);
    const identity = { policyType: 'identity-based policy' };
    expect(await w.service.canStart(jane!, NODE)).toEqual({
      allowed: true,
      target: { effect: 'Allow' },
      document: { effect: 'Allow' },
    });
    expect(await w.service.canStart(jane!, OTHER_NODE, 'AWS-StartSSHSession')).toEqual({
      allowed: false,
      target: { effect: 'ImplicitDeny', ...identity },
      document: { effect: 'ImplicitDeny', ...identity },
    });
    expect(await w.service.canStart(bob!, NODE)).toEqual({
      allowed: false,
      target: { effect: 'Allow' },
      document: { effect: 'ExplicitDeny', ...identity },
    });
    expect((await w.service.canStart(bob!, NODE, 'AWS-StartSSHSession')).allowed).toBe(true);
  });

  test('with session policies, tags and address, for the record of a key', async () => {
    const key = { accessKeyId: 'ASIAJANE', secretAccessKey: 's', sessionToken: 't' };
    const narrow = ON('*', { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } });
    const sessions = [{ name: 'jane', ...key, policies: [narrow] }];
    const w = iamWorld({ roles: { Ops: { policies: [ON('*')], sessions } } });
    const record = w.iam.credentials('ASIAJANE')!;
    const from = async (remoteAddress: string) =>
      (await w.service.canStart(record, NODE, undefined, { remoteAddress })).allowed;
    expect([await from('192.0.2.1'), await from('198.51.100.1')]).toEqual([true, false]);
  });

  test('and asks the same as StartSession, whatever the node and the document are', async () => {
    const w = iamWorld(document);
    for (const id of ids) await w.node(id);
    for (const name of ['jane', 'bob']) {
      for (const Target of [...ids, 'i-0123456789abcdef0']) {
        for (const DocumentName of [undefined, 'AWS-StartSSHSession', 'SSM-SessionManagerRunShell']) {
          const { allowed } = await w.service.canStart(
            w.iam.principal(ARN.user(name))!,
            Target,
            DocumentName,
          );
          const answer = await code(w, name, { Target, ...(DocumentName && { DocumentName }) });
          expect([name, Target, DocumentName, allowed]).toEqual([
            name,
            Target,
            DocumentName,
            answer !== 'AccessDeniedException',
          ]);
        }
      }
    }
  });

  test('and knows no document that is not there', async () => {
    const w = iamWorld(document);
    const jane = w.iam.principal(ARN.user('jane'))!;
    await expect(w.service.canStart(jane, NODE, 'Acme-Nothing')).rejects.toMatchObject({
      code: 'ERR_UNKNOWN_DOCUMENT',
    });
  });
});

test('D3b: access for one shift, by the clock of the service', async () => {
  const shift = ON('*', {
    DateGreaterThanEquals: { 'aws:CurrentTime': '2026-01-01T08:00:00Z' },
    DateLessThan: { 'aws:CurrentTime': '2026-01-01T16:00:00Z' },
  });
  const w = iamWorld({ users: { jane: user('jane', { policies: [shift] }) } });
  await w.node();
  const at = async (hours: number) => {
    await w.clock.advance(hours * 3_600_000);
    return code(w, 'jane');
  };
  expect([await at(7), await at(1), await at(7.5), await at(0.5)]).toEqual([
    'AccessDeniedException',
    'ok',
    'ok',
    'AccessDeniedException',
  ]);
});

test('D9: who may run one document alone may start no shell', async () => {
  const own = policy({ Action: 'ssm:CreateDocument', Resource: '*' });
  const w = iamWorld({
    users: {
      jane: user('jane', { policies: [ON([ARN.node(), ARN.document('Acme-Tail')])] }),
      admin: user('admin', { policies: [own] }),
    },
  });
  await w.node();
  const Content = JSON.stringify({
    schemaVersion: '1.0',
    sessionType: 'InteractiveCommands',
    parameters: { logpath: { type: 'String', allowedPattern: '^/var/log/[a-z.-]+$' } },
    properties: { linux: { commands: 'tail -f {{ logpath }}', runAsElevated: false } },
  });
  expect(
    await code(w, 'admin', { Name: 'Acme-Tail', Content, DocumentType: 'Session' }, 'CreateDocument'),
  ).toBe('ok');
  const tail = (value: string) => ({ DocumentName: 'Acme-Tail', Parameters: { logpath: [value] } });
  expect(await code(w, 'jane', tail('/var/log/syslog'))).toBe('ok');
  expect(await code(w, 'jane', tail('/var/log/x;id'))).toBe('InvalidParameters');
  expect(await code(w, 'jane')).toBe('AccessDeniedException');
  expect(
    await code(w, 'jane', { DocumentName: 'AWS-StartInteractiveCommand', Parameters: { command: ['sh'] } }),
  ).toBe('AccessDeniedException');
});

test('E8: four refusals in turn, and the agent’s inbox is empty each time; then one message to start', async () => {
  const users = (members: object) => ({ users: { jane: user('jane', members) } });
  const w = iamWorld(users({}), { limits: { sessionsPerCaller: 1 } });
  const node = await w.node();
  const inbox = () => node.control.types;
  const forged = { ...JANE, secretAccessKey: 'wrong' };
  const call = await signedCall('StartSession', `{"Target":"${NODE}"}`, forged, w.clock.now());
  const answer = await w.clock.runUntil(w.service.fetch(call));
  expect([answer.headers.get('x-amzn-errortype'), inbox()]).toEqual(['InvalidSignatureException', []]);
  expect([await code(w, 'jane'), inbox()]).toEqual(['AccessDeniedException', []]);

  w.put(users({ policies: [ON('*')] }));
  const other = await w.node(OTHER_NODE);
  expect(await code(w, 'jane', { Target: OTHER_NODE })).toBe('ok');
  expect([await code(w, 'jane'), inbox()]).toEqual(['BadRequest', []]);
  other.control.socket.close();

  await w.clock.advance(61_000); // that session could not connect
  node.control.socket.close();
  await w.settle();
  expect([await code(w, 'jane'), inbox()]).toEqual(['TargetNotConnected', []]);

  const again = new WireNode(NODE, w.clock, w.transport);
  await again.connect();
  expect(await code(w, 'jane')).toBe('ok');
  expect(again.control.types).toEqual(['interactive_shell']);
});

describe('run as: the tag SSMSessionRunAs of', () => {
  const key = { accessKeyId: 'ASIAJANE', secretAccessKey: 's', sessionToken: 't' };
  test.each<[string, IamDocument, runAs: string]>([
    [
      'a user',
      { users: { jane: { policies: [ON('*')], tags: { SSMSessionRunAs: 'web' }, accessKeys: [key] } } },
      'web',
    ],
    [
      'a role',
      {
        roles: {
          Ops: {
            policies: [ON('*')],
            tags: { SSMSessionRunAs: 'ops' },
            sessions: [{ name: 'jane', ...key }],
          },
        },
      },
      'ops',
    ],
    [
      'the session of a role, which goes before the role’s',
      {
        roles: {
          Ops: {
            policies: [ON('*')],
            tags: { SSMSessionRunAs: 'ops' },
            sessions: [{ name: 'jane', tags: { SSMSessionRunAs: 'web' }, ...key }],
          },
        },
      },
      'web',
    ],
  ])('%s', async (_, document, runAs) => {
    const w = iamWorld(document);
    const node = await w.node();
    await w.as(key, 'StartSession', { Target: NODE });
    const [task] = node.control.json('interactive_shell');
    expect(JSON.parse(task?.Content as string).RunAsUser).toBe(runAs);
  });
});

test('a hybrid node that the directory does not know may do nothing but what its own agent needs', async () => {
  const w = iamWorld({});
  const node = {
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Fleet/${NODE}`,
    userId: `AROA:${NODE}`,
    accountId: ACCOUNT,
  };
  const ask = (action: string, target = NODE, principal = node) =>
    w.iam.authorize({
      principal,
      action,
      resource: `arn:aws:kms:${REGION}:${ACCOUNT}:key/1`,
      context: new Map([['kms:EncryptionContext:aws:ssm:TargetId', target]]),
    });
  expect(await ask('kms:Decrypt')).toEqual({ effect: 'Allow' });
  expect(await ask('kms:Decrypt', OTHER_NODE)).toMatchObject({ effect: 'ImplicitDeny' });
  expect(await ask('kms:GenerateDataKey')).toMatchObject({ effect: 'ImplicitDeny' });
  expect((await w.service.canStart(node, NODE)).allowed).toBe(false);
  w.put({ serviceControlPolicies: [[policy({ Effect: 'Deny', Action: 'kms:*', Resource: '*' })]] });
  expect(await ask('kms:Decrypt')).toMatchObject({ effect: 'ExplicitDeny' });
  const boundary = policy({ Action: 'ssm:*', Resource: '*' });
  w.put({ roles: { Fleet: { boundary } } });
  expect(await ask('kms:Decrypt')).toMatchObject({ policyType: 'permissions boundary' });
  w.put({});
  const stranger = { ...node, arn: node.arn.replace(ACCOUNT, '444455556666'), accountId: '444455556666' };
  expect(await ask('kms:Decrypt', NODE, stranger)).toMatchObject({ policyType: 'resource-based policy' });
});

test('a denied node is told in the words of the first check', async () => {
  const w = iamWorld({ users: { jane: user('jane') } });
  const { message } = await w.as(credentialsOf('jane'), 'StartSession', { Target: NODE });
  expect(message).toBe(deniedText(ARN.user('jane'), 'ssm:StartSession', ARN.node()));
});
