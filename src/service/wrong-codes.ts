import type { Clock } from '../base/clock.ts';
import { ApiError } from './api-error.ts';

/** Milliseconds. */
const WINDOW = 60_000;

/**
 * Counts wrong activation codes, so that nobody can try them without end: registrations are not signed. It knows
 * activations alone, and each for a minute, so it cannot grow beyond them; and only who knows the id of an activation
 * can make it wait.
 */
export class WrongCodes {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #counts = new Map<string, { count: number; readonly until: number }>();

  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** @throws {ApiError} `TooManyUpdates`, the one that agents try again (CONTROL-PLANE.md section 2.8) */
  check(activationId: string): void {
    const counted = this.#counts.get(activationId);
    if (!counted || counted.until <= this.#clock.now() || counted.count < this.#limit) return;
    throw new ApiError(
      'TooManyUpdates',
      'Too many registrations with this activation failed. Wait a minute and try again.',
    );
  }

  note(activationId: string): void {
    const now = this.#clock.now();
    for (const [id, { until }] of this.#counts) if (until <= now) this.#counts.delete(id);
    const counted = this.#counts.get(activationId);
    if (counted) counted.count++;
    else this.#counts.set(activationId, { count: 1, until: now + WINDOW });
  }
}
