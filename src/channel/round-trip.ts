/**
 * Round-trip time and retransmission timeout after Jacobson and Karels, with the gains of the real programs
 * (PROTOCOL.md section 6) and a floor and a backoff that those lack.
 */
export class RoundTripTime {
  #smoothed = INITIAL_ROUND_TRIP;
  #variation = 0;
  #timeout = INITIAL_TIMEOUT;
  #minimum = Number.POSITIVE_INFINITY;
  #backoff = 1;

  /** Smoothed round-trip time, in milliseconds; 100 before the first sample. */
  get smoothed(): number {
    return this.#smoothed;
  }

  get measured(): boolean {
    return this.#minimum !== Number.POSITIVE_INFINITY;
  }

  /** The shortest sample so far; infinite before the first. */
  get minimum(): number {
    return this.#minimum;
  }

  /** The retransmission timeout with its backoff, in milliseconds. */
  get timeout(): number {
    return Math.min(this.#timeout * this.#backoff, MAX_TIMEOUT);
  }

  /** Takes the time between a message sent once and its acknowledge. */
  sample(roundTrip: number): void {
    const measured = Math.min(Math.max(roundTrip, 0), MAX_TIMEOUT);
    if (!this.measured) {
      this.#smoothed = measured;
      this.#variation = measured / 2;
    } else {
      this.#variation += (Math.abs(measured - this.#smoothed) - this.#variation) / 4;
      this.#smoothed += (measured - this.#smoothed) / 8;
    }
    this.#minimum = Math.min(this.#minimum, measured);
    const timeout = this.#smoothed + Math.max(CLOCK_GRANULARITY, 4 * this.#variation);
    this.#timeout = Math.min(Math.max(timeout, MIN_TIMEOUT), MAX_MEASURED_TIMEOUT);
  }

  /** The timeout passed with no answer. */
  backOff(): void {
    if (this.timeout < MAX_TIMEOUT) this.#backoff *= 2;
  }

  /** An answer came, or the connection is new. */
  resetBackoff(): void {
    this.#backoff = 1;
  }
}

/** Milliseconds; these four are the real programs'. */
const INITIAL_ROUND_TRIP = 100;
const INITIAL_TIMEOUT = 200;
const CLOCK_GRANULARITY = 10;
/** Before backoff: a receiver that holds back acknowledges makes round trips look longer than they are. */
const MAX_MEASURED_TIMEOUT = 1_000;
/** Below this a pause of the other side's garbage collector looks like a loss. */
const MIN_TIMEOUT = 100;
const MAX_TIMEOUT = 5_000;
