import type { ForwardOptions, SessionClient } from '../core/client.ts';
import type { Forward } from '../core/port/forward.ts';
import { type Listener, type ListenOptions, listen } from './listen.ts';

/** A forward and where it begins. */
export interface ListenedForward extends ForwardOptions {
  readonly listen?: ListenOptions;
}

/** Several forwards as one. */
export interface Listeners {
  /** In the order in which they were asked for. */
  readonly listeners: readonly Listener[];
  readonly forwards: readonly Forward[];
  /** Stops listening and ends the sessions. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts several forwards, to one node or to many, each with a listener of its own. All or none: when one cannot be
 * started, the others are closed.
 *
 *     await using tunnels = await listenAll(client, [
 *       { target, port: 5432, listen: { port: 5432 } },
 *       { target, port: 80, host: 'intranet', listen: { port: 8080 } },
 *     ]);
 *
 * @throws what `SessionClient.forward` and {@link listen} throw, of the first that failed
 */
export async function listenAll(
  client: Pick<SessionClient, 'forward'>,
  wanted: readonly ListenedForward[],
): Promise<Listeners> {
  const started = await Promise.allSettled(wanted.map((one) => start(client, one)));
  const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const close = async () => {
    await Promise.all(
      running.map(async ({ listener, forward }) => {
        await listener.close();
        await forward.close();
      }),
    );
  };
  const failed = started.find((result) => result.status === 'rejected');
  if (failed) {
    await close();
    throw failed.reason;
  }
  return {
    listeners: running.map(({ listener }) => listener),
    forwards: running.map(({ forward }) => forward),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function start(client: Pick<SessionClient, 'forward'>, { listen: where, ...options }: ListenedForward) {
  const forward = await client.forward(options);
  try {
    return { forward, listener: await listen(forward, where) };
  } catch (error) {
    await forward.close();
    throw error;
  }
}
