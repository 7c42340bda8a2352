import type { Session } from 'hawser';
import type { AgentSession, SessionHandler } from 'hawser/agent';
import { decodeMessage, PayloadType } from 'hawser/channel';
import { sha256Digest } from 'hawser/crypto';
import { expect, test } from 'vitest';
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
