import type { Clock } from '../base/clock.ts';

/**
 * The service's time, which signatures are made at and credentials expire by. It is this machine's own until the
 * service refuses a signature and its answer shows another one.
 */
export class ServiceClock {
  readonly #clock: Clock;
  /** What to add to this machine's time. */
  #offset = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#clock.now() + this.#offset;
  }

  /**
   * Takes over the `Date` of an answer that refuses a signature; answers of success are not to be asked.
   *
   * @returns whether that made a difference, so that signing again may help
   */
  correct(refusal: Response): boolean {
    const offset = Date.parse(refusal.headers.get('date') ?? '') - this.#clock.now();
    if (!(Math.abs(offset - this.#offset) > TOLERATED_SKEW) || Math.abs(offset) > MAX_OFFSET) return false;
    this.#offset = offset;
    return true;
  }
}

/** Milliseconds. The service tolerates five minutes. */
const TOLERATED_SKEW = 4 * 60_000;
/** Further off, certificates would not have been valid, and it is the answer that is not to be believed. */
const MAX_OFFSET = 366 * 24 * 3_600_000;
