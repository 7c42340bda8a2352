import type { AgentSession, SessionHandler } from 'hawser/agent';
import { describe, expect, test } from 'vitest';
import { connectedWorld, Screen, type World } from './world.ts';

const SECOND = 1000;

/** A handler that hands its session to the test, and ends when the test says. */
function held() {
  let give!: (session: AgentSession) => void;
  let end!: (result: { exitCode?: number; output?: string }) => void;
  const session = new Promise<AgentSession>((resolve) => {
    give = resolve;
  });
  const handler: SessionHandler = (session) => {
    give(session);
    return new Promise((resolve) => {
      end = resolve;
    });
  };
  return { handler, session, end: (result = {}) => end(result) };
}

async function pair(documents?: Parameters<typeof connectedWorld>[0]['documents']) {
  const { handler, session, end } = held();
  const world = await connectedWorld({
    handlers: { Standard_Stream: handler },
    ...(documents && { documents }),
  });
  const client = await world.start();
  return { ...world, client, session: await world.clock.runUntil(session), end };
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}

describe('what a handler knows', () => {
  test('who started the session, and the document', async () => {
    const { session, client } = await pair();
    expect(session).toMatchObject({
      sessionId: client.sessionId,
      sessionType: 'Standard_Stream',
      documentName: 'SSM-SessionManagerRunShell',
      sessionOwner: 'arn:aws:iam::111122223333:user/tester',
      runAsUser: '',
      inputs: { kmsKeyId: '' },
    });
  });

  test('the size of the terminal, and its changes', async () => {
    const { session, client, clock } = await pair();
    const sizes: unknown[] = [];
    const stop = session.onResize((size) => sizes.push(size));
    expect(session.size).toBeUndefined();
    await session.write(new Uint8Array([36]));
    client.resize({ cols: 100, rows: 30 });
    await clock.advance(20);
    client.resize({ cols: 101, rows: 31 });
    await clock.advance(20);
    stop();
    client.resize({ cols: 102, rows: 32 });
    await clock.advance(20);
    expect(sizes).toEqual([
      { cols: 100, rows: 30 },
      { cols: 101, rows: 31 },
    ]);
    expect(session.size).toEqual({ cols: 102, rows: 32 });
  });
});

describe('the streams of a session', () => {
  test('carry a million bytes each way, unchanged', async () => {
    const { session, client, clock, end } = await pair();
    const bytes = pattern(1_000_000);
    const echo = (async () => {
      for await (const chunk of session.input) await session.write(chunk);
    })();
    await session.write(pattern(1));
    const writer = client.stdin.getWriter();
    const written = writer.write(bytes);
    const reader = client.stdout.getReader();
    const parts: Uint8Array[] = [];
    for (let length = 0; length < bytes.length + 1; ) {
      const { value } = await clock.runUntil(reader.read());
      parts.push(value!);
      length += value!.length;
    }
    await clock.runUntil(written);
    expect(Buffer.concat(parts).subarray(1).equals(bytes)).toBe(true);
    end();
    await clock.runUntil(echo);
  });

  test('keep stderr apart', async () => {
    const { session, client, clock, end } = await pair();
    const stdout = readAll(client.stdout);
    const stderr = readAll(client.stderr);
    await session.write(new TextEncoder().encode('out'));
    await session.writeStderr(new TextEncoder().encode('err'));
    end();
    expect(new TextDecoder().decode(await clock.runUntil(stdout))).toBe('out');
    expect(new TextDecoder().decode(await clock.runUntil(stderr))).toBe('err');
  });

  test('hold the handler back while the client does not read', async () => {
    const { session, client, clock, end } = await pair();
    let written = false;
    const writing = session.write(pattern(4_000_000)).then(() => {
      written = true;
    });
    await clock.advance(60 * SECOND);
    expect(written).toBe(false);
    const all = readAll(client.stdout);
    await clock.runUntil(writing);
    end();
    expect((await clock.runUntil(all)).length).toBe(4_000_000);
  });

  test('hold the client back while the handler does not read', async () => {
    const { session, client, clock } = await pair();
    await session.write(pattern(1));
    const writer = client.stdin.getWriter();
    let written = 0;
    void (async () => {
      for (let i = 0; i < 50; i++) {
        await writer.write(pattern(100_000));
        written += 100_000;
      }
    })();
    await clock.advance(60 * SECOND);
    expect(written).toBeLessThan(4_000_000);
    let length = 0;
    void (async () => {
      for await (const chunk of session.input) length += chunk.length;
    })();
    await clock.advance(60 * SECOND);
    expect(length).toBe(5_000_000);
  });

  test('can be read once only', async () => {
    const { session } = await pair();
    void session.input[Symbol.asyncIterator]().next();
    await expect(session.input[Symbol.asyncIterator]().next()).rejects.toThrow(TypeError);
  });

  test('survive a data channel that breaks again and again', async () => {
    const { session, client, clock, agentTransport, end } = await pair();
    const all = readAll(client.stdout);
    const bytes = pattern(1_000_000);
    const writing = session.write(bytes);
    for (let i = 0; i < 5; i++) {
      await clock.advance(20);
      agentTransport.connections.at(-1)?.cut();
    }
    await clock.runUntil(writing);
    end({ exitCode: 4 });
    expect(Buffer.from(await clock.runUntil(all)).equals(bytes)).toBe(true);
    expect(await clock.runUntil(client.ended)).toMatchObject({ exitCode: 4, reason: 'CommandExited' });
  });
});

describe('the end of a session', () => {
  test('gives the client the exit status and the last word', async () => {
    const { client, clock, end } = await pair();
    end({ exitCode: 42, output: 'goodbye' });
    expect(await clock.runUntil(client.ended)).toMatchObject({
      reason: 'CommandExited',
      exitCode: 42,
      message: 'goodbye',
    });
  });

  test('waits for a slow reader: the last output is not lost', async () => {
    const { session, client, clock, end } = await pair();
    const bytes = pattern(2_000_000);
    await clock.advance(SECOND);
    const writing = session.write(bytes);
    writing.then(() => end({ exitCode: 0 }));
    const reader = client.stdout.getReader();
    let length = 0;
    for (let pauses = 0; length < bytes.length; ) {
      const { value } = await clock.runUntil(reader.read());
      length += value!.length;
      if (length > pauses * 250_000) {
        pauses++;
        await clock.advance(60 * SECOND);
      }
    }
    expect(await clock.runUntil(client.ended)).toMatchObject({ reason: 'CommandExited', exitCode: 0 });
  });

  test('waits five minutes for a reader that has stopped, and no longer', async () => {
    const { session, client, clock, agent, end } = await pair();
    const reader = client.stdout.getReader();
    void session.write(pattern(3_000_000)).catch(() => {});
    await clock.runUntil(reader.read());
    await clock.advance(SECOND);
    end();
    await clock.advance(298 * SECOND);
    expect(agent.sessionCount).toBe(1);
    await clock.advance(3 * SECOND);
    expect(agent.sessionCount).toBe(0);
  });

  test('waits eleven minutes for a client that is away, and no longer', async () => {
    const { session, clock, agent, end, disconnectClient } = await pair();
    await session.write(pattern(4_000));
    await clock.advance(SECOND);
    disconnectClient();
    await session.write(pattern(4_000));
    end();
    await clock.advance(659 * SECOND);
    expect(agent.sessionCount).toBe(1);
    await clock.advance(2 * SECOND);
    expect(agent.sessionCount).toBe(0);
  });

  test('by an error of the handler tells the client what it was', async () => {
    const world = await connectedWorld({
      handlers: {
        Standard_Stream: async (session) => {
          await session.write(new TextEncoder().encode('before'));
          throw new Error('no such shell');
        },
      },
    });
    const screen = new Screen(await world.start(), world.clock);
    expect(await screen.end()).toMatchObject({
      rest: 'before',
      reason: 'AgentFailure',
      message: 'no such shell',
    });
  });

  test('by the client aborts the signal, ends the input and fails writes', async () => {
    const { session, client, clock } = await pair();
    const input = (async () => {
      for await (const _ of session.input);
      return 'ended';
    })();
    await session.write(pattern(10));
    void client.terminate();
    expect(await clock.runUntil(input)).toBe('ended');
    await clock.advance(1);
    expect(session.signal.aborted).toBe(true);
    await expect(session.write(pattern(1))).rejects.toMatchObject({ code: 'ERR_AGENT_SESSION_ENDED' });
  });

  test('by stop() delivers what the handler says on its way out', async () => {
    const world = await connectedWorld({
      handlers: {
        Standard_Stream: (session) =>
          new Promise((resolve) => {
            session.signal.addEventListener('abort', async () => {
              await session.write(new TextEncoder().encode('shutting down'));
              resolve({});
            });
          }),
      },
    });
    const screen = new Screen(await world.start(), world.clock);
    await world.clock.advance(20);
    const stopped = world.agent.stop();
    expect(await screen.end()).toMatchObject({
      rest: 'shutting down',
      reason: 'AgentFailure',
      message: 'The agent of the managed node was stopped.',
    });
    await world.clock.runUntil(stopped);
  });
});

describe('the handshake', () => {
  const documents = {
    'Custom-Type': {
      schemaVersion: '1.0',
      sessionType: 'Custom',
      properties: { colour: 'red' },
    },
  } as const;

  async function custom(handler: SessionHandler): Promise<World> {
    return connectedWorld({ handlers: { Custom: handler }, documents });
  }

  test('tells the client the session type and the properties, and lets its input through', async () => {
    const world = await custom(async (session) => {
      await session.handshake();
      await session.handshake(); // once is enough
      for await (const bytes of session.input) {
        await session.write(bytes);
        return { exitCode: 0 };
      }
      return {};
    });
    const client = await world.start({ documentName: 'Custom-Type' });
    const ready = new Promise((resolve) => client.once('ready', resolve));
    const screen = new Screen(client, world.clock);
    expect(await screen.type('ping', 'ping')).toBe('ping');
    expect(await ready).toMatchObject({
      handshake: { sessionType: 'Custom', properties: { colour: 'red' } },
    });
    expect(await screen.end()).toMatchObject({ exitCode: 0 });
  });
});
