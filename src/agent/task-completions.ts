import type { CancelTimer, Clock } from '../base/clock.ts';
import { type Deferred, deferred } from '../base/deferred.ts';

/** Sends `agent_task_complete`; answers whether there was a connection to send it on. */
export type SendCompletion = (retryNumber: number) => boolean;

/**
 * Ends of sessions that the service has not acknowledged yet: each is sent up to three times, one second apart
 * (PROTOCOL.md section 5), on every connection: the machine of a service can be lost for longer than that before anybody
 * notices, and what comes after it knows the session by its store. Tries without a connection do not count, so an end
 * that happens while the control channel is down is told when it is back.
 */
export class TaskCompletions {
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when the service knows, or was told three times. */
  add(sessionId: string, send: SendCompletion): Promise<void> {
    const done = deferred();
    const pending: Pending = { send, done, tries: 0, cancel: undefined };
    this.#pending.set(sessionId, pending);
    for (const [oldest, dropped] of this.#pending) {
      if (this.#pending.size <= MAX_PENDING) break;
      this.#settle(oldest, dropped);
    }
    this.#try(sessionId, pending);
    return done.promise;
  }

  acknowledged(sessionId: string): void {
    const pending = this.#pending.get(sessionId);
    if (pending) this.#settle(sessionId, pending);
  }

  /** The control channel is up. What went into the last connection may be lost with it. */
  connected(): void {
    for (const [sessionId, pending] of this.#pending) {
      pending.cancel?.();
      pending.tries = 0;
      this.#try(sessionId, pending);
    }
  }

  /** Gives up on all. */
  abandon(): void {
    for (const [sessionId, pending] of this.#pending) this.#settle(sessionId, pending);
  }

  #try(sessionId: string, pending: Pending): void {
    if (pending.tries === MAX_TRIES) {
      pending.done.resolve(); // `connected` tells it again
      return;
    }
    if (!pending.send(pending.tries + 1)) return; // `connected` goes on
    pending.tries++;
    pending.cancel = this.#clock.schedule(RETRY_INTERVAL, () => this.#try(sessionId, pending));
  }

  #settle(sessionId: string, pending: Pending): void {
    pending.cancel?.();
    this.#pending.delete(sessionId);
    pending.done.resolve();
  }
}

interface Pending {
  readonly send: SendCompletion;
  readonly done: Deferred<void>;
  tries: number;
  cancel: CancelTimer | undefined;
}

const MAX_TRIES = 3;
const RETRY_INTERVAL = 1000;
/** Far more than sessions can be; refused starts count, too. The oldest is forgotten for one more. */
const MAX_PENDING = 10_000;
