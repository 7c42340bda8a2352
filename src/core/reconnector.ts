import type { Clock } from '../base/clock.ts';
import type { RandomSource } from '../base/random.ts';
import { backoff } from './backoff.ts';
import { sleep } from './deadline.ts';
import { EndpointError, SessionError } from './errors.ts';
import { SessionNotFoundError } from './service-error.ts';
import type { Socket } from './socket.ts';

export interface ReconnectorOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Milliseconds to spend on one loss. */
  readonly budget: number;
  /** One try. Answers undefined, or throws {@link SessionNotFoundError}, when the session is over. */
  readonly connect: (signal: AbortSignal) => Promise<Socket | undefined>;
  readonly reconnecting: (event: Reconnecting) => void;
}

/** A try to resume the session is to come. */
export interface Reconnecting {
  /** Counts from 1 since a connection last held for ten seconds. */
  readonly attempt: number;
  /** Milliseconds until the try. */
  readonly delay: number;
  /** Why the connection was lost, or why the last try failed. */
  readonly error: Error;
}

/**
 * Brings a lost connection back: tries with full jitter until one succeeds or the budget is spent.
 *
 * Time in which the machine slept is not spent: each wait counts for no more than what was asked for. And a
 * connection counts as back only when the peer has been heard on it ({@link works}), so that one that opens
 * and breaks at once does not renew the budget. The waits begin short again only after one that held for ten
 * seconds: hawser's service greets every connection at once, also one that it closes right after, and two clients
 * that take a session from each other would do so several times a second.
 */
export class Reconnector {
  readonly #options: ReconnectorOptions;
  #attempt = 0;
  #spent = 0;
  #heard = false;
  #connectedAt: number;
  #hurry: AbortController | undefined;

  constructor(options: ReconnectorOptions) {
    this.#options = options;
    this.#connectedAt = options.clock.now();
  }

  /**
   * @throws {SessionError} `ERR_SESSION_LOST`
   * @throws {EndpointError} when the service names a stream URL that may not be opened
   * @throws the reason of `signal`
   */
  async run(lost: Error, signal: AbortSignal): Promise<Socket | undefined> {
    const { clock, random, budget, connect, reconnecting } = this.#options;
    let error = lost;
    if (this.#heard && clock.now() - this.#connectedAt >= STABLE) this.#attempt = 0;
    this.#heard = false;
    while (this.#spent < budget) {
      this.#attempt++;
      const delay = backoff(random, this.#attempt, BASE, CAP);
      reconnecting({ attempt: this.#attempt, delay, error });
      await this.#wait(delay, signal);
      const started = clock.now();
      try {
        const socket = await connect(signal);
        this.#connectedAt = clock.now();
        return socket;
      } catch (failure) {
        signal.throwIfAborted();
        if (failure instanceof SessionNotFoundError) return undefined;
        if (failure instanceof EndpointError) throw failure;
        error = failure as Error;
      }
      this.#spent += Math.min(clock.now() - started, LONGEST_TRY);
    }
    throw new SessionError(
      'ERR_SESSION_LOST',
      `The connection was lost and could not be resumed within ${Math.round(budget / 1000)} seconds. The session itself may live on until its idle timer ends it.`,
      { cause: error },
    );
  }

  /** The connection works: the next loss has the whole budget. */
  works(): void {
    this.#heard = true;
    this.#spent = 0;
  }

  /** The network is back: whatever is left of the current wait is not worth waiting for. */
  hurry(): void {
    this.#hurry?.abort();
  }

  async #wait(delay: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const started = clock.now();
    const hurry = new AbortController();
    const abort = () => hurry.abort();
    this.#hurry = hurry;
    signal.addEventListener('abort', abort);
    try {
      if (!signal.aborted) await sleep(clock, delay, hurry.signal).catch(() => {});
    } finally {
      signal.removeEventListener('abort', abort);
      this.#hurry = undefined;
    }
    signal.throwIfAborted();
    this.#spent += Math.min(clock.now() - started, delay);
  }
}

/** Milliseconds. */
const BASE = 200;
const CAP = 20_000;
/** For which a connection must have held so that the next one is tried soon. */
const STABLE = 10_000;
/** Of a ResumeSession call and a connection, both timing out. */
const LONGEST_TRY = 30_000;
