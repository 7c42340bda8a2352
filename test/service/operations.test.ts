import { describe, expect, test } from 'vitest';
import type { AuthorizationRequest, Authorizer } from '../../src/policy/index.ts';
import { connected, JANE, jane, NODE, type World, world } from './world.ts';

async function refusal(w: World, operation: string, input: object) {
  const { status, headers, body } = await w.call(operation, input);
  return { status, type: headers.get('x-amzn-errortype'), text: body.message };
}

describe('StartSession', () => {
  test('answers at once with a session, a token and where to use it', async () => {
    const w = world();
    const node = await w.node();
    const session = await w.start({ Reason: 'ticket 7' });
    expect(session.SessionId).toMatch(/^jane-[a-z2-7]{26}$/);
    expect(session.TokenValue.length).toBeLessThanOrEqual(300);
    expect(session.StreamUrl).toBe(
      `ws://service.test/v1/data-channel/${session.SessionId}?role=publish_subscribe`,
    );
    expect(node.control.types).toEqual(['interactive_shell']);
    const [task] = node.control.json('interactive_shell');
    expect(task).toMatchObject({ TaskId: session.SessionId, SchemaVersion: 1 });
    expect(JSON.parse(task?.Content as string)).toMatchObject({
      DocumentName: 'SSM-SessionManagerRunShell',
      DocumentContent: { schemaVersion: '1.0', sessionType: 'Standard_Stream' },
      SessionId: session.SessionId,
      Parameters: {},
      RunAsUser: '',
      SessionOwner: jane.arn,
    });
    expect(await w.status(session.SessionId)).toMatchObject({
      Target: NODE,
      Owner: jane.arn,
      Reason: 'ticket 7',
      DocumentName: 'SSM-SessionManagerRunShell',
      StartDate: Date.UTC(2026, 0, 1) / 1000,
    });
  });

  test('the stream URL can be somewhere else', async () => {
    const w = world({ streamUrl: 'wss://gateway.example.com' });
    await w.node();
    expect((await w.start()).StreamUrl).toMatch(/^wss:\/\/gateway\.example\.com\/v1\/data-channel\/jane-/);
  });

  test('takes the document by name or ARN, from what the host gave', async () => {
    const w = world({
      documents: { 'Acme-Shell': { schemaVersion: '1.0', sessionType: 'Standard_Stream' } },
    });
    await w.node();
    const arn = 'arn:aws:ssm:eu-central-1:111122223333:document/Acme-Shell';
    for (const DocumentName of ['Acme-Shell', arn]) {
      const { SessionId } = await w.start({ DocumentName });
      expect(await w.status(SessionId)).toMatchObject({ DocumentName: 'Acme-Shell' });
    }
    for (const DocumentName of ['Nobody-Shell', arn.replace('1111', '2222'), arn.replace('eu-', 'us-')]) {
      expect(await refusal(w, 'StartSession', { Target: NODE, DocumentName })).toEqual({
        status: 400,
        type: 'InvalidDocument',
        text: `Document with name ${DocumentName} does not exist.`,
      });
    }
  });

  test('refuses a target that is unknown or not connected', async () => {
    const w = world();
    await w.service.registerTarget({ id: NODE });
    for (const Target of [NODE, 'mi-00000000000000000']) {
      expect(await refusal(w, 'StartSession', { Target })).toEqual({
        status: 400,
        type: 'TargetNotConnected',
        text: `${Target} is not connected.`,
      });
    }
  });

  test('refuses parameters that the document does not declare', async () => {
    const w = world();
    await w.node();
    const input = { Target: NODE, Parameters: { portNumber: ['80'] } };
    expect(await refusal(w, 'StartSession', input)).toMatchObject({ type: 'InvalidParameters' });
    await w.start({ Parameters: {} });
  });

  test('refuses one session more than the target may have', async () => {
    const w = world({ limits: { sessionsPerTarget: 2 } });
    const node = await w.node();
    await w.start();
    const { SessionId } = await w.start();
    expect(await refusal(w, 'StartSession', { Target: NODE })).toMatchObject({ type: 'BadRequest' });
    await node.complete(SessionId);
    await w.start();
  });
});

describe('ResumeSession and TerminateSession', () => {
  test('a session that is ending or over is resumed without a token', async () => {
    const w = world();
    const { node, session } = await connected(w);
    const { SessionId } = session;
    await w.ok('TerminateSession', { SessionId });
    expect(await w.ok('ResumeSession', { SessionId })).toEqual({ SessionId, EndReason: 'UserTerminated' });
    await node.complete(SessionId, { ExitCode: 3 });
    const over = { SessionId, EndReason: 'UserTerminated', ExitCode: 3 };
    expect(await w.ok('ResumeSession', { SessionId })).toEqual(over);
  });

  test('whoever would resume a session learns how it ended, as soon as the node has said so', async () => {
    const w = world();
    const { node, agent, session } = await connected(w);
    const { SessionId } = session;
    await agent.sendMessage('agent_session_state', {
      SchemaVersion: 1,
      SessionState: 'Terminating',
      SessionId,
    });
    expect(await w.ok('ResumeSession', { SessionId })).toEqual({ SessionId, Status: 'Terminating' });
    await node.complete(SessionId, { ExitCode: 7, Output: 'done' });
    const over = { SessionId, EndReason: 'CommandExited', ExitCode: 7, Output: 'done' };
    expect(await w.ok('ResumeSession', { SessionId })).toEqual(over);
  });

  test.each(['ResumeSession', 'TerminateSession'])('%s refuses an unknown session', async (operation) => {
    expect(await refusal(world(), operation, { SessionId: 'jane-nothing' })).toEqual({
      status: 400,
      type: 'DoesNotExistException',
      text: 'Session jane-nothing does not exist.',
    });
  });
});

test('GetConnectionStatus says whether the control channel is open', async () => {
  const w = world();
  const status = async () => (await w.ok('GetConnectionStatus', { Target: NODE })).Status;
  expect(await status()).toBe('notconnected');
  const node = await w.node();
  expect(await status()).toBe('connected');
  expect(await w.service.targets()).toMatchObject([
    { id: NODE, connected: true, agentVersion: '3.3.0.0', platformType: 'linux' },
  ]);
  node.control.socket.close();
  await w.settle();
  expect(await status()).toBe('notconnected');
});

describe('authorization', () => {
  function asked(decide: (resource: string) => 'Allow' | 'ImplicitDeny' | 'ExplicitDeny' = () => 'Allow') {
    const requests: AuthorizationRequest[] = [];
    const authorize: Authorizer = (request) => {
      requests.push(request);
      const effect = decide(request.resource);
      return effect === 'Allow' ? { effect } : { effect, policyType: 'identity-based policy' };
    };
    return { requests, authorize };
  }

  test('asks for target and document, with the tags of each its own', async () => {
    const { requests, authorize } = asked();
    const w = world({ authorize });
    await w.node();
    await w.service.registerTarget({ id: NODE, tags: { Env: 'test' } });
    await w.start();
    expect(requests.map(({ action, resource }) => [action, resource])).toEqual([
      ['ssm:StartSession', `arn:aws:ssm:eu-central-1:111122223333:managed-instance/${NODE}`],
      ['ssm:StartSession', 'arn:aws:ssm:eu-central-1:111122223333:document/SSM-SessionManagerRunShell'],
    ]);
    expect(requests.map(({ context }) => context.get('ssm:resourceTag/Env'))).toEqual(['test', undefined]);
    expect(requests.map(({ context }) => context.get('ssm:SessionDocumentAccessCheck'))).toEqual([
      'true',
      'true',
    ]);
  });

  test('a denial comes before anything is said of the target', async () => {
    const { authorize } = asked(() => 'ImplicitDeny');
    const w = world({ authorize });
    expect(await refusal(w, 'StartSession', { Target: 'mi-00000000000000000' })).toEqual({
      status: 400,
      type: 'AccessDeniedException',
      text: `User: ${jane.arn} is not authorized to perform: ssm:StartSession on resource: arn:aws:ssm:eu-central-1:111122223333:managed-instance/mi-00000000000000000 because no identity-based policy allows the ssm:StartSession action`,
    });
    expect(await refusal(w, 'TerminateSession', { SessionId: 'x' })).toMatchObject({
      type: 'AccessDeniedException',
    });
  });

  test.each([
    ['both allowed', ['Allow', 'Allow'], 200],
    ['one allowed', ['ImplicitDeny', 'Allow'], 200],
    ['none allowed', ['ImplicitDeny', 'ImplicitDeny'], 400],
    ['one denied', ['Allow', 'ExplicitDeny'], 400],
  ] as const)('a session has two ARNs: %s', async (_, [byName, byUserId], status) => {
    const { requests, authorize } = asked((resource) =>
      resource.includes('session/jane-') ? byName : resource.includes('session/') ? byUserId : 'Allow',
    );
    const w = world({ authorize });
    await w.node();
    const { SessionId } = await w.start();
    requests.length = 0;
    expect((await w.call('TerminateSession', { SessionId })).status).toBe(status);
    expect(requests.map(({ resource }) => resource)).toEqual([
      `arn:aws:ssm:eu-central-1:111122223333:session/${SessionId}`,
      `arn:aws:ssm:eu-central-1:111122223333:session/AIDAJANE-${SessionId.slice(-26)}`,
    ]);
    expect(requests[0]?.context.get('ssm:resourceTag/aws:ssmmessages:session-id')).toBe('AIDAJANE');
    expect(requests[0]?.context.get('ssm:resourceTag/aws:ssmmessages:target-id')).toBe(NODE);
  });

  test('without an authorizer, only the account itself is allowed', async () => {
    const stranger = { ...jane, accountId: '999988887777' };
    const w = world({ credentials: () => ({ ...JANE, principal: stranger }) });
    expect(await refusal(w, 'GetConnectionStatus', { Target: NODE })).toMatchObject({
      type: 'AccessDeniedException',
    });
  });

  test('an authorizer that fails refuses, and tells the caller nothing', async () => {
    const w = world({
      authorize: () => {
        throw new Error('the policy database has a secret');
      },
    });
    expect(await refusal(w, 'DescribeSessions', { State: 'Active' })).toEqual({
      status: 500,
      type: 'InternalServerError',
      text: 'An error occurred on the server side.',
    });
    expect(w.events).toMatchObject([
      { type: 'error', error: { message: 'the policy database has a secret' } },
      { type: 'call', errorCode: 'InternalServerError' },
    ]);
  });
});

test('every call is told of, with its caller and outcome', async () => {
  const w = world();
  await w.ok('DescribeSessions', { State: 'Active' });
  await w.call('StartSession', { Target: NODE });
  expect(w.events).toMatchObject([
    { type: 'call', operation: 'DescribeSessions', caller: jane.arn },
    { type: 'call', operation: 'StartSession', caller: jane.arn, errorCode: 'TargetNotConnected' },
  ]);
});

test.each([
  ['61 idle minutes', { inputs: { idleSessionTimeout: '61' } }],
  ['no minutes at all', { inputs: { maxSessionDuration: '0' } }],
  ['1441 minutes', { inputs: { maxSessionDuration: 1441 } }],
])('a document with %s is refused when the service is made', (_, members) => {
  const document = { schemaVersion: '1.0', sessionType: 'Standard_Stream', ...members } as const;
  expect(() => world({ documents: { 'Acme-Shell': document } })).toThrow(
    expect.objectContaining({ code: 'ERR_DOCUMENT' }),
  );
});
