import { Agent, type AgentOptions, type SessionHandler } from 'hawser/agent';
import { memoryTransport, seededRandom, VirtualClock } from 'hawser/testing';
import { describe, expect, test } from 'vitest';
import { ScriptedGateway } from './scripted-gateway.ts';

const INSTANCE_ID = 'mi-0123456789abcdef0';
const SECOND = 1000;

interface Options {
  readonly handler?: SessionHandler;
  readonly agent?: Partial<AgentOptions>;
}

function setUp({ handler = async () => ({}), agent = {} }: Options = {}) {
  const clock = new VirtualClock();
  const gateway = new ScriptedGateway(clock);
  const transport = memoryTransport(gateway, { clock });
  const made = new Agent({
    instanceId: INSTANCE_ID,
    region: 'eu-central-1',
    endpoint: 'http://gateway.localhost',
    credentials: { accessKeyId: 'AKIANODE', secretAccessKey: 'secret' },
    handlers: { Standard_Stream: handler },
    platform: { clock, random: seededRandom(5), transport },
    ...agent,
  });
  return { clock, gateway, transport, agent: made };
}

async function connected(options?: Options) {
  const made = setUp(options);
  await made.clock.runUntil(made.agent.start());
  await made.clock.advance(1);
  return made;
}

/** Runs until its session is cancelled. */
const untilCancelled: SessionHandler = (session) =>
  new Promise((resolve) => session.signal.addEventListener('abort', () => resolve({ exitCode: 9 })));

describe('the control channel', () => {
  test('opens as the real agent does: a token by POST, the upgrade, a text message', async () => {
    const { gateway } = await connected();
    expect(gateway.posts.map(({ channel }) => channel)).toEqual(['control']);
    expect(gateway.control.opening).toMatchObject({
      Cookie: null,
      MessageSchemaVersion: '1.0',
      TokenValue: 't&1',
      AgentVersion: '3.3.0.0',
      PlatformType: 'linux',
    });
  });

  test('start() waits for a service that cannot be reached', async () => {
    const { clock, gateway, agent } = setUp();
    const answer = gateway.answer;
    gateway.answer = () => new Response('', { status: 503 });
    const errors: Error[] = [];
    agent.on('disconnected', (error) => errors.push(error));
    const started = agent.start();
    await clock.advance(20 * SECOND);
    expect(agent.connected).toBe(false);
    expect(errors.length).toBeGreaterThan(2);
    expect(errors[0]).toMatchObject({ code: 'ERR_AGENT_GATEWAY' });
    gateway.answer = answer;
    await clock.runUntil(started);
    expect(agent.connected).toBe(true);
  });

  test('start() fails when the service refuses the node, and can be tried again', async () => {
    const { clock, gateway, agent } = setUp();
    const answer = gateway.answer;
    gateway.answer = () =>
      new Response('<AccessDeniedException><message>no &lt;you&gt;</message></AccessDeniedException>', {
        status: 400,
      });
    await expect(clock.runUntil(agent.start())).rejects.toMatchObject({
      code: 'ERR_AGENT_REFUSED',
      message: expect.stringContaining('no <you>'),
    });
    gateway.answer = answer;
    await clock.runUntil(agent.start());
  });

  test('signed requests follow no redirect', async () => {
    const { clock, gateway, agent } = setUp();
    const { fetch } = gateway;
    const redirects: string[] = [];
    gateway.fetch = (request) => {
      redirects.push(request.redirect);
      return fetch.call(gateway, request);
    };
    await clock.runUntil(agent.start());
    expect(redirects).toEqual(['manual']);
  });

  test('start() fails when there are no credentials', async () => {
    const { clock, agent } = setUp({
      agent: { credentials: () => Promise.reject(new Error('no profile')) },
    });
    await expect(clock.runUntil(agent.start())).rejects.toMatchObject({ code: 'ERR_CREDENTIALS' });
  });

  test('start() fails when the agent is stopped meanwhile', async () => {
    const { clock, gateway, agent } = setUp();
    gateway.answer = () => new Response('', { status: 503 });
    const started = agent.start();
    const outcome = expect(started).rejects.toMatchObject({ code: 'ERR_AGENT_STOPPED' });
    await clock.runUntil(agent.stop());
    await outcome;
    expect(clock.pending).toBe(0);
  });

  test('comes back after its connection breaks, for ever, ever more slowly', async () => {
    const { clock, gateway, transport, agent } = await connected();
    const answer = gateway.answer;
    gateway.answer = () => new Response('denied', { status: 403 });
    transport.connections[0]!.cut();
    await clock.advance(3600 * SECOND);
    const tries = gateway.posts.length - 1;
    expect(tries).toBeGreaterThan(3600 / 60);
    expect(tries).toBeLessThan((2 * 3600) / 60 + 40);
    gateway.answer = answer;
    await clock.advance(61 * SECOND);
    expect(agent.connected).toBe(true);
  });

  test('does not rush back to a service that accepts and drops', async () => {
    const { clock, gateway, transport } = await connected();
    for (let second = 0; second < 600; second++) {
      for (const connection of transport.connections) connection.cut();
      await clock.advance(SECOND);
    }
    expect(gateway.posts.length).toBeLessThan(60);
  });

  test('notices a service that went silent', async () => {
    const { clock, gateway, agent } = await connected();
    const disconnected: Error[] = [];
    agent.on('disconnected', (error) => disconnected.push(error));
    await clock.advance(3600 * SECOND);
    expect(disconnected).toEqual([]); // pings were answered
    gateway.control.socket.pause?.();
    await clock.advance(120 * SECOND);
    expect(disconnected).toHaveLength(1);
    expect(agent.connected).toBe(true); // anew
  });

  test('drops what it cannot read or does not know, and goes on', async () => {
    const { clock, gateway, agent } = await connected();
    const dropped: Error[] = [];
    agent.on('dropped', (error) => dropped.push(error));
    gateway.control.socket.send(new Uint8Array(200));
    gateway.control.socket.send('text');
    gateway.send('control', 'agent_job', new Uint8Array([1]));
    gateway.send('control', 'agent_task_acknowledge', new Uint8Array([1]));
    gateway.send('control', 'channel_closed', new Uint8Array([1]));
    await clock.advance(1);
    expect(dropped.map((error) => error.constructor.name)).toEqual(Array(4).fill('MessageError'));
    expect(agent.connected).toBe(true);
  });
});

describe('the start of a session', () => {
  test('opens a data channel and says Connected', async () => {
    const { clock, gateway } = await connected({ handler: untilCancelled });
    gateway.startSession('user-1@x');
    await clock.advance(10);
    const channel = gateway.channel('user-1@x');
    expect(channel.opening).toMatchObject({ TokenValue: 't&1', ClientInstanceId: INSTANCE_ID, ClientId: '' });
    expect(channel.types).toEqual(['agent_session_state']);
    expect(new TextDecoder().decode(channel.received[0]!.message.payload)).toBe(
      '{"SchemaVersion":1,"SessionState":"Connected","SessionId":"user-1@x"}',
    );
  });

  test('happens once for a start that comes twice, even after the end', async () => {
    let starts = 0;
    const { clock, gateway, agent } = await connected({
      handler: async () => {
        starts++;
        return {};
      },
    });
    gateway.startSession('s-1');
    gateway.startSession('s-1');
    await clock.advance(10);
    gateway.acknowledge('s-1');
    await clock.advance(10);
    gateway.startSession('s-1');
    await clock.advance(10);
    expect(starts).toBe(1);
    expect(agent.sessionCount).toBe(0);
    expect(gateway.completions).toHaveLength(1);
  });

  const refused: [string, object, string][] = [
    ['an unknown session type', { sessionType: 'Port' }, 'Port. It has: Standard_Stream'],
    ['a type that objects have by birth', { sessionType: 'constructor' }, 'no handler'],
    ['another schema', { schemaVersion: '2.2', sessionType: 'Standard_Stream' }, '"2.2"'],
    ['no session type', {}, 'sessionType'],
    [
      'encryption without a key service',
      { sessionType: 'Standard_Stream', inputs: { kmsKeyId: 'alias/x' } },
      'no key service',
    ],
  ];
  test.each(refused)('is refused aloud for %s', async (_, content, text) => {
    const { clock, gateway, agent } = await connected();
    const refusals: Error[] = [];
    agent.on('sessionRefused', ({ error }) => refusals.push(error));
    gateway.startSession('s-1', content);
    await clock.advance(10);
    expect(gateway.completions).toMatchObject([
      { taskId: 's-1', finalTaskStatus: 'Failed', output: expect.stringContaining(text) },
    ]);
    expect(refusals).toHaveLength(1);
  });

  test('is refused aloud when only the task id can be read', async () => {
    const { clock, gateway } = await connected();
    const payload = new TextEncoder().encode('{"Content":"not JSON","TaskId":"s-1","SchemaVersion":1}');
    gateway.send('control', 'interactive_shell', payload);
    await clock.advance(10);
    expect(gateway.completions).toMatchObject([{ taskId: 's-1', finalTaskStatus: 'Failed' }]);
  });

  test('is refused beyond the limit of sessions, and works again below it', async () => {
    const { clock, gateway } = await connected({
      handler: untilCancelled,
      agent: { limits: { sessions: 2 } },
    });
    for (const id of ['s-1', 's-2', 's-3']) gateway.startSession(id);
    await clock.advance(10);
    expect(gateway.completions).toMatchObject([
      { taskId: 's-3', finalTaskStatus: 'Failed', output: expect.stringContaining('2 sessions already') },
    ]);
    gateway.channelClosed('control', 's-1');
    await clock.advance(10);
    gateway.startSession('s-4');
    await clock.advance(10);
    expect(gateway.channel('s-4').types).toEqual(['agent_session_state']);
  });

  test('fails when the client does not answer the handshake within 15 seconds', async () => {
    const { clock, gateway } = await connected({
      handler: async (session) => {
        await session.handshake();
        return {};
      },
    });
    gateway.startSession('s-1');
    await clock.advance(14 * SECOND);
    expect(gateway.completions).toEqual([]);
    await clock.advance(2 * SECOND);
    expect(gateway.completions[0]).toMatchObject({
      taskId: 's-1',
      finalTaskStatus: 'Failed',
      output: expect.stringContaining('Handshake timed out'),
    });
  });

  test('is given up when the service says that the session is terminated', async () => {
    const { clock, gateway, agent } = await connected();
    const answer = gateway.answer;
    gateway.answer = (channel) =>
      channel === 'control'
        ? answer(channel)
        : new Response('<E><message>Session is already terminated</message></E>', { status: 400 });
    gateway.startSession('s-1');
    await clock.advance(60 * SECOND);
    expect(gateway.posts.filter(({ channel }) => channel === 's-1')).toHaveLength(1);
    expect(agent.sessionCount).toBe(0);
  });

  test('is tried for ten minutes when the data channel cannot be opened', async () => {
    const { clock, gateway, agent } = await connected();
    const answer = gateway.answer;
    gateway.answer = (channel) =>
      channel === 'control' ? answer(channel) : new Response('', { status: 500 });
    gateway.startSession('s-1');
    await clock.advance(590 * SECOND);
    expect(agent.sessionCount).toBe(1);
    await clock.advance(30 * SECOND);
    expect(gateway.completions).toMatchObject([
      { taskId: 's-1', finalTaskStatus: 'Failed', output: expect.stringContaining('10 minutes') },
      { retryNumber: 2 },
      { retryNumber: 3 },
    ]);
  });
});

describe('the end of a session', () => {
  test.each(['control', 's-1'])('comes by channel_closed on the channel %s', async (channel) => {
    const { clock, gateway, agent } = await connected({ handler: untilCancelled });
    gateway.startSession('s-1');
    await clock.advance(10);
    gateway.channelClosed(channel, 's-1');
    await clock.advance(50);
    expect(agent.sessionCount).toBe(0);
    expect(gateway.completions).toMatchObject([{ taskId: 's-1', finalTaskStatus: 'Success', output: '' }]);
    expect(gateway.completions[0]).not.toHaveProperty('exitCode');
    expect(gateway.channels.find(({ name }) => name === 's-1')?.open).toBe(false);
  });

  test('is told three times, a second apart, while nobody acknowledges', async () => {
    const { clock, gateway } = await connected({ handler: async () => ({ exitCode: 3 }) });
    gateway.startSession('s-1');
    await clock.advance(60 * SECOND);
    const { completions } = gateway;
    expect(completions.map(({ retryNumber }) => retryNumber)).toEqual([1, 2, 3]);
    expect(completions.map(({ exitCode }) => exitCode)).toEqual([3, 3, 3]);
    expect(completions.map(({ at }) => at - completions[0]!.at)).toEqual([0, SECOND, 2 * SECOND]);
  });

  test('is told again on the next connection, until it is acknowledged', async () => {
    const { clock, gateway, transport } = await connected({ handler: async () => ({ exitCode: 3 }) });
    gateway.startSession('s-1');
    await clock.advance(60 * SECOND);
    expect(gateway.completions).toHaveLength(3);
    transport.connections[0]!.cut();
    await clock.advance(60 * SECOND);
    const again = gateway.completions.slice(3);
    expect(again.map(({ retryNumber, exitCode }) => [retryNumber, exitCode])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    gateway.acknowledge('s-1');
    await clock.advance(10);
    transport.connections[0]!.cut();
    await clock.advance(60 * SECOND);
    expect(gateway.completions).toHaveLength(6);
  });

  test('is told once when it is acknowledged', async () => {
    const { clock, gateway } = await connected();
    gateway.startSession('s-1');
    await clock.advance(10);
    gateway.acknowledge('s-1');
    await clock.advance(60 * SECOND);
    expect(gateway.completions).toHaveLength(1);
  });

  test('is told after the control channel is back', async () => {
    const { clock, gateway, transport, agent } = await connected({ handler: untilCancelled });
    gateway.startSession('s-1');
    await clock.advance(10);
    const answer = gateway.answer;
    gateway.answer = () => new Response('', { status: 500 });
    transport.connections[0]!.cut();
    gateway.channelClosed('s-1', 's-1');
    await clock.advance(300 * SECOND);
    expect(agent.sessionCount).toBe(0);
    expect(gateway.completions).toEqual([]);
    gateway.answer = answer;
    await clock.advance(61 * SECOND);
    expect(gateway.completions[0]).toMatchObject({ taskId: 's-1', finalTaskStatus: 'Success' });
  });

  test('does not wait for a handler that ignores its cancellation', async () => {
    const { clock, gateway, agent } = await connected({ handler: () => new Promise(() => {}) });
    gateway.startSession('s-1');
    await clock.advance(10);
    gateway.channelClosed('control', 's-1');
    await clock.advance(11 * SECOND);
    expect(agent.sessionCount).toBe(0);
    expect(gateway.completions[0]).toMatchObject({ finalTaskStatus: 'Success' });
  });
});

describe('stop()', () => {
  test('ends the sessions, tells of it, and leaves nothing behind', async () => {
    const { clock, gateway, agent } = await connected({ handler: untilCancelled });
    gateway.startSession('s-1');
    await clock.advance(10);
    const stopped = agent.stop();
    await clock.advance(10);
    gateway.startSession('s-2');
    await clock.runUntil(stopped);
    expect(gateway.completions).toMatchObject([
      { taskId: 's-1', finalTaskStatus: 'Failed', output: 'The agent of the managed node was stopped.' },
      { taskId: 's-2', finalTaskStatus: 'Failed', output: expect.stringContaining('is stopping') },
      { taskId: 's-1' },
      { taskId: 's-2' },
      { taskId: 's-1' },
      { taskId: 's-2' },
    ]);
    await clock.advance(40 * SECOND);
    expect(clock.pending).toBe(0);
    expect(agent.connected).toBe(false);
  });

  test('takes no longer than twenty seconds, whatever handlers and service do', async () => {
    const { clock, gateway, transport, agent } = await connected({ handler: () => new Promise(() => {}) });
    gateway.startSession('s-1');
    await clock.advance(10);
    gateway.answer = () => new Response('', { status: 500 });
    for (const connection of transport.connections) connection.cut();
    const before = clock.now();
    await clock.runUntil(agent.stop());
    expect(clock.now() - before).toBeLessThanOrEqual(20 * SECOND);
  });

  test('under way, is waited for by another start()', async () => {
    const { clock, gateway, agent } = await connected({ handler: untilCancelled });
    gateway.startSession('s-1');
    await clock.advance(10);
    const stopped = agent.stop();
    const again = agent.start();
    await clock.runUntil(agent.stop());
    await stopped;
    await clock.runUntil(again);
    await clock.advance(60 * SECOND);
    expect(agent.connected).toBe(true);
    await clock.runUntil(agent.stop());
    await clock.advance(40 * SECOND);
    expect(clock.pending).toBe(0);
  });

  test('can be followed by another start()', async () => {
    const { clock, agent } = await connected();
    await clock.runUntil(agent.stop());
    await clock.runUntil(agent.start());
    expect(agent.connected).toBe(true);
  });
});
