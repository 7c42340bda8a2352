import { backoff } from '../core/backoff.ts';
import { sleep } from '../core/deadline.ts';
import type { Platform } from '../core/platform.ts';

export interface ReconnectBackoff {
  /** Milliseconds before the second try at most; doubled for each further one. */
  readonly base: number;
  /** Milliseconds at most. */
  readonly cap: number;
}

/**
 * The waits between connections. A connection that held for half a minute starts the backoff anew; one that is
 * accepted and dropped at once does not, or there would be a hot loop (PROTOCOL.md section 1.8).
 */
export class Reconnect {
  readonly #platform: Platform;
  readonly #backoff: ReconnectBackoff;
  #attempt = 0;
  #triedAt: number;

  constructor(platform: Platform, backoff: ReconnectBackoff) {
    this.#platform = platform;
    this.#backoff = backoff;
    this.#triedAt = platform.clock.now();
  }

  /** Waits until the next try is due, or `signal` is aborted. To be called after each connection or failure. */
  async wait(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#platform;
    if (clock.now() - this.#triedAt >= STABLE) this.#attempt = 0;
    this.#attempt++;
    const { base, cap } = this.#backoff;
    await sleep(clock, backoff(random, this.#attempt, base, cap), signal).catch(() => {});
    this.#triedAt = clock.now();
  }
}

/** Milliseconds. */
const STABLE = 30_000;
