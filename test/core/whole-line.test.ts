import { describe, expect, test } from 'vitest';
import { Agent, type VirtualCommand, virtualShell } from '../../src/agent/index.ts';
import { fromUtf8, utf8 } from '../../src/base/encoding.ts';
import { SessionClient } from '../../src/core/client.ts';
import { platformWith } from '../../src/core/runtime.ts';
import type { Session } from '../../src/core/session.ts';
import { SessionManagerService } from '../../src/service/index.ts';
import { memoryTransport, seededRandom, VirtualClock } from '../../src/testing/index.ts';

const region = 'eu-central-1';
const accountId = '111122223333';
const target = 'mi-0123456789abcdef0';
const MINUTE = 60_000;

function caller(name: string, targetId?: string) {
  const principal = { arn: `arn:aws:iam::${accountId}:user/${name}`, accountId, userId: `AIDA${name}` };
  const keys = { accessKeyId: `AKIA${name}`, secretAccessKey: `secret of ${name}` };
  return { ...keys, principal, ...(targetId && { targetId }) };
}

/** Client, service and agent, all real, with a network of memory between. */
async function wholeLine(commands: Record<string, VirtualCommand> = {}) {
  const clock = new VirtualClock();
  const random = seededRandom(5);
  const callers = [caller('JANE'), caller('NODE', target)] as const;
  const [user, node] = callers;
  const service = new SessionManagerService({
    region,
    accountId,
    credentials: (id) => callers.find(({ accessKeyId }) => accessKeyId === id),
    platform: { clock, random },
  });
  await service.registerTarget({ id: target });
  const endpoint = 'https://ssm.test';
  const platform = () =>
    platformWith({ clock, random, transport: memoryTransport(service, { clock, latency: 10 }) });
  const [agentPlatform, clientPlatform] = [platform(), platform()];
  const agent = new Agent({
    instanceId: target,
    region,
    credentials: node,
    endpoint,
    handlers: { Standard_Stream: virtualShell({ commands }) },
    platform: agentPlatform,
  });
  await clock.runUntil(agent.start());
  const client = new SessionClient({ region, credentials: user, endpoint, platform: clientPlatform });
  const connections = clientPlatform.transport as ReturnType<typeof memoryTransport>;
  return { clock, client, connections, agent, service };
}

/** A terminal: what it shows, and typing. */
function terminal(session: Session) {
  const shown = { text: '' };
  (async () => {
    for await (const chunk of session.stdout) shown.text += fromUtf8(chunk);
  })();
  const writer = session.stdin.getWriter();
  const type = (text: string) => void writer.write(utf8(text)).catch(() => {});
  return { shown, type };
}

describe('client, service and agent together', () => {
  test('run a command and bring its exit status back', async () => {
    const { clock, client } = await wholeLine({ greet: ([name], io) => io.write(`hello ${name}\n`) });
    const session = await clock.runUntil(client.startSession({ target }));
    const { shown, type } = terminal(session);
    type('greet jane\nexit 3\n');
    expect(await clock.runUntil(session.ended)).toMatchObject({ reason: 'CommandExited', exitCode: 3 });
    expect(shown.text).toContain('hello jane');
  });

  test('E2: go on where they were after the connection broke', async () => {
    const { clock, client, connections } = await wholeLine({
      count: async (_, io) => {
        for (let i = 0; i < 2000; i++) await io.write(`${i}\n`);
      },
    });
    const session = await clock.runUntil(client.startSession({ target }));
    const { shown, type } = terminal(session);
    const events: string[] = [];
    session.on('reconnecting', () => events.push('reconnecting'));
    session.on('resumed', () => events.push('resumed'));
    type('count\n');
    await clock.advance(100);
    connections.connections[0]!.cut();
    await clock.advance(MINUTE);
    expect(events).toEqual(['reconnecting', 'resumed']);
    const numbers = shown.text.match(/^\d+(?=\r$)/gm)!.map(Number);
    expect(numbers).toEqual(Array.from({ length: 2000 }, (_, i) => i));
    type('exit\n');
    expect(await clock.runUntil(session.ended)).toMatchObject({ reason: 'CommandExited', exitCode: 0 });
  });

  test('end when the client closes', async () => {
    const { clock, client } = await wholeLine();
    const session = await clock.runUntil(client.startSession({ target }));
    terminal(session);
    await clock.advance(1000);
    expect(await clock.runUntil(session.close())).toMatchObject({ reason: 'ClientEnded' });
    await clock.advance(MINUTE);
    const active: string[] = [];
    await clock.runUntil(
      (async () => {
        for await (const { sessionId } of client.describeSessions({ state: 'Active' }))
          active.push(sessionId);
      })(),
    );
    expect(active).toEqual([]);
  });

  test('end when somebody else terminates the session', async () => {
    const { clock, client } = await wholeLine();
    const session = await clock.runUntil(client.startSession({ target }));
    terminal(session);
    await clock.advance(1000);
    await clock.runUntil(client.terminateSession(session.sessionId));
    expect(await clock.runUntil(session.ended)).toMatchObject({ reason: 'UserTerminated' });
  });

  test('end when nothing happens for twenty minutes', async () => {
    const { clock, client } = await wholeLine();
    const session = await clock.runUntil(client.startSession({ target }));
    terminal(session);
    expect(await clock.runUntil(session.ended)).toMatchObject({ reason: 'IdleTimeout' });
  });

  test('say whether a node is there', async () => {
    const { clock, client, agent } = await wholeLine();
    expect(await clock.runUntil(client.getConnectionStatus(target))).toBe('connected');
    expect(await clock.runUntil(client.getConnectionStatus('mi-00000000000000000'))).toBe('notconnected');
    await clock.runUntil(agent.stop());
    await clock.advance(1000);
    await expect(clock.runUntil(client.startSession({ target }))).rejects.toMatchObject({
      code: 'ERR_TARGET_NOT_CONNECTED',
    });
  });

  test('refuse a client that does not know the secret', async () => {
    const { clock, client, connections } = await wholeLine();
    const stranger = new SessionClient({
      region,
      credentials: { accessKeyId: 'AKIAJANE', secretAccessKey: 'a guess' },
      endpoint: 'https://ssm.test',
      platform: { clock, transport: connections },
    });
    await expect(clock.runUntil(stranger.startSession({ target }))).rejects.toMatchObject({
      code: 'ERR_CREDENTIALS_REFUSED',
    });
    await expect(clock.runUntil(client.terminateSession('jane-0123456789abcdef0'))).rejects.toMatchObject({
      code: 'ERR_SESSION_NOT_FOUND',
    });
  });
});
