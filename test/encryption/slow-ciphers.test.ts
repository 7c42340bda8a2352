import { createHash } from 'node:crypto';
import type { Session } from 'hawser';
import type { AgentSession, SessionHandler } from 'hawser/agent';
import { decodeMessage, PayloadType } from 'hawser/channel';
import { sha256Digest } from 'hawser/crypto';
import { describe, expect, test } from 'vitest';
import { encryptedWorld } from './world.ts';

const CIPHER_DELAY = 20;

function slowWorld(handler: SessionHandler, options = {}) {
  return encryptedWorld({ handlers: { Standard_Stream: handler }, cipherDelay: CIPHER_DELAY, ...options });
}

async function textOf(stream: Session['stdout']): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += Buffer.from(chunk).toString();
  return text;
}

function eventsOf(session: Session): string[] {
  const events: string[] = [];
  for (const name of ['reconnecting', 'resumed', 'lost', 'exitCode', 'dropped', 'ended'] as const)
    session.on(name, () => events.push(name));
  return events;
}

test('a session that ends while its last output is being decrypted is no lost connection', async () => {
  const lines = Array.from({ length: 50 }, (_, i) => `line ${i}\n`);
  const world = await slowWorld(async (session: AgentSession) => {
    for (const line of lines) await session.write(Buffer.from(line));
    return { exitCode: 3 };
  });
  const session = await world.start();
  const events = eventsOf(session);
  const stdout = textOf(session.stdout);
  expect(await world.clock.runUntil(session.ended)).toMatchObject({ exitCode: 3, reason: 'CommandExited' });
  expect(await stdout).toBe(lines.join(''));
  expect(events).toEqual(['exitCode', 'ended']);
});

test('close takes the output that has come and is being decrypted', async () => {
  const world = await slowWorld(async (session: AgentSession) => {
    for (let i = 0; !session.signal.aborted; i++) {
      await session.write(Buffer.from(`${i} `));
      await new Promise<void>((resolve) => world.clock.schedule(5, resolve));
    }
    return {};
  });
  const session = await world.start();
  const events = eventsOf(session);
  const stdout = textOf(session.stdout);
  await world.clock.runUntil(session.ready);
  await world.clock.advance(200);
  expect(await world.clock.runUntil(session.close())).toMatchObject({ reason: 'ClientEnded' });
  const sent = world.tap.frames.filter(
    ({ from, frame }) =>
      from === 'agent' && decodeMessage(frame, sha256Digest).payloadType === PayloadType.Output,
  );
  expect((await stdout).trim().split(' ')).toHaveLength(sent.length);
  expect(events).toEqual(['ended']);
});

test('megabytes go both ways whole and in order, over cuts, and with readers that stop', async () => {
  const world = await slowWorld(async (session: AgentSession) => {
    for await (const bytes of session.input) await session.write(bytes);
    return {};
  });
  const session = await world.start();
  const dropped: unknown[] = [];
  session.on('dropped', (error) => dropped.push(error));
  await world.clock.runUntil(session.ready);
  const sent = createHash('sha256');
  const received = createHash('sha256');
  const writer = session.stdin.getWriter();
  const write = async () => {
    for (let i = 0; i < SIZE / CHUNK; i++) {
      const bytes = Buffer.alloc(CHUNK, `${i} `);
      sent.update(bytes);
      await writer.write(bytes);
    }
  };
  let count = 0;
  const read = async () => {
    for await (const bytes of session.stdout) {
      received.update(bytes);
      count += bytes.length;
      if (count % 50 === 0) await new Promise<void>((resolve) => world.clock.schedule(40, resolve));
      if (count >= SIZE) return;
    }
  };
  for (let i = 1; i <= 6; i++) world.clock.schedule(i * 700, () => world.cut());
  await world.clock.runUntil(Promise.all([write(), read()]));
  expect(count).toBe(SIZE);
  expect(received.digest('hex')).toBe(sent.digest('hex'));
  expect(dropped).toEqual([]);
  await world.clock.runUntil(session.close());
  expect(session.state).toBe('ended');
});

describe.each(['terminate', 'close', 'abort', 'cut'] as const)('%s at any time', (how) => {
  test.each(Array.from({ length: 12 }, (_, i) => i * 14))(
    'after %i ms leaves nothing behind',
    async (after) => {
      const world = await slowWorld(async (session: AgentSession) => {
        for (let i = 0; !session.signal.aborted && i < 40; i++) await session.write(Buffer.alloc(500, 'x'));
        for await (const bytes of session.input) await session.write(bytes);
        return { exitCode: 1 };
      });
      const controller = new AbortController();
      const session = await world.start({ signal: controller.signal });
      const [stdout, stderr] = [textOf(session.stdout), textOf(session.stderr)];
      const writer = session.stdin.getWriter();
      writer.closed.catch(() => {});
      writer.write(Buffer.from('typed ahead')).catch(() => {});
      await world.clock.advance(after);
      session.interrupt();
      if (how === 'abort') controller.abort();
      else if (how === 'cut') {
        world.cut();
        await world.clock.advance(5_000);
        await world.clock.runUntil(session.ready);
        void session.close();
      } else void session[how]();
      await world.clock.runUntil(session.ended);
      await world.clock.runUntil(Promise.all([stdout, stderr]));
      await world.clock.advance(60_000);
      expect(world.outcomes).toHaveLength(1);
      await world.clock.runUntil(world.agent.stop());
    },
  );
});

const SIZE = 3 * 1024 * 1024;
const CHUNK = 24 * 1024;
