/** Running sessions that may go on no more. */
import { describe, expect, test } from 'vitest';
import type { Credentials } from '../../src/crypto/index.ts';
import type { Decision } from '../../src/policy/index.ts';
import { memoryStore, type RoleSessionDocument } from '../../src/service/index.ts';
import { credentialsOf, EVERYTHING, type IamWorld, iamWorld, policy, user } from './iam-world.ts';
import { JANE, jane, NODE, nodeCredentials, signedCall, type WorldOptions, world } from './world.ts';

const START = policy({ Action: 'ssm:*Session', Resource: '*' });
const TEXT = 'Your access has ended, and your session has been terminated.';

const janes = (members: object) => ({
  users: { jane: user('jane', members), admin: user('admin', { policies: [EVERYTHING] }) },
});

async function running(w: IamWorld, who: Credentials = credentialsOf('jane')) {
  const node = await w.node();
  const session = await w.as(who, 'StartSession', { Target: NODE });
  const client = await w.client(session as never);
  const agent = await node.joinReady(session.SessionId as string);
  return { node, client, agent, id: session.SessionId as string };
}

/** As who signs has them. */
function withoutDate({ accessKeyId, secretAccessKey, sessionToken }: RoleSessionDocument): Credentials {
  return { accessKeyId, secretAccessKey, sessionToken: sessionToken! };
}

function revoked(w: IamWorld): string[] {
  return w.events.flatMap((event) =>
    event.type === 'session' && event.endReason === 'AccessRevoked' ? [event.status] : [],
  );
}

describe('with endRevokedSessions a running session ends', () => {
  test.each<[string, (w: IamWorld) => void]>([
    ['when its owner may start it no more', (w) => w.put(janes({}))],
    [
      'when its owner is denied it',
      (w) =>
        w.put(
          janes({ policies: [START, policy({ Effect: 'Deny', Action: 'ssm:StartSession', Resource: '*' })] }),
        ),
    ],
    ['when its owner is gone', (w) => w.put({ users: { admin: user('admin', { policies: [EVERYTHING] }) } })],
    [
      'when the key of its owner is that of somebody else',
      (w) =>
        w.put({
          users: {
            mallory: user('jane', { policies: [START] }),
            admin: user('admin', { policies: [EVERYTHING] }),
          },
        }),
    ],
    ['when the key of its owner is gone', (w) => w.put(janes({ policies: [START], accessKeys: [] }))],
  ])('%s, at once', async (_, change) => {
    const w = iamWorld(janes({ policies: [START] }), { endRevokedSessions: true });
    const { node, client, id } = await running(w);
    change(w);
    await w.settle();
    expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'AccessRevoked', Output: TEXT }]);
    expect(client.closed).toBeDefined();
    expect(node.control.types).toContain('channel_closed');
    await node.complete(id);
    expect(revoked(w)).toEqual(['Terminating', 'Terminated']);
    const { Sessions } = await w.as(credentialsOf('admin'), 'DescribeSessions', { State: 'History' });
    expect(Sessions).toMatchObject([{ SessionId: id, Status: 'Terminated' }]);
  });

  test('and no other one does', async () => {
    const w = iamWorld(
      { users: { jane: user('jane', { policies: [START] }), bob: user('bob', { policies: [START] }) } },
      { endRevokedSessions: true },
    );
    const hers = await running(w);
    const his = await running(w, credentialsOf('bob'));
    w.put({ users: { jane: user('jane'), bob: user('bob', { policies: [START] }) } });
    await w.settle();
    expect([hers.client.closed !== undefined, his.client.closed]).toEqual([true, undefined]);
  });

  test('when a tag of its node that its policy asks for is changed', async () => {
    const tagged = policy(
      {
        Action: 'ssm:StartSession',
        Resource: '*',
        Condition: { StringEqualsIfExists: { 'ssm:resourceTag/Env': 'test' } },
      },
      { Action: 'ssm:AddTagsToResource', Resource: '*' },
    );
    const w = iamWorld(janes({ policies: [tagged] }), {
      endRevokedSessions: true,
      timers: { recheck: 10_000 },
    });
    const { client } = await running(w);
    await w.as(credentialsOf('admin'), 'AddTagsToResource', {
      ResourceType: 'ManagedInstance',
      ResourceId: NODE,
      Tags: [{ Key: 'Env', Value: 'production' }],
    });
    await w.clock.advance(9_999);
    expect(client.closed).toBeUndefined();
    await w.clock.advance(1);
    expect(client.closed).toBeDefined();
  });

  test('D3b: when the time that its policy gives is over', async () => {
    const shift = policy({
      Action: 'ssm:*Session',
      Resource: '*',
      Condition: {
        DateGreaterThan: { 'aws:CurrentTime': '2025-12-31T00:00:00Z' },
        DateLessThan: { 'aws:CurrentTime': '2026-01-01T00:10:00Z' },
      },
    });
    const w = iamWorld(janes({ policies: [shift] }), { endRevokedSessions: true });
    const { client } = await running(w);
    await w.clock.advance(9 * 60_000);
    expect(client.closed).toBeUndefined();
    await w.clock.advance(60_000);
    expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'AccessRevoked' }]);
    const code = (await w.as(credentialsOf('jane'), 'StartSession', { Target: NODE })).__type;
    expect(code).toBe('AccessDeniedException');
  });

  test('D3b: when temporary credentials expire, and not when they have been renewed by then', async () => {
    const session = (n: number, minute: number) => ({
      name: 'jane',
      accessKeyId: `ASIAJANE${n}`,
      secretAccessKey: 's',
      sessionToken: 't',
      expiration: `2026-01-01T00:${minute}:00Z`,
    });
    const keys = [session(1, 15), session(2, 45)];
    const w = iamWorld(
      { roles: { Ops: { policies: [START], sessions: keys } } },
      { endRevokedSessions: true, timers: { idle: 3_600_000 } },
    );
    const { client } = await running(w, withoutDate(keys[0]!));
    const other = await running(w, withoutDate(keys[0]!));
    await w.clock.advance(14 * 60_000);
    await w.as(withoutDate(keys[1]!), 'ResumeSession', { SessionId: other.id });
    await w.clock.advance(60_000);
    expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'AccessRevoked' }]);
    expect(other.client.closed).toBeUndefined();
    await w.clock.advance(30 * 60_000);
    expect(other.client.json('channel_closed')).toMatchObject([{ EndReason: 'AccessRevoked' }]);
  });

  test('by the address from which it was started, which has not changed', async () => {
    const home = policy({
      Action: 'ssm:*Session',
      Resource: '*',
      Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } },
    });
    const w = iamWorld(janes({ policies: [home] }), { endRevokedSessions: true });
    await w.node();
    const start = async (remoteAddress: string) => {
      const call = await signedCall(
        'StartSession',
        `{"Target":"${NODE}"}`,
        credentialsOf('jane'),
        w.clock.now(),
      );
      const answer = await w.clock.runUntil(w.service.fetch(call, { remoteAddress }));
      return (await answer.json()) as Record<string, unknown>;
    };
    expect((await start('198.51.100.7')).__type).toBe('AccessDeniedException');
    const session = await start('192.0.2.7');
    await w.clock.advance(30_000);
    w.put(janes({ policies: [home] }));
    await w.settle();
    expect(revoked(w)).toEqual([]);
    expect(session.SessionId).toBeDefined();
  });

  test('after a restart, too', async () => {
    const store = memoryStore();
    const options: WorldOptions = { store, endRevokedSessions: true };
    const before = iamWorld(janes({ policies: [START] }), options);
    const { id } = await running(before);
    await before.service.close({ sessions: 'keep' });
    const after = iamWorld(janes({}), { ...options, clock: before.clock, seed: 8 });
    await after.service.resume();
    await after.clock.advance(60_000);
    expect((await store.sessions.get(id))?.value).toMatchObject({ endReason: 'AccessRevoked' });
  });
});

test('whoever resumed the session of somebody else loses its channel with the access, and the session goes on', async () => {
  const both = (members: object) => ({
    users: { jane: user('jane', { policies: [START] }), bob: user('bob', members) },
  });
  const w = iamWorld(both({ policies: [EVERYTHING] }), { endRevokedSessions: true });
  const { client: hers, id } = await running(w);
  const his = await w.client((await w.as(credentialsOf('bob'), 'ResumeSession', { SessionId: id })) as never);
  await w.clock.advance(60_000);
  expect([hers.closed !== undefined, his.closed]).toEqual([true, undefined]);
  w.put(both({}));
  await w.settle();
  expect(his.closed).toBeDefined();
  expect(w.events.flatMap((e) => (e.type === 'session' ? [e.status] : [])).at(-1)).toBe('Disconnected');
  const back = await w.client(
    (await w.as(credentialsOf('jane'), 'ResumeSession', { SessionId: id })) as never,
  );
  w.put({ users: { jane: user('jane', { policies: [START] }) } });
  await w.settle();
  expect([back.closed, revoked(w)]).toEqual([undefined, []]);
});

test('without it policies decide at the next call, and what runs goes on', async () => {
  const w = iamWorld(janes({ policies: [START] }));
  const { client, id } = await running(w);
  w.put(janes({}));
  await w.clock.advance(10 * 60_000);
  expect(client.closed).toBeUndefined();
  const codes: unknown[] = [];
  for (const operation of ['ResumeSession', 'TerminateSession']) {
    codes.push((await w.as(credentialsOf('jane'), operation, { SessionId: id })).__type);
  }
  expect(codes).toEqual(['AccessDeniedException', 'AccessDeniedException']);
});

test('a session that cannot be asked about goes on, and the host hears of it', async () => {
  let broken = false;
  const w = world({
    endRevokedSessions: true,
    authorize: (): Decision => {
      if (broken) throw new Error('the database is away');
      return { effect: 'Allow' };
    },
  });
  const node = await w.node();
  const session = await w.start();
  const client = await w.client(session);
  await node.joinReady(session.SessionId);
  broken = true;
  await w.clock.advance(59_000);
  expect(w.events.some(({ type }) => type === 'error')).toBe(false);
  await w.clock.advance(1_000);
  expect(client.closed).toBeUndefined();
  expect(w.events.filter(({ type }) => type === 'error')).toHaveLength(1);
});

test('a question that is never answered keeps no other session from ending', async () => {
  let begun = false;
  const w = world({
    endRevokedSessions: true,
    timers: { recheck: 10_000 },
    authorize: ({ principal }): Decision | Promise<Decision> => {
      if (begun && principal.userName === 'jane') return new Promise(() => {});
      return begun ? { effect: 'ImplicitDeny', policyType: 'identity-based policy' } : { effect: 'Allow' };
    },
    callers: [{ ...credentialsOf('bob'), principal: { ...jane, arn: `${jane.arn}/bob`, userName: 'bob' } }],
  });
  await w.node();
  await w.start();
  const { body } = await w.call('StartSession', { Target: NODE }, credentialsOf('bob'));
  begun = true;
  await w.clock.advance(20_000);
  expect(w.events.filter(({ type }) => type === 'error')).toHaveLength(1);
  const ended = w.events.flatMap((e) => (e.type === 'session' && e.endReason === 'AccessRevoked' ? [e] : []));
  expect(ended[0]).toMatchObject({ sessionId: body.SessionId });
});

test('a look asks twice for each session, however many changes there are meanwhile', async () => {
  let asked = 0;
  let changed = () => {};
  const w = world({
    endRevokedSessions: true,
    policyChanges: (listener) => {
      changed = listener;
      return () => {};
    },
    authorize: async () => {
      asked++;
      return { effect: 'Allow' };
    },
  });
  await w.node();
  for (let n = 0; n < 250; n++) await w.start();
  asked = 0;
  changed();
  for (let n = 0; n < 100; n++) changed();
  await w.clock.advance(1_000);
  expect(asked).toBe(2 * 2 * 250); // one look, and one for all that changed while it lasted
});

test('a service that is closed looks no more', async () => {
  const listeners = new Set<() => void>();
  const w = world({
    credentials: (id) =>
      id === JANE.accessKeyId
        ? { ...JANE, principal: jane }
        : { ...nodeCredentials(NODE), principal: jane, targetId: NODE },
    endRevokedSessions: true,
    policyChanges: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  expect(listeners.size).toBe(1);
  await w.service.close();
  expect(listeners.size).toBe(0);
  await w.clock.advance(24 * 3_600_000);
});
