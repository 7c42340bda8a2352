/**
 * Tells when a socket is dead though nobody said so: a laptop that slept, a network that changed, a firewall
 * that forgot. No IO; a driver asks it at {@link Liveness.deadline}.
 *
 * Where the socket can ping, half a minute of silence makes a ping, and another half without any answer is
 * the end. When the silence is found to be much longer, the machine has slept, and five seconds are enough.
 * Where it cannot ping, unacknowledged frames take the place of the ping; with none, silence means nothing.
 */
export class Liveness {
  readonly #canPing: boolean;
  #heardAt: number;
  /** Since when an answer is due. */
  #probedAt: number | undefined;
  #patience = INTERVAL;

  constructor(canPing: boolean, now: number) {
    this.#canPing = canPing;
    this.#heardAt = now;
  }

  /** Something came from the peer: a message, a pong. */
  heard(now: number): void {
    this.#heardAt = now;
    this.#probedAt = undefined;
  }

  /** When to call {@link check}. */
  get deadline(): number {
    return this.#probedAt === undefined ? this.#heardAt + INTERVAL : this.#probedAt + this.#patience;
  }

  /**
   * @param unacknowledged whether frames that were sent wait for an answer
   * @returns what to do: send a ping, or give the socket up
   */
  check(now: number, unacknowledged: boolean): 'ping' | 'dead' | undefined {
    if (now < this.deadline) return undefined;
    const expecting = this.#canPing || unacknowledged;
    if (!expecting) {
      this.heard(now);
      return undefined;
    }
    if (this.#probedAt !== undefined) return 'dead';
    this.#patience = this.#canPing && now - this.#heardAt > 2 * INTERVAL ? SHORT_PATIENCE : INTERVAL;
    this.#probedAt = now;
    return this.#canPing ? 'ping' : undefined;
  }
}

/** Milliseconds. */
const INTERVAL = 30_000;
const SHORT_PATIENCE = 5_000;
