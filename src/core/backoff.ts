import type { RandomSource } from '../base/random.ts';

/**
 * How long to wait before try number `attempt` + 1: exponential with full jitter, anything from nothing to
 * `base * 2 ** (attempt - 1)` or `cap` milliseconds. Clients that failed together do not come back together.
 */
export function backoff(random: RandomSource, attempt: number, base: number, cap: number): number {
  return random.random() * Math.min(cap, base * 2 ** (attempt - 1));
}
