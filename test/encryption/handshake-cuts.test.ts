import type { AgentSession } from 'hawser/agent';
import type { KeyService } from 'hawser/kms';
import { describe, expect, test } from 'vitest';
import { type EncryptedWorld, encryptedWorld } from './world.ts';

/** A key service takes so many milliseconds. */
const ASKED = 40;

async function echo(session: AgentSession) {
  for await (const bytes of session.input) await session.write(bytes);
  return {};
}

/** Each answer takes its time, and is counted. */
function slow(keys: KeyService, world: () => EncryptedWorld, asked: string[]): KeyService {
  const wait = () => new Promise<void>((resolve) => world().clock.schedule(ASKED, resolve));
  return {
    async generateDataKey(...call) {
      asked.push('generateDataKey');
      await wait();
      return keys.generateDataKey(...call);
    },
    async decrypt(...call) {
      asked.push('decrypt');
      await wait();
      return keys.decrypt(...call);
    },
  };
}

describe.each([
  ['both ends', undefined],
  ['the client', 'client'],
  ['the agent', 'agent'],
] as const)('%s lost in the middle of the handshake', (_, who) => {
  test.each(Array.from({ length: 15 }, (_, i) => i * 8))('%i ms after the start', async (after) => {
    const asked: string[] = [];
    const world: EncryptedWorld = await encryptedWorld({
      handlers: { Standard_Stream: echo },
      clientKeys: (keys) => slow(keys, () => world, asked),
      agentKeys: (keys) => slow(keys, () => world, asked),
    });
    const session = await world.start();
    await world.clock.advance(after);
    world.cut(who);
    await world.clock.runUntil(session.ready);
    expect(session.encrypted).toBe(true);
    await world.clock.runUntil(session.stdin.getWriter().write(Buffer.from('typed')));
    const { value } = await world.clock.runUntil(session.stdout.getReader().read());
    expect(Buffer.from(value!).toString()).toBe('typed');
    expect(asked).toEqual(['generateDataKey', 'decrypt']);
  });
});
