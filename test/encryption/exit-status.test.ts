import { decodeMessage, encodeMessage, MessageType } from 'hawser/channel';
import { sha256Digest } from 'hawser/crypto';
import { describe, expect, test } from 'vitest';
import { type EncryptedWorldOptions, encryptedWorld } from './world.ts';

/** A service that says of every session that its command has ended with status 0. */
function lying(frame: Uint8Array): readonly Uint8Array[] {
  const message = decodeMessage(frame, sha256Digest);
  if (message.messageType !== MessageType.ChannelClosed) return [frame];
  const told = {
    ...JSON.parse(Buffer.from(message.payload).toString()),
    ExitCode: 0,
    EndReason: 'CommandExited',
  };
  const { messageType, messageId, createdDate } = message;
  const fields = { messageType, messageId: messageId!, createdDate, flags: 3 };
  return [encodeMessage({ ...fields, payload: Buffer.from(JSON.stringify(told)) }, sha256Digest)];
}

async function endWith(
  exitCode: number | undefined,
  options: Partial<EncryptedWorldOptions> & { readonly requireEncryption?: boolean },
) {
  const { requireEncryption, ...others } = options;
  const handler = async () => (exitCode === undefined ? {} : { exitCode });
  const world = await encryptedWorld({ handlers: { Standard_Stream: handler }, tell: lying, ...others });
  const session = await world.start({ requireEncryption });
  return world.clock.runUntil(session.ended);
}

describe('the service cannot make up the exit status', () => {
  test('of an encrypted session, whose agent has told it', async () => {
    expect(await endWith(7, {})).toMatchObject({ reason: 'CommandExited', exitCode: 7 });
  });

  test('of an encrypted session, whose agent has told none', async () => {
    expect(await endWith(undefined, {})).not.toHaveProperty('exitCode');
  });

  test('of one that must be encrypted, and ends before it is', async () => {
    const end = await endWith(7, { agentKeys: () => undefined, requireEncryption: true });
    expect(end).not.toHaveProperty('exitCode');
  });

  test('but of one in the clear, as the control case', async () => {
    expect(await endWith(7, { encrypted: false })).toMatchObject({ exitCode: 0 });
  });
});

test('a session says whether it is encrypted, once it knows', async () => {
  for (const encrypted of [true, false]) {
    const handler = () => new Promise<never>(() => {});
    const handlers = {
      Standard_Stream: async (session: { handshake(): Promise<unknown> }) => {
        await session.handshake();
        return handler();
      },
    };
    const world = await encryptedWorld({ handlers, encrypted });
    const session = await world.start();
    expect(session.encrypted).toBe(false);
    await world.clock.runUntil(session.ready);
    expect(session.encrypted).toBe(encrypted);
    await world.clock.runUntil(session.terminate());
  }
});
