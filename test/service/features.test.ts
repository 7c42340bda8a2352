/** Rows A to E of the feature list that are about documents, preferences, limits and the life of sessions. */
import { describe, expect, test } from 'vitest';
import { type Authorizer, allowAll } from '../../src/policy/index.ts';
import {
  connected,
  JANE,
  jane,
  NODE,
  nodeCredentials,
  signedCall,
  WireNode,
  type World,
  world,
} from './world.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const EC2 = 'i-0123456789abcdef0';
const EDGE = 'mi-0fedcba9876543210';
const TASK = 'ecs:web_cluster_0123456789abcdef_0123456789abcdef-42';
const OTHER_NODE = { callers: [EC2, TASK].map(nodeCaller) };

function nodeCaller(id: string) {
  return { ...nodeCredentials(id), principal: { ...jane, arn: `${jane.arn}/${id}` }, targetId: id };
}

async function refusal(w: World, operation: string, input: object) {
  const { body } = await w.call(operation, input);
  return [body.__type, body.message];
}

const create = (w: World, Name: string, document: object) =>
  w.ok('CreateDocument', {
    Name,
    Content: JSON.stringify({ schemaVersion: '1.0', ...document }),
    DocumentType: 'Session',
  });

/** The content of the last start that a node was sent. */
const started = (node: WireNode) =>
  JSON.parse(node.control.json('interactive_shell').at(-1)?.Content as string).DocumentContent;

test('A1: one API starts, lists, resumes and ends sessions', async () => {
  const w = world();
  const { session, node } = await connected(w);
  const { SessionId } = session;
  expect(await w.status(SessionId)).toMatchObject({ Status: 'Connected', Target: NODE, Owner: jane.arn });
  expect((await w.ok('ResumeSession', { SessionId })).TokenValue).not.toBe(session.TokenValue);
  await w.ok('TerminateSession', { SessionId });
  await node.complete(SessionId);
  expect(await w.status(SessionId)).toMatchObject({ Status: 'Terminated', EndDate: expect.any(Number) });
});

describe('A2: nodes of every kind', () => {
  async function fleet(): Promise<World> {
    const w = world(OTHER_NODE);
    await w.service.registerTarget({ id: EC2 });
    await w.service.registerTarget({ id: NODE });
    await w.service.registerTarget({ id: EDGE, sourceType: 'AWS::IoT::Thing' });
    await w.service.registerTarget({ id: TASK });
    return w;
  }

  test.each([
    ['ResourceType', 'EC2Instance', [EC2]],
    ['SourceTypes', 'AWS::EC2::Instance', [EC2]],
    ['SourceTypes', 'AWS::IoT::Thing', [EDGE]],
    ['SourceTypes', 'AWS::SSM::ManagedInstance', [TASK, NODE]],
  ])('A2: are listed by %s %s', async (Key, value, ids) => {
    const w = await fleet();
    const { InstanceInformationList } = await w.ok('DescribeInstanceInformation', {
      Filters: [{ Key, Values: [value] }],
    });
    expect((InstanceInformationList as { InstanceId: string }[]).map(({ InstanceId }) => InstanceId)).toEqual(
      ids,
    );
  });

  test.each([
    [EC2, `arn:aws:ec2:eu-central-1:111122223333:instance/${EC2}`],
    [NODE, `arn:aws:ssm:eu-central-1:111122223333:managed-instance/${NODE}`],
    [TASK, 'arn:aws:ecs:eu-central-1:111122223333:task/web_cluster/0123456789abcdef'],
  ])('A2: a session starts on %s, for those whom policies let to %s', async (id, arn) => {
    const asked: string[] = [];
    const authorize: Authorizer = (request) => {
      if (request.action === 'ssm:StartSession') asked.push(request.resource);
      return allowAll(request);
    };
    const w = world({ ...OTHER_NODE, authorize });
    const node = await w.node(id);
    await w.start({ Target: id });
    expect(node.control.types).toEqual(['interactive_shell']);
    expect(asked[0]).toBe(arn);
  });
});

test('D4: the history has every session for 30 days, page by page, by any filter', async () => {
  const w = world();
  const node = await w.node();
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    const { SessionId } = await w.start({ Reason: `ticket ${i}` });
    await node.complete(SessionId, i === 0 ? { FinalTaskStatus: 'Failed', Output: 'no shell' } : {});
    ids.unshift(SessionId);
    await w.clock.advance(1000);
  }
  const history = async (input: object = {}) => {
    const answer = await w.ok('DescribeSessions', { State: 'History', ...input });
    return {
      found: (answer.Sessions as { SessionId: string }[]).map((s) => s.SessionId),
      next: answer.NextToken,
    };
  };
  const first = await history({ MaxResults: 3 });
  const second = await history({ MaxResults: 3, NextToken: first.next });
  expect([...first.found, ...second.found]).toEqual(ids);
  for (const [key, value, found] of [
    ['Status', 'Failed', ids.slice(4)],
    ['Owner', jane.arn, ids],
    ['Target', EC2, []],
    ['SessionId', ids[2], [ids[2]]],
    ['InvokedAfter', '2026-01-01T00:00:03Z', ids.slice(0, 2)],
    ['InvokedBefore', '2026-01-01T00:00:03Z', ids.slice(2)],
  ] as const) {
    expect([key, (await history({ Filters: [{ key, value }] })).found]).toEqual([key, found]);
  }
  expect(await w.status(ids[4]!)).toMatchObject({ Details: 'no shell', Reason: 'ticket 0' });
  await w.clock.advance(30 * DAY - 5000);
  expect((await history()).found).toEqual(ids.slice(0, 4)); // the first began and ended at once
  await w.clock.advance(5000);
  expect((await history()).found).toEqual([]);
  expect((await w.call('ResumeSession', { SessionId: ids[0] })).body.__type).toBe('DoesNotExistException');
});

test('D5: a shell profile goes to the node with the parts of every platform, and not into commands', async () => {
  const w = world();
  const node = await w.node();
  const shellProfile = { linux: 'exec /bin/bash\ncd /usr', windows: 'cd C:\\\nGet-Date' };
  await create(w, 'SSM-SessionManagerRunShell', { sessionType: 'Standard_Stream', inputs: { shellProfile } });
  await w.start();
  expect(started(node)).toMatchObject({ sessionType: 'Standard_Stream', inputs: { shellProfile } });
  await w.start({ DocumentName: 'AWS-StartInteractiveCommand', Parameters: { command: ['id'] } });
  expect(started(node).properties.linux.commands).toBe('{{ command }}');
});

describe('D8: a document that fixes where a tunnel leads', () => {
  const TUNNEL = {
    sessionType: 'Port',
    parameters: {
      portNumber: { type: 'String', allowedPattern: '^(5432|6432)$', default: '5432' },
      localPortNumber: { type: 'String', allowedPattern: '^[0-9]{1,5}$', default: '0' },
    },
    properties: {
      type: 'LocalPortForwarding',
      host: 'db.internal',
      portNumber: '{{ portNumber }}',
      localPortNumber: '{{ localPortNumber }}',
    },
  };

  test('D8: leads there', async () => {
    const w = world();
    const node = await w.node();
    await create(w, 'Acme-Database', TUNNEL);
    await w.start({ DocumentName: 'Acme-Database', Parameters: { portNumber: ['6432'] } });
    expect(started(node)).toMatchObject({ properties: { host: 'db.internal' } });
  });

  test.each([
    [{ portNumber: ['22'] }, 'Parameter "portNumber" has value "22" not matching "^(5432|6432)$".'],
    [
      { host: ['169.254.169.254'] },
      'You must specify values for all required parameters in the Amazon Web Services Systems Manager document (SSM document). You can only supply values to parameters defined in the SSM document.',
    ],
  ])('D8: and nowhere else: %j', async (Parameters, text) => {
    const w = world();
    const node = await w.node();
    await create(w, 'Acme-Database', TUNNEL);
    const input = { Target: NODE, DocumentName: 'Acme-Database', Parameters };
    expect(await refusal(w, 'StartSession', input)).toEqual(['InvalidParameters', text]);
    expect(node.control.types).toEqual([]);
  });
});

describe('D9: a document that runs one command', () => {
  const TAIL = {
    sessionType: 'InteractiveCommands',
    parameters: { logpath: { type: 'String', allowedPattern: '^/var/log/[a-z.-]+$' } },
    properties: { linux: { commands: 'tail -f {{ logpath }}', runAsElevated: true } },
  };
  const onlyTail: Authorizer = ({ action, resource }) =>
    action !== 'ssm:StartSession' || /managed-instance\/|document\/Acme-Tail$/.test(resource)
      ? { effect: 'Allow' }
      : { effect: 'ImplicitDeny', policyType: 'identity-based policy' };

  async function tail(): Promise<{ w: World; node: WireNode }> {
    const w = world({ authorize: onlyTail });
    const node = await w.node();
    await create(w, 'Acme-Tail', TAIL);
    return { w, node };
  }

  test('D9: runs it with a value that the pattern allows', async () => {
    const { w, node } = await tail();
    await w.start({ DocumentName: 'Acme-Tail', Parameters: { logpath: ['/var/log/syslog'] } });
    const [task] = node.control.json('interactive_shell');
    expect(JSON.parse(task?.Content as string)).toMatchObject({
      DocumentContent: { properties: TAIL.properties },
      Parameters: { logpath: '/var/log/syslog' },
    });
  });

  test.each([
    '/etc/shadow',
    '/var/log/a;id',
    '/var/log/$(id)',
    '/var/log/a\nid',
    '/var/log/a|id',
    '/var/log/a && id',
    '../x',
  ])('D9: %j is refused, and the node hears nothing', async (value) => {
    const { w, node } = await tail();
    const input = { Target: NODE, DocumentName: 'Acme-Tail', Parameters: { logpath: [value] } };
    expect(await refusal(w, 'StartSession', input)).toEqual([
      'InvalidParameters',
      `Parameter "logpath" has value "${value}" not matching "^/var/log/[a-z.-]+$".`,
    ]);
    expect(node.control.types).toEqual([]);
  });

  test.each([{}, { DocumentName: 'AWS-StartInteractiveCommand', Parameters: { command: ['sh'] } }])(
    'D9: who may run it alone may not start %j',
    async (input) => {
      const { w } = await tail();
      expect((await refusal(w, 'StartSession', { Target: NODE, ...input }))[0]).toBe('AccessDeniedException');
    },
  );
});

describe('E1: a session has a start, an owner, a state and an end', () => {
  test.each<[string, string, (w: World, it: Awaited<ReturnType<typeof connected>>) => Promise<unknown>]>([
    [
      'UserTerminated',
      'Terminated',
      async (w, { session, node }) => {
        await w.ok('TerminateSession', { SessionId: session.SessionId });
        await node.complete(session.SessionId);
      },
    ],
    ['CommandExited', 'Terminated', (_, { session, node }) => node.complete(session.SessionId)],
    [
      'AgentFailure',
      'Failed',
      (_, { session, node }) => node.complete(session.SessionId, { FinalTaskStatus: 'Failed' }),
    ],
    ['IdleTimeout', 'Terminated', (w) => w.clock.advance(22 * MINUTE)],
    [
      'ResumeWindow',
      'Terminated',
      async (w, { client }) => {
        client.socket.close();
        await w.clock.advance(22 * MINUTE);
      },
    ],
    [
      'TargetDisconnected',
      'Failed',
      async (w, { agent }) => {
        agent.socket.close();
        await w.clock.advance(6 * MINUTE);
      },
    ],
  ])('E1: %s is %s', async (endReason, Status, end) => {
    const w = world();
    const it = await connected(w);
    const { SessionId } = it.session;
    await end(w, it);
    await w.clock.advance(MINUTE);
    expect(await w.status(SessionId)).toMatchObject({
      Status,
      Owner: jane.arn,
      StartDate: Date.UTC(2026, 0, 1) / 1000,
      EndDate: expect.any(Number),
      DocumentName: 'SSM-SessionManagerRunShell',
      AccessType: 'Standard',
    });
    expect(w.events.filter((event) => event.type === 'session').at(-1)).toMatchObject({ endReason });
  });

  test('E1: MaxDuration is Terminated, ConnectTimeout is Failed', async () => {
    const w = world();
    await w.node();
    await create(w, 'Acme-Short', { sessionType: 'Standard_Stream', inputs: { maxSessionDuration: '1' } });
    const { session } = await connected(w, { DocumentName: 'Acme-Short' });
    const alone = await w.start();
    await w.clock.advance(2 * MINUTE);
    expect(await w.status(session.SessionId)).toMatchObject({
      Status: 'Terminated',
      MaxSessionDuration: '1',
    });
    expect(await w.status(alone.SessionId)).toMatchObject({ Status: 'Failed' });
    const reasons = w.events.flatMap((event) =>
      event.type === 'session' && event.endReason ? [event.endReason] : [],
    );
    expect(reasons).toContain('MaxDuration');
    expect(reasons).toContain('ConnectTimeout');
  });
});

describe('E4: requests are signed', () => {
  const body = `{"Target":"${NODE}"}`;
  const sent = async (
    w: World,
    change: (request: Request) => Request | Promise<Request>,
    at = w.clock.now(),
  ) => {
    const request = await change(await signedCall('GetConnectionStatus', body, JANE, at));
    const answer = await w.clock.runUntil(w.transport.fetch(request));
    return answer.headers.get('x-amzn-errortype') ?? answer.status;
  };
  const withHeader = (name: string, change: (value: string) => string) => (request: Request) => {
    const headers = new Headers(request.headers);
    headers.set(name, change(headers.get(name) ?? ''));
    return new Request(request, { headers });
  };
  const same = (request: Request) => request;

  test('E4: a good one is answered', async () => {
    expect(await sent(world(), same)).toBe(200);
  });

  test.each<[string, string, (request: Request) => Request | Promise<Request>]>([
    [
      'without a signature',
      'MissingAuthenticationTokenException',
      (request) => {
        const headers = new Headers(request.headers);
        headers.delete('authorization');
        return new Request(request, { headers });
      },
    ],
    [
      'with another body',
      'InvalidSignatureException',
      (request) =>
        new Request(request.url, {
          method: 'POST',
          headers: request.headers,
          body: body.replace(NODE, EDGE),
        }),
    ],
    [
      'for another operation',
      'InvalidSignatureException',
      withHeader('x-amz-target', () => 'AmazonSSM.StartSession'),
    ],
    ['with another date', 'InvalidSignatureException', withHeader('x-amz-date', () => '20260101T000001Z')],
    [
      'for another region',
      'InvalidSignatureException',
      withHeader('authorization', (value) => value.replace('/eu-central-1/', '/us-east-1/')),
    ],
    [
      'for another service',
      'InvalidSignatureException',
      withHeader('authorization', (value) => value.replace('/ssm/', '/ssmmessages/')),
    ],
  ])('E4: one %s is a %s', async (_, code, change) => {
    expect(await sent(world(), change)).toBe(code);
  });

  test('E4: one that is too old, or too early, is refused', async () => {
    const w = world();
    await w.clock.advance(DAY);
    const now = w.clock.now();
    expect(await sent(w, same, now - 4 * MINUTE)).toBe(200);
    expect(await sent(w, same, now - 6 * MINUTE)).toBe('InvalidSignatureException');
    expect(await sent(w, same, now + 6 * MINUTE)).toBe('InvalidSignatureException');
  });
});

test('E8: a start is refused in this order, and the agent hears of none that is', async () => {
  let isAllowed = false;
  const w = world({
    limits: { sessionsPerCaller: 1 },
    rates: { StartSession: 6 },
    authorize: () =>
      isAllowed ? { effect: 'Allow' } : { effect: 'ImplicitDeny', policyType: 'identity-based policy' },
  });
  await w.clock.runUntil(w.service.registerTarget({ id: NODE }));
  const node = new WireNode(NODE, w.clock, w.transport);
  const code = async (members: object = {}) =>
    (await w.call('StartSession', { Target: NODE, ...members })).body.__type;

  const forged = await signedCall(
    'StartSession',
    `{"Target":"${NODE}"}`,
    { accessKeyId: 'AKIAJANE', secretAccessKey: 'x' },
    w.clock.now(),
  );
  const answer = await w.clock.runUntil(w.transport.fetch(forged));
  expect(answer.headers.get('x-amzn-errortype')).toBe('InvalidSignatureException');
  expect(await code({ Target: '' })).toBe('ValidationException');
  expect(await code({ DocumentName: 'Acme-Nothing' })).toBe('InvalidDocument');
  expect(await code({ Parameters: { a: ['b'] } })).toBe('AccessDeniedException');
  isAllowed = true;
  expect(await code({ Parameters: { a: ['b'] } })).toBe('TargetNotConnected');
  await node.connect();
  expect(await code({ Parameters: { a: ['b'] } })).toBe('InvalidParameters');
  expect(node.control.types).toEqual([]);
  expect(await code()).toBeUndefined();
  expect(node.control.types).toEqual(['interactive_shell']);
  expect(await code()).toBe('BadRequest');
  expect(await code()).toBe('ThrottlingException');
  expect(node.control.types).toEqual(['interactive_shell']);
});
