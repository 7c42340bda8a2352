/** Where time comes from. Every timer of the library runs on one of these, so tests can own the time. */
export interface Clock {
  /** Milliseconds since the epoch. May carry a fraction; must not go backwards within one session. */
  now(): number;
  /** Calls `callback` once after `delay` milliseconds; the answer cancels it. */
  schedule(delay: number, callback: () => void): CancelTimer;
}

export type CancelTimer = () => void;
