import type { Clock } from '../base/clock.ts';
import { type Deferred, deferred } from '../base/deferred.ts';

/**
 * Milliseconds. The agent gives up after 20 s, and takes what comes within 10 s for a failure (Mds.StopTimeoutMillis
 * and QuickResponseThreshold of amazon-ssm-agent).
 */
const HOLD = 18_000;

/** An agent has one at a time; those that it gave up on may not be known to be gone yet. */
const MAX_HELD = 4;

/** Calls of agents that ask for messages, of which there are none: their answers are held back. */
export class LongPolls {
  readonly #clock: Clock;
  readonly #held = new Map<string, Set<Deferred<void>>>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Until the time is up, the caller is gone, the service closes, or the node has too many others. */
  async hold(id: string, signal: AbortSignal): Promise<void> {
    if (this.#closed || signal.aborted) return;
    const poll = deferred();
    const held = this.#held.get(id) ?? new Set();
    this.#held.set(id, held.add(poll));
    if (held.size > MAX_HELD) for (const oldest of [...held].slice(0, -MAX_HELD)) oldest.resolve();
    const letGo = () => poll.resolve();
    signal.addEventListener('abort', letGo);
    const cancel = this.#clock.schedule(HOLD, letGo);
    await poll.promise;
    cancel();
    signal.removeEventListener('abort', letGo);
    held.delete(poll);
    if (held.size === 0) this.#held.delete(id);
  }

  /** Lets all go, and holds none any more. */
  close(): void {
    this.#closed = true;
    for (const held of this.#held.values()) for (const poll of held) poll.resolve();
  }
}
