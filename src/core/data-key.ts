import type { Clock } from '../base/clock.ts';
import type { DataChannel } from '../channel/data-channel.ts';
import type { DataKeyEvent } from '../channel/events.ts';
import { type DataKey, type KeyService, KeyServiceError } from '../crypto/kms/key-service.ts';
import { withDeadline } from './deadline.ts';

/**
 * Asks for the data key that a channel needs. Never rejects.
 *
 * @param signal fires at the end of the session
 * @returns what gives the channel its answer: the key, or why there is none, which ends the session
 */
export async function answerDataKey(
  event: DataKeyEvent,
  keyService: KeyService,
  clock: Clock,
  signal: AbortSignal,
): Promise<(channel: DataChannel) => void> {
  const timedOut = () =>
    new KeyServiceError('ERR_KEY_SERVICE', `The key service did not answer within ${LIMIT / 1000} seconds.`);
  try {
    const dataKey = await withDeadline(clock, LIMIT, signal, timedOut, async (signal) => {
      const dataKey = await ask(event, keyService, signal);
      if (signal.aborted) dataKey.plaintext.fill(0); // nobody waits for it any more
      return dataKey;
    });
    return (channel) => channel.handleDataKey(dataKey, clock.now());
  } catch (error) {
    const reason = error instanceof Error ? error : new Error(String(error));
    return (channel) => channel.handleDataKeyError(reason);
  }
}

type Answer = Pick<DataKey, 'plaintext'> & Partial<DataKey>;

async function ask(event: DataKeyEvent, keyService: KeyService, signal: AbortSignal): Promise<Answer> {
  const { keyId, context } = event;
  if (event.type === 'generateDataKey') return keyService.generateDataKey(keyId, context, { signal });
  return { plaintext: await keyService.decrypt(event.ciphertext, context, { keyId, signal }) };
}

/** Milliseconds: for as long the agent waits for its client (PROTOCOL.md section 7). */
const LIMIT = 15_000;
