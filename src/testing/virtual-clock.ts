import type { CancelTimer, Clock } from '../base/clock.ts';
import { HawserError } from '../base/error.ts';
import { turn } from './turn.ts';

/**
 * A clock that stands still until told to go on. Timers fire in order of their due time, then of their
 * scheduling; before each one, everything that waits on promises alone settles (one turn of the event loop,
 * `turn.ts`), so a chain of streams and awaits behaves as if the wait had been real.
 *
 *     const clock = new VirtualClock();
 *     const session = await clock.runUntil(client.startSession({ target: 'mi-1' }));
 *     await clock.advance(10 * 60_000); // the laptop sleeps
 *
 * Limit: work of other threads (WebCrypto, real sockets, child processes) takes real time, which this clock
 * knows nothing of. `runUntil` waits for a little of it when no timer is left.
 */
export class VirtualClock implements Clock {
  /** Time as timers count it: it only goes on. */
  #elapsed = 0;
  /** What the wall clock shows beyond that. */
  #wall: number;
  #timers: Timer[] = []; // sorted by due time, ties in order of scheduling

  /** @param now start, in milliseconds since the epoch. Default 2026-01-01T00:00:00Z. */
  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#wall = now;
  }

  now(): number {
    return this.#wall + this.#elapsed;
  }

  /**
   * Sets the wall clock forward by `ms` milliseconds, or back by a negative number of them, as an operator or NTP does:
   * no time passes, and no timer fires for it.
   */
  jump(ms: number): void {
    this.#wall += ms;
  }

  schedule(delay: number, callback: () => void): CancelTimer {
    if (Number.isNaN(delay)) throw new RangeError('A timer was scheduled with a delay that is not a number.');
    const timer = { due: this.#elapsed + Math.max(0, delay), callback };
    const after = this.#timers.findIndex((other) => other.due > timer.due);
    this.#timers.splice(after < 0 ? this.#timers.length : after, 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  /** Timers that have not fired: what a test checks to prove that nothing was left behind. */
  get pending(): number {
    return this.#timers.length;
  }

  /** When the next timer is due, in milliseconds since the epoch. */
  get nextDue(): number | undefined {
    const next = this.#timers[0];
    return next && this.#wall + next.due;
  }

  /**
   * Lets `ms` milliseconds pass, and everything that happens in them happen. An error thrown by a timer is
   * thrown here, the time standing where it happened.
   */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms;
    await turn();
    while (this.#fireNext(until)) await turn();
    this.#elapsed = Math.max(this.#elapsed, until);
  }

  /**
   * Goes from timer to timer until `promise` settles, and answers as it does.
   *
   * @param limit virtual milliseconds to spend at most. Default one hour.
   * @throws {VirtualTimeError} `ERR_VIRTUAL_TIME_LIMIT` when the promise is still pending after `limit`;
   * `ERR_VIRTUAL_TIME_IDLE` when no timer is left that could settle it.
   */
  async runUntil<T>(promise: PromiseLike<T>, limit: number = HOUR): Promise<T> {
    const until = this.#elapsed + limit;
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    let idleSince = realTime();
    for (;;) {
      await turn();
      if (settled) return promise;
      if (this.#fireNext(until)) idleSince = realTime();
      else if (this.#timers.length > 0) throw timeLimit(limit, 'the promise is still pending');
      else if (realTime() - idleSince > IDLE_PATIENCE) throw idle();
    }
  }

  /**
   * Goes from timer to timer until none is left.
   *
   * @param limit virtual milliseconds to spend at most. Default one hour.
   * @throws {VirtualTimeError} `ERR_VIRTUAL_TIME_LIMIT` when timers are left after `limit`
   */
  async runUntilIdle(limit: number = HOUR): Promise<void> {
    const until = this.#elapsed + limit;
    await turn();
    while (this.#fireNext(until)) await turn();
    if (this.#timers.length > 0) throw timeLimit(limit, `${this.#timers.length} timers are left`);
  }

  #fireNext(until: number): boolean {
    const next = this.#timers[0];
    if (!next || next.due > until) return false;
    this.#timers.shift();
    this.#elapsed = Math.max(this.#elapsed, next.due);
    next.callback();
    return true;
  }
}

/** Virtual time ran out, or could not go on, before what a test waited for. */
export class VirtualTimeError extends HawserError {
  declare readonly code: 'ERR_VIRTUAL_TIME_LIMIT' | 'ERR_VIRTUAL_TIME_IDLE';

  constructor(code: VirtualTimeError['code'], message: string) {
    super(code, message);
  }
}

interface Timer {
  /** In elapsed time. */
  readonly due: number;
  readonly callback: () => void;
}

const HOUR = 3_600_000;

/** Real milliseconds granted to other threads before a promise counts as stuck: they may wait long for a processor. */
const IDLE_PATIENCE = 1000;

// Captured at load, as in turn.ts.
const realTime = performance.now.bind(performance);

function timeLimit(limit: number, what: string): VirtualTimeError {
  return new VirtualTimeError(
    'ERR_VIRTUAL_TIME_LIMIT',
    `After ${limit} ms of virtual time ${what}. Something waits for an event that never comes, or a timer renews itself; pass a larger limit if it is meant to take longer.`,
  );
}

function idle(): VirtualTimeError {
  return new VirtualTimeError(
    'ERR_VIRTUAL_TIME_IDLE',
    'The promise is pending and no timer is scheduled: nothing on this clock can ever settle it. Is something on another clock, or waiting for the test itself?',
  );
}
