import { readFileSync } from 'node:fs';
import { Agent, type AgentOptions, roleCredentials, type SessionHandler } from 'hawser/agent';
import { formatAgentJob, formatAgentJobReplyAck, parseAgentJobAck } from 'hawser/channel';
import { memoryTransport, seededRandom, VirtualClock } from 'hawser/testing';
import { describe, expect, test } from 'vitest';
import { INSTANCE_ID, KEYS, MemoryIdentity, REGION, ScriptedService } from './scripted-service.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const MACHINE = {
  platformType: 'Linux',
  platformName: 'Debian GNU/Linux',
  platformVersion: '12',
  computerName: 'vm',
  ipAddress: '127.0.0.1',
} as const;

function setUp(options: Partial<AgentOptions> = {}) {
  const clock = new VirtualClock();
  const identity = new MemoryIdentity();
  const service = new ScriptedService(clock, KEYS[0]!.publicKey);
  const transport = memoryTransport(service, { clock, latency: 1 });
  const platform = { clock, random: seededRandom(5), transport };
  const endpoint = 'http://service.localhost';
  const where = { region: REGION, endpoint, platform };
  const agent = new Agent({
    ...where,
    instanceId: INSTANCE_ID,
    credentials: roleCredentials({ ...where, identity }),
    handlers: { Standard_Stream: untilCancelled },
    machine: MACHINE,
    updateInstanceInformation: true,
    ...options,
  });
  const reports = () => service.named('UpdateInstanceInformation');
  return { clock, identity, service, transport, agent, reports };
}

async function connected(options?: Partial<AgentOptions>) {
  const made = setUp(options);
  await made.clock.runUntil(made.agent.start());
  await made.clock.advance(100);
  return made;
}

/** Runs until its session is cancelled. */
const untilCancelled: SessionHandler = (session) =>
  new Promise((resolve) => session.signal.addEventListener('abort', () => resolve({ exitCode: 9 })));

/** What the real agent sent. */
function recordedReport(): unknown {
  const text = readFileSync(new URL('../vectors/19-no-task-ack.jsonl', import.meta.url), 'utf8');
  const line = text.split('\n').find((line) => line.includes('AmazonSSM.UpdateInstanceInformation'));
  return JSON.parse(line!).req;
}

describe('a hybrid node', () => {
  test('gets its credentials, reports, and opens its control channel, all signed', async () => {
    const { service, agent } = await connected();
    expect(service.calls.map(({ operation }) => operation)).toEqual([
      'RequestManagedInstanceRoleToken',
      'UpdateInstanceInformation',
      'UpdateInstanceInformation',
    ]);
    expect(service.gateway.posts.map(({ channel }) => channel)).toEqual(['control']);
    expect(agent.connected).toBe(true);
  });

  test.each([
    ['Linux', 'linux'],
    ['MacOS', 'macos'],
    ['Windows', 'windows'],
  ] as const)('on %s opens its control channel as %s', async (platformType, opened) => {
    const { service, reports } = await connected({ machine: { platformType } });
    expect(service.gateway.control.opening).toMatchObject({ PlatformType: opened });
    expect(reports().map(({ input }) => input.PlatformType)).toEqual([platformType, platformType]);
  });

  test('waits for a service that does not give it credentials yet', async () => {
    const { clock, service, agent } = setUp();
    service.before = () => new Error('unreachable');
    const started = agent.start();
    await clock.advance(10 * MINUTE);
    service.before = () => undefined;
    await clock.runUntil(started);
    expect(agent.connected).toBe(true);
  });

  test('does not start when the service does not know it any more, and leaves nothing behind', async () => {
    const { clock, service, agent } = setUp();
    service.before = () => service.refuse('InvalidInstanceId');
    await expect(clock.runUntil(agent.start())).rejects.toMatchObject({
      code: 'ERR_CREDENTIALS',
      cause: { type: 'InvalidInstanceId' },
    });
    await clock.advance(MINUTE);
    expect(clock.pending).toBe(0);
  });

  test('gets other credentials when the service has forgotten those it gave', async () => {
    const { clock, service, transport, agent } = await connected();
    await clock.advance(10 * MINUTE);
    service.issued.clear();
    for (const connection of transport.connections) connection.cut();
    await clock.advance(2 * MINUTE);
    expect(agent.connected).toBe(true);
  });
});

describe('UpdateInstanceInformation', () => {
  test('is sent short and then in full, as the real agent does', async () => {
    const { reports } = await connected();
    expect(reports().map(({ input }) => JSON.stringify(input))).toEqual([
      JSON.stringify({
        AgentName: 'amazon-ssm-agent',
        AgentVersion: '3.3.0.0',
        InstanceId: INSTANCE_ID,
        PlatformType: 'Linux',
      }),
      JSON.stringify(recordedReport()),
    ]);
  });

  test('is repeated every five minutes, the first time after a part of them', async () => {
    const { clock, reports } = await connected();
    await clock.advance(HOUR);
    const times = reports().map(({ at }) => at);
    const gaps = times.slice(1).map((at, index) => Math.round((at - times[index]!) / SECOND));
    expect(gaps[1]).toBeLessThan(300);
    expect(new Set(gaps.slice(2))).toEqual(new Set([300]));
    expect(gaps.length).toBeGreaterThan(11);
  });

  test('is not sent by an agent that was not told to', async () => {
    const { clock, reports } = await connected({ updateInstanceInformation: false });
    await clock.advance(HOUR);
    expect(reports()).toEqual([]);
  });

  test('may fail for as long as it likes: sessions run, and the next one comes in its time', async () => {
    const { clock, service, agent, reports } = setUp();
    const failed: Error[] = [];
    agent.on('reportFailed', (error) => failed.push(error));
    service.before = ({ operation }) =>
      operation === 'UpdateInstanceInformation' ? service.refuse('AccessDeniedException') : undefined;
    await clock.runUntil(agent.start());
    service.gateway.startSession('s-1');
    await clock.advance(HOUR);
    expect(failed.length).toBe(reports().length);
    expect(failed[0]).toMatchObject({ code: 'ERR_ACCESS_DENIED' });
    expect(agent.sessionCount).toBe(1);
    service.before = () => undefined;
    const before = failed.length;
    await clock.advance(10 * MINUTE);
    expect(failed.length).toBe(before);
  });
});

describe('Run Command', () => {
  const JOB = { jobId: `aws.ssm.2b196342.${INSTANCE_ID}`, topic: 'aws.ssm.sendCommand', content: '{}' };

  test.each<[string, Uint8Array, object]>([
    [
      'a document',
      formatAgentJob(JOB),
      { jobId: JOB.jobId, statusCode: '51403', errorMessage: 'UnexpectedDocumentType' },
    ],
    [
      'the cancellation of one',
      formatAgentJob({ ...JOB, topic: 'aws.ssm.cancelCommand.x' }),
      { jobId: JOB.jobId, statusCode: '51403' },
    ],
    [
      'a topic of another kind',
      formatAgentJob({ ...JOB, topic: 'aws.ssm.startSession' }),
      { statusCode: '51408', errorMessage: 'AgentJobMessageParseError' },
    ],
    ['what is no job', new Uint8Array([1]), { statusCode: '51408' }],
  ])('is refused for %s, so that the service does not send it again', async (_, payload, answer) => {
    const { clock, service, agent } = await connected();
    const dropped: Error[] = [];
    agent.on('dropped', (error) => dropped.push(error));
    const { control } = service.gateway;
    const sentAt = clock.now();
    service.gateway.send('control', 'agent_job', payload);
    await clock.advance(10);
    const acks = control.received.filter(({ message }) => message.messageType === 'agent_job_ack');
    expect(acks).toHaveLength(1);
    const ack = parseAgentJobAck(acks[0]!.message.payload);
    expect(ack).toMatchObject({ createdDate: new Date(sentAt).toISOString(), ...answer });
    expect(ack.acknowledgedMessageId).toMatch(/^[0-9a-f-]{36}$/);
    if (ack.statusCode === '51408') expect(ack.jobId).toBe(ack.acknowledgedMessageId);
    expect(dropped).toHaveLength(1);
    expect(control.open).toBe(true);
  });

  test('has its acknowledgements of replies ignored', async () => {
    const { clock, service, agent } = await connected();
    const dropped: Error[] = [];
    agent.on('dropped', (error) => dropped.push(error));
    const payload = formatAgentJobReplyAck({ jobId: JOB.jobId, acknowledgedMessageId: 'x' });
    service.gateway.send('control', 'agent_job_reply_ack', payload);
    await clock.advance(10);
    expect([dropped, service.gateway.control.types]).toEqual([[], []]);
  });
});

describe('drain()', () => {
  test('takes no more sessions, and stops when those that run have ended', async () => {
    const { clock, service, agent } = await connected();
    service.gateway.startSession('s-1');
    service.gateway.startSession('s-2');
    await clock.advance(10);
    const { control } = service.gateway;
    const drained = agent.drain(HOUR);
    service.gateway.startSession('s-3');
    await clock.advance(MINUTE);
    expect(service.gateway.completions[0]).toMatchObject({
      taskId: 's-3',
      finalTaskStatus: 'Failed',
      output: expect.stringContaining('is stopping'),
    });
    service.gateway.channelClosed('control', 's-1');
    await clock.advance(MINUTE);
    expect([agent.sessionCount, agent.connected]).toEqual([1, true]);
    service.gateway.channelClosed('control', 's-2');
    await clock.runUntil(drained, MINUTE);
    await clock.advance(MINUTE);
    expect(control.open).toBe(false);
    expect(clock.pending).toBe(0);
  });

  test('ends those that do not end in time', async () => {
    const { clock, service, agent } = await connected();
    service.gateway.startSession('s-1');
    await clock.advance(10);
    const before = clock.now();
    await clock.runUntil(agent.drain(10 * MINUTE));
    expect(clock.now() - before).toBeGreaterThanOrEqual(10 * MINUTE);
    expect(clock.now() - before).toBeLessThan(10 * MINUTE + 20 * SECOND);
    expect(service.gateway.completions[0]).toMatchObject({
      taskId: 's-1',
      output: expect.stringContaining('stopped'),
    });
  });

  test('is cut short by stop(), and the agent can start again', async () => {
    const { clock, service, agent } = await connected();
    service.gateway.startSession('s-1');
    await clock.advance(10);
    const drained = agent.drain(10 * HOUR);
    await clock.advance(MINUTE);
    await clock.runUntil(agent.stop(), MINUTE);
    await clock.runUntil(drained, 1);
    await clock.advance(MINUTE);
    expect(clock.pending).toBe(0);
    await clock.runUntil(agent.start());
    service.gateway.startSession('s-2');
    await clock.advance(10);
    expect(agent.sessionCount).toBe(1);
  });

  test('has nothing to wait for without sessions, or without a start', async () => {
    const { clock, service, agent } = await connected();
    await clock.runUntil(agent.drain(HOUR), MINUTE);
    await clock.runUntil(agent.drain(HOUR), 1);
    expect(agent.connected).toBe(false);
    await clock.runUntil(agent.start());
    service.gateway.startSession('s-1');
    await clock.advance(10);
    expect(agent.sessionCount).toBe(1);
  });
});

describe('a clock that is wrong', () => {
  test.each([-6 * HOUR, 6 * HOUR])(
    'by %d ms does not keep a node with credentials of its own away',
    async (ahead) => {
      const { clock, service, agent } = setUp({
        credentials: { accessKeyId: 'AKIANODE', secretAccessKey: 'role-secret', sessionToken: 'role-token' },
        updateInstanceInformation: false,
      });
      service.issued.set('AKIANODE', Number.MAX_SAFE_INTEGER / 2);
      service.ahead = ahead;
      await clock.runUntil(agent.start());
      service.gateway.startSession('s-1');
      await clock.advance(10);
      expect(agent.sessionCount).toBe(1);
      expect(service.gateway.channel('s-1').open).toBe(true);
    },
  );

  test('is not corrected twice for one request', async () => {
    const { clock, service, agent } = setUp({ updateInstanceInformation: false });
    let posts = 0;
    const { fetch } = service;
    service.fetch = async (request) => {
      if (request.headers.has('x-amz-target')) return fetch.call(service, request);
      posts++;
      const date = new Date(clock.now() + (posts % 2) * HOUR).toUTCString();
      return new Response('<InvalidSignatureException/>', { status: 403, headers: { date } });
    };
    await expect(clock.runUntil(agent.start())).rejects.toMatchObject({ code: 'ERR_AGENT_REFUSED' });
    expect(posts).toBe(2);
  });
});

describe.each([-6 * HOUR, 6 * HOUR])('a wall clock that jumps by %d ms', (jump) => {
  /** The service's own clock does not. */
  function jumpAlone({ clock, service }: ReturnType<typeof setUp>) {
    clock.jump(jump);
    service.ahead -= jump;
  }

  test('breaks neither the control channel nor a session', async () => {
    const made = await connected();
    const { clock, service, agent } = made;
    const disconnected: Error[] = [];
    agent.on('disconnected', (error) => disconnected.push(error));
    service.gateway.startSession('s-1');
    await clock.advance(10);
    jumpAlone(made);
    const frames = () => service.gateway.channels.flatMap(({ received }) => received).length;
    const before = frames();
    await clock.advance(10 * MINUTE);
    expect(disconnected).toEqual([]);
    expect(service.gateway.channels).toHaveLength(2);
    expect(frames()).toBe(before);
    expect(agent.sessionCount).toBe(1);
  });

  test('does not hide that the service went silent', async () => {
    const made = await connected();
    const { clock, service, agent } = made;
    const disconnected: Error[] = [];
    agent.on('disconnected', (error) => disconnected.push(error));
    service.gateway.control.socket.pause?.();
    jumpAlone(made);
    await clock.advance(3 * MINUTE);
    expect(disconnected).toHaveLength(1);
    expect(agent.connected).toBe(true);
  });

  test('does not end a session whose data channel is just being opened again', async () => {
    const made = await connected();
    const { clock, service, transport, agent } = made;
    service.gateway.startSession('s-1');
    await clock.advance(10);
    const { answer } = service.gateway;
    service.gateway.answer = () => new Response('', { status: 503 });
    for (const connection of transport.connections) connection.cut();
    await clock.advance(MINUTE);
    jumpAlone(made);
    await clock.advance(MINUTE);
    service.gateway.answer = answer;
    await clock.advance(2 * MINUTE);
    expect([agent.sessionCount, agent.connected]).toEqual([1, true]);
    expect(service.gateway.channel('s-1').open).toBe(true);
  });

  test('keeps no stop() or drain() waiting', async () => {
    const made = await connected({ handlers: { Standard_Stream: () => new Promise(() => {}) } });
    const { clock, service, agent } = made;
    service.gateway.startSession('s-1');
    await clock.advance(10);
    const drained = agent.drain(MINUTE);
    await clock.advance(SECOND);
    jumpAlone(made);
    await clock.runUntil(drained, MINUTE + 20 * SECOND);
    await clock.advance(MINUTE);
    expect(clock.pending).toBe(0);
  });

  test('does not stop or hurry the reports', async () => {
    const made = await connected();
    const { clock, reports } = made;
    await clock.advance(7 * MINUTE);
    const before = reports().length;
    jumpAlone(made);
    await clock.advance(HOUR);
    // One may be refused for its time before it is sent again.
    expect(reports().length - before).toBeGreaterThanOrEqual(12);
    expect(reports().length - before).toBeLessThanOrEqual(13);
  });
});

test('days of a node: credentials, rotations, lost connections, a clock that jumps; nothing is left', async () => {
  const made = await connected();
  const { clock, identity, service, transport, agent } = made;
  const HOURS = 60;
  const random = seededRandom(7);
  const failed: Error[] = [];
  agent.on('reportFailed', (error) => failed.push(error));
  for (let hour = 0; hour < HOURS; hour++) {
    if (hour === 20 || hour === 40) service.updateKeyPair = true;
    if (random.random() < 0.1) for (const connection of transport.connections) connection.cut();
    if (random.random() < 0.1) {
      const jump = (random.random() - 0.5) * 8 * HOUR;
      clock.jump(jump);
      service.ahead -= jump;
    }
    service.gateway.channels.splice(0, service.gateway.channels.length - 1);
    await clock.advance(HOUR);
    expect(agent.connected, `hour ${hour}`).toBe(true);
  }
  expect(failed).toEqual([]);
  expect(identity.saved).toEqual({ current: 2, pending: undefined });
  expect(service.named('RequestManagedInstanceRoleToken').length).toBeLessThan(3 * HOURS);
  await clock.runUntil(agent.stop());
  await clock.advance(MINUTE);
  expect(clock.pending).toBe(0);
});
