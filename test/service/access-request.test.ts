/** Just-in-time access (CONTROL-PLANE.md section 2.9, POLICY.md section 6). */
import { describe, expect, test } from 'vitest';
import type { Credentials } from '../../src/crypto/index.ts';
import { type AccessRequest, memoryStore } from '../../src/service/index.ts';
import {
  ARN,
  credentialsOf,
  EVERYTHING,
  type IamWorld,
  iamWorld,
  OTHER_NODE,
  policy,
  user,
} from './iam-world.ts';
import { NODE, type WorldOptions } from './world.ts';

const ASK = policy({ Action: ['ssm:StartAccessRequest', 'ssm:GetAccessToken'], Resource: '*' });
const JANE = credentialsOf('jane');
const ADMIN = credentialsOf('admin');
const REASON = 'ticket 4711';

function jitWorld(options: WorldOptions = {}, policies: object[] = [ASK]): IamWorld {
  return iamWorld(
    {
      users: {
        jane: user('jane', { policies }),
        bob: user('bob', { policies: [ASK] }),
        admin: user('admin', { policies: [EVERYTHING] }),
      },
    },
    { approveAccess: () => 'Approved', ...options },
  );
}

const ask = (w: IamWorld, ids: string[] = [NODE], who: Credentials = JANE) =>
  w.as(who, 'StartAccessRequest', { Reason: REASON, Targets: [{ Key: 'InstanceIds', Values: ids }] });

const token = (w: IamWorld, AccessRequestId: unknown, who: Credentials = JANE) =>
  w.as(who, 'GetAccessToken', { AccessRequestId });

async function access(w: IamWorld, ids?: string[]): Promise<Credentials> {
  const { AccessRequestId } = await ask(w, ids);
  const { Credentials: given } = await token(w, AccessRequestId);
  const { AccessKeyId, SecretAccessKey, SessionToken } = given as Record<string, string>;
  return { accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey!, sessionToken: SessionToken! };
}

test('D3b: a request that is approved gives access to its node, for an hour, and the session says how', async () => {
  const requests: AccessRequest[] = [];
  const w = jitWorld({
    approveAccess: (request) => {
      requests.push(request);
      return 'Approved';
    },
  });
  const node = await w.node();
  expect((await w.as(JANE, 'StartSession', { Target: NODE })).__type).toBe('AccessDeniedException');

  const { AccessRequestId } = await ask(w);
  expect(AccessRequestId).toMatch(/^oi-[0-9a-f]{12}$/);
  expect(requests).toEqual([
    {
      accessRequestId: AccessRequestId,
      reason: REASON,
      targets: [NODE],
      requester: ARN.user('jane'),
      tags: {},
      created: w.clock.now(),
      expires: w.clock.now() + 24 * 3_600_000,
    },
  ]);
  const given = await token(w, AccessRequestId);
  expect(given).toEqual({
    AccessRequestStatus: 'Approved',
    Credentials: {
      AccessKeyId: expect.stringMatching(/^ASIA[A-Z]{16}$/),
      SecretAccessKey: expect.any(String),
      SessionToken: expect.any(String),
      ExpirationTime: w.clock.now() / 1000 + 3600,
    },
  });
  expect(await token(w, AccessRequestId)).toEqual(given);

  const credentials = await access(w);
  const session = await w.as(credentials, 'StartSession', { Target: NODE });
  expect(session.SessionId).toMatch(/^jane-/);
  await w.client(session as never);
  await node.joinReady(session.SessionId as string);
  const list = async (value: string) =>
    (await w.as(ADMIN, 'DescribeSessions', { State: 'Active', Filters: [{ key: 'AccessType', value }] }))
      .Sessions;
  expect(await list('JustInTime')).toMatchObject([
    { SessionId: session.SessionId, AccessType: 'JustInTime', Owner: ARN.user('jane') },
  ]);
  expect(await list('Standard')).toEqual([]);
});

describe('such credentials', () => {
  test('are limited by the session policies of those they were asked for with', async () => {
    const key = { accessKeyId: 'ASIAJANE', secretAccessKey: 's', sessionToken: 't' };
    const policies = [ASK, policy({ Action: 'ssm:StartSession', Resource: ARN.document('*') })];
    const w = iamWorld(
      { roles: { Ops: { policies: [EVERYTHING], sessions: [{ ...key, name: 'jane', policies }] } } },
      { approveAccess: () => 'Approved' },
    );
    await w.node();
    const { AccessRequestId } = await ask(w, [NODE], key);
    const { Credentials: given } = await token(w, AccessRequestId, key);
    const { AccessKeyId, SecretAccessKey, SessionToken } = given as Record<string, string>;
    const who = { accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey!, sessionToken: SessionToken! };
    const { __type, message } = await w.as(who, 'StartSession', { Target: NODE });
    expect(__type).toBe('AccessDeniedException');
    expect(message).toMatch('no session policy allows');
  });

  test('are good no more when the key that they were asked for with has become that of somebody else', async () => {
    const w = jitWorld();
    await w.node();
    const credentials = await access(w);
    w.put({ users: { mallory: user('jane', { policies: [EVERYTHING] }) } });
    const { __type } = await w.as(credentials, 'StartSession', { Target: NODE });
    expect(__type).toBe('UnrecognizedClientException');
  });

  test.each(['mi-*', 'mi-?123456789abcdef0'])('for a node called %s are for that one', async (id) => {
    const w = jitWorld();
    await w.node();
    await w.clock.runUntil(w.service.registerTarget({ id }));
    const credentials = await access(w, [id]);
    const code = async (Target: string) => (await w.as(credentials, 'StartSession', { Target })).__type;
    expect([await code(id), await code(NODE)]).toEqual(['TargetNotConnected', 'AccessDeniedException']);
  });

  test('of the root user are limited as those of everybody', async () => {
    const root = { accessKeyId: 'AKIAROOT', secretAccessKey: 'root-secret' };
    const w = iamWorld({ root: { accessKeys: [root] } }, { approveAccess: () => 'Approved' });
    await w.node();
    await w.node(OTHER_NODE);
    const { AccessRequestId } = await ask(w, [NODE], root);
    const { Credentials: given } = await token(w, AccessRequestId, root);
    const { AccessKeyId, SecretAccessKey, SessionToken } = given as Record<string, string>;
    const who = { accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey!, sessionToken: SessionToken! };
    const code = async (operation: string, input: object) =>
      (await w.as(who, operation, input)).__type ?? 'ok';
    expect(await code('StartSession', { Target: NODE })).toBe('ok');
    expect(await code('StartSession', { Target: OTHER_NODE })).toBe('AccessDeniedException');
    expect(await code('DescribeSessions', { State: 'Active' })).toBe('AccessDeniedException');
  });

  test('start sessions on the nodes that were asked for, resume and end their own, and do nothing else', async () => {
    const w = jitWorld({}, [EVERYTHING]);
    await w.node();
    await w.node(OTHER_NODE);
    const credentials = await access(w);
    const { SessionId } = await w.as(credentials, 'StartSession', { Target: NODE });
    const elsewhere = await w.as(ADMIN, 'StartSession', { Target: NODE });
    const hers = await w.as(JANE, 'StartSession', { Target: OTHER_NODE });
    const code = async (operation: string, input: object) =>
      (await w.as(credentials, operation, input)).__type ?? 'ok';
    expect({
      other: await code('StartSession', { Target: OTHER_NODE }),
      ssh: await code('StartSession', { Target: NODE, DocumentName: 'AWS-StartSSHSession' }),
      status: await code('GetConnectionStatus', { Target: NODE }),
      resume: await code('ResumeSession', { SessionId }),
      terminate: await code('TerminateSession', { SessionId }),
      admins: await code('TerminateSession', { SessionId: elsewhere.SessionId }),
      onOtherNode: await code('TerminateSession', { SessionId: hers.SessionId }),
      list: await code('DescribeSessions', { State: 'Active' }),
      ask: await code('StartAccessRequest', {
        Reason: 'more',
        Targets: [{ Key: 'InstanceIds', Values: [OTHER_NODE] }],
      }),
    }).toEqual({
      other: 'AccessDeniedException',
      ssh: 'ok',
      status: 'ok',
      resume: 'ok',
      terminate: 'ok',
      admins: 'AccessDeniedException',
      onOtherNode: 'AccessDeniedException',
      list: 'AccessDeniedException',
      ask: 'AccessDeniedException',
    });
    expect((await w.as(credentials, 'StartSession', { Target: OTHER_NODE })).message).toContain(
      'because no session policy allows the ssm:StartSession action',
    );
  });

  test('give nothing against a Deny, or beyond a boundary', async () => {
    for (const members of [
      { policies: [ASK, policy({ Effect: 'Deny', Action: 'ssm:StartSession', Resource: ARN.document() })] },
      { policies: [ASK], boundary: policy({ Action: 'ssm:*Access*', Resource: '*' }) },
    ]) {
      const w = iamWorld({ users: { jane: user('jane', members) } }, { approveAccess: () => 'Approved' });
      await w.node();
      const { __type } = await w.as(await access(w), 'StartSession', { Target: NODE });
      expect(__type).toBe('AccessDeniedException');
    }
  });

  test('are seen by policies as ssm:AccessRequestId', async () => {
    const unlessAsked = { Null: { 'ssm:AccessRequestId': 'true' } };
    const deny = policy({
      Effect: 'Deny',
      Action: 'ssm:StartSession',
      Resource: '*',
      Condition: unlessAsked,
    });
    const w = jitWorld({}, [EVERYTHING, deny]);
    await w.node();
    expect((await w.as(JANE, 'StartSession', { Target: NODE })).__type).toBe('AccessDeniedException');
    expect((await w.as(await access(w), 'StartSession', { Target: NODE })).__type).toBeUndefined();
  });

  test('expire', async () => {
    const w = jitWorld({ endRevokedSessions: true, timers: { idle: 24 * 3_600_000 } });
    const node = await w.node();
    const credentials = await access(w);
    const session = await w.as(credentials, 'StartSession', { Target: NODE });
    const client = await w.client(session as never);
    await node.joinReady(session.SessionId as string);
    await w.clock.advance(3_599_000);
    expect(client.closed).toBeUndefined();
    await w.clock.advance(60_000);
    expect((await w.as(credentials, 'StartSession', { Target: NODE })).__type).toBe('ExpiredTokenException');
    expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'AccessRevoked' }]);
  });

  test('are good no more when the access is revoked, or the key that it was asked for with is gone', async () => {
    const w = jitWorld();
    await w.node();
    const { AccessRequestId } = await ask(w);
    const credentials = await access(w);
    const { AccessRequestStatus } = await token(w, AccessRequestId);
    expect(AccessRequestStatus).toBe('Approved');
    await w.service.decideAccess(AccessRequestId as string, 'Revoked');
    expect(await token(w, AccessRequestId)).toEqual({ AccessRequestStatus: 'Revoked' });
    expect((await w.as(credentials, 'StartSession', { Target: NODE })).__type).toBeUndefined();
    w.put({ users: { jane: user('jane', { accessKeys: [] }) } });
    expect((await w.as(credentials, 'StartSession', { Target: NODE })).__type).toBe(
      'UnrecognizedClientException',
    );
  });

  test('that are revoked end their sessions at once, with endRevokedSessions', async () => {
    const w = jitWorld({ endRevokedSessions: true });
    await w.node();
    const { AccessRequestId } = await ask(w);
    const { Credentials: given } = await token(w, AccessRequestId);
    const { AccessKeyId, SecretAccessKey, SessionToken } = given as Record<string, string>;
    const credentials = {
      accessKeyId: AccessKeyId!,
      secretAccessKey: SecretAccessKey!,
      sessionToken: SessionToken!,
    };
    const client = await w.client((await w.as(credentials, 'StartSession', { Target: NODE })) as never);
    await w.service.decideAccess(AccessRequestId as string, 'Revoked');
    await w.settle();
    expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'AccessRevoked' }]);
  });
});

describe('a request waits', () => {
  test('until the hook has decided', async () => {
    let decide: (decision: 'Approved' | 'Rejected') => void = () => {};
    const w = jitWorld({
      approveAccess: () =>
        new Promise((resolve) => {
          decide = resolve;
        }),
    });
    await w.node();
    const { AccessRequestId } = await ask(w);
    expect(await token(w, AccessRequestId)).toEqual({ AccessRequestStatus: 'Pending' });
    decide('Rejected');
    await w.settle();
    expect(await token(w, AccessRequestId)).toEqual({ AccessRequestStatus: 'Rejected' });
    expect(w.events.flatMap((event) => (event.type === 'accessRequest' ? [event.status] : []))).toEqual([
      'Pending',
      'Rejected',
    ]);
  });

  test('until somebody else has, where the hook leaves it open or breaks', async () => {
    for (const approveAccess of [
      () => 'Pending' as const,
      () => Promise.reject(new Error('the chat is away')),
    ]) {
      const w = jitWorld({ approveAccess });
      await w.node();
      const id = (await ask(w)).AccessRequestId as string;
      expect(await token(w, id)).toEqual({ AccessRequestStatus: 'Pending' });
      await w.service.decideAccess(id, 'Approved');
      expect(await token(w, id)).toMatchObject({ AccessRequestStatus: 'Approved', Credentials: {} });
      await expect(w.service.decideAccess(id, 'Rejected')).rejects.toMatchObject({
        code: 'ERR_ACCESS_REQUEST_DECIDED',
      });
      await expect(w.service.decideAccess('oi-000000000000', 'Rejected')).rejects.toMatchObject({
        code: 'ERR_UNKNOWN_ACCESS_REQUEST',
      });
    }
  });

  test('for a day, and then it is too late', async () => {
    const w = jitWorld({ approveAccess: () => 'Pending' });
    await w.node();
    const id = (await ask(w)).AccessRequestId as string;
    await w.clock.advance(24 * 3_600_000);
    expect(await token(w, id)).toEqual({ AccessRequestStatus: 'Expired' });
    await expect(w.service.decideAccess(id, 'Approved')).rejects.toMatchObject({
      code: 'ERR_ACCESS_REQUEST_DECIDED',
    });
  });

  test('and outlives the service, whose successor asks again', async () => {
    const store = memoryStore();
    const before = jitWorld({ store, approveAccess: () => new Promise(() => {}) });
    await before.node();
    const { AccessRequestId } = await ask(before);
    await before.service.close({ sessions: 'keep' });
    const after = jitWorld({ store, clock: before.clock, seed: 9 });
    await after.service.resume();
    await after.settle();
    expect(await token(after, AccessRequestId)).toMatchObject({ AccessRequestStatus: 'Approved' });
  });
});

describe('refusals', () => {
  test.each<[string, object, string, string | RegExp]>([
    [
      'another kind of target',
      { Targets: [{ Key: 'tag:Env', Values: ['test'] }] },
      'ValidationException',
      /InstanceIds/,
    ],
    ['no target', { Targets: [] }, 'ValidationException', /InstanceIds/],
    ['no reason', { Reason: '' }, 'ValidationException', /'reason'/],
    [
      'a node that is not there',
      { Targets: [{ Key: 'InstanceIds', Values: ['mi-00000000000000000'] }] },
      'ResourceNotFoundException',
      'mi-00000000000000000 is not a managed node.',
    ],
  ])('%s', async (_, members, code, text) => {
    const w = jitWorld();
    await w.node();
    const input = { Reason: REASON, Targets: [{ Key: 'InstanceIds', Values: [NODE] }], ...members };
    const { __type, message } = await w.as(JANE, 'StartAccessRequest', input);
    expect(__type).toBe(code);
    expect(message).toMatch(text);
  });

  test('no approval hook: the words of AWS', async () => {
    const w = iamWorld({ users: { jane: user('jane', { policies: [ASK] }) } });
    await w.node();
    for (const answer of [await ask(w), await token(w, 'oi-000000000000')]) {
      expect(answer).toMatchObject({
        __type: 'ValidationException',
        message: 'Just-In-Time Node Access service is not enabled in this account.',
      });
    }
  });

  test('the request of somebody else, as one that is not there', async () => {
    const w = jitWorld();
    await w.node();
    const { AccessRequestId } = await ask(w);
    const text = async (id: unknown) => {
      const { __type, message } = await token(w, id, credentialsOf('bob'));
      return [__type, `${message}`.replace(`${id}`, 'ID')];
    };
    expect(await text(AccessRequestId)).toEqual([
      'ResourceNotFoundException',
      'There is no access request ID.',
    ]);
    expect(await text('oi-000000000000')).toEqual(await text(AccessRequestId));
  });

  test('more than limits.accessRequests; those that are decided make room', async () => {
    let decision: 'Pending' | 'Rejected' = 'Rejected';
    const w = jitWorld({ limits: { accessRequests: 2 }, approveAccess: () => decision });
    await w.node();
    const first = (await ask(w)).AccessRequestId;
    decision = 'Pending';
    await ask(w);
    expect((await ask(w)).__type).toBeUndefined();
    expect((await token(w, first)).__type).toBe('ResourceNotFoundException');
    expect((await ask(w)).__type).toBe('ServiceQuotaExceededException');
  });

  test('a key that looks like one of a request and is none', async () => {
    const w = jitWorld();
    const made = { accessKeyId: 'ASIAHJITAAAAAAAAAAAA', secretAccessKey: 's', sessionToken: 't' };
    expect((await w.as(made, 'StartSession', { Target: NODE })).__type).toBe('UnrecognizedClientException');
  });
});
