/** Where time comes from. Every timer of the library runs on one of these, so tests can own the time. */
export interface Clock {
  /** Milliseconds since the epoch. May carry a fraction; must not go backwards within one session. */
  now(): number;
  /** Calls `callback` once after `delay` milliseconds; the answer cancels it. */
  schedule(delay: number, callback: () => void): CancelTimer;
}

export type CancelTimer = () => void;

/**
 * A clock over `clock` that never goes back: when that one is set back, this one stays ahead by as much. (Signing
 * corrects for that by the service's own date.)
 */
export function steadyClock(clock: Clock): Clock {
  let last = Number.NEGATIVE_INFINITY;
  let ahead = 0;
  return {
    now() {
      const time = clock.now();
      if (time + ahead < last) ahead = last - time;
      last = time + ahead;
      return last;
    },
    schedule: (delay, callback) => clock.schedule(delay, callback),
  };
}
