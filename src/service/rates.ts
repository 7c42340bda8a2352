import type { Clock } from '../base/clock.ts';
import { ApiError } from './api-error.ts';
import type { Operation } from './operations/operation.ts';

/** Calls in a second, by the name of the operation: `StartSession`. What is not named is not limited. */
export type ServiceRates = Readonly<Record<string, number>>;

/** What AWS grants an account in a region (CONTROL-PLANE.md section 1.5). */
export const AWS_RATES: ServiceRates = {
  StartSession: 3,
  ResumeSession: 6,
  TerminateSession: 6,
  DescribeSessions: 6,
  GetConnectionStatus: 50,
};

/** Callers and operations that are counted at a time; beyond that the one that called least recently starts anew. */
const MAX_BUCKETS = 10_000;

interface Bucket {
  /** Calls that may come at once. */
  readonly tokens: number;
  readonly at: number;
}

/** A token bucket for each operation and caller. As much as a second brings may come at once. */
export class Rates {
  readonly #rates: ReadonlyMap<string, number>;
  readonly #clock: Pick<Clock, 'now'>;
  /** The least recently used first. */
  readonly #buckets = new Map<string, Bucket>();

  /** @throws {RangeError} for a rate that is not more than 0 */
  constructor(rates: ServiceRates, clock: Pick<Clock, 'now'>) {
    for (const [name, rate] of Object.entries(rates)) {
      if (!(rate > 0)) throw new RangeError(`The rate of ${name} must be more than 0, and is ${rate}.`);
    }
    this.#rates = new Map(Object.entries(rates));
    this.#clock = clock;
  }

  /** The operation, for so many calls. Those who call too often learn nothing else, and cost nothing else. */
  limit(operation: Operation): Operation {
    const rate = this.#rates.get(operation.name);
    if (rate === undefined) return operation;
    return {
      ...operation,
      handle: async (input, call) => {
        if (this.#take(JSON.stringify([operation.name, call.principal.arn]), rate)) {
          return operation.handle(input, call);
        }
        throw new ApiError('ThrottlingException', 'Rate exceeded');
      },
    };
  }

  #take(key: string, rate: number): boolean {
    const now = this.#clock.now();
    const full = Math.max(1, rate);
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: full, at: now };
    const left = Math.min(full, tokens + ((now - at) / 1000) * rate);
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: left < 1 ? left : left - 1, at: now });
    if (this.#buckets.size > MAX_BUCKETS) {
      const [oldest] = this.#buckets.keys();
      this.#buckets.delete(oldest!);
    }
    return left >= 1;
  }
}
