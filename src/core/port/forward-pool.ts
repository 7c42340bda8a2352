import type { CancelTimer, Clock } from '../../base/clock.ts';
import type { Connection } from './connection.ts';
import { PortError } from './error.ts';
import type { Forward } from './forward.ts';

export interface ForwardPoolOptions {
  /** Destinations that have a session at one time; for another one that has no connections is closed. Default 64. */
  readonly maxDestinations?: number | undefined;
  /** Milliseconds that the session of a destination is kept without a connection. Default 60,000. */
  readonly idleTimeout?: number | undefined;
}

/**
 * Forwards to whatever destination is asked for, as a proxy needs it. A session leads to one destination, so there is
 * one for each that is in use, started when it is first asked for.
 */
export class ForwardPool {
  readonly #clock: Clock;
  readonly #start: (host: string, port: number) => Promise<Forward>;
  readonly #maxDestinations: number;
  readonly #idleTimeout: number;
  readonly #destinations = new Map<string, PooledForward>();
  #closed = false;

  /** @internal Comes from `SessionClient.forwardPool`. */
  constructor(
    clock: Clock,
    start: (host: string, port: number) => Promise<Forward>,
    { maxDestinations = 64, idleTimeout = 60_000 }: ForwardPoolOptions,
  ) {
    this.#clock = clock;
    this.#start = start;
    this.#maxDestinations = maxDestinations;
    this.#idleTimeout = idleTimeout;
  }

  /** Destinations that have a session. */
  get size(): number {
    return this.#destinations.size;
  }

  /**
   * Opens a connection.
   *
   * @param host name or address as the managed node knows it
   * @throws {PortError} `ERR_PORT_BUSY` when there are as many destinations as there may be; what starting the session
   * throws
   */
  async open(host: string, port: number): Promise<Connection> {
    if (this.#closed) throw new PortError('ERR_PORT_RESET', 'The pool of forwards is closed.');
    const key = `${host.toLowerCase()} ${port}`;
    const pooled = this.#destinations.get(key) ?? this.#add(key, host, port);
    pooled.cancelTimer?.();
    pooled.opening++;
    try {
      const forward = await pooled.forward;
      return await forward.open();
    } finally {
      pooled.opening--;
      this.#watch(key, pooled);
    }
  }

  /** Ends every session. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#destinations].map(([key, pooled]) => this.#remove(key, pooled)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #add(key: string, host: string, port: number): PooledForward {
    if (this.#destinations.size >= this.#maxDestinations) this.#makeRoom();
    const pooled: PooledForward = { forward: this.#start(host, port), started: undefined, opening: 0 };
    this.#destinations.set(key, pooled);
    pooled.forward.then(
      (forward) => {
        pooled.started = forward;
        void forward.ended.then(() => this.#forget(key, pooled));
      },
      () => this.#forget(key, pooled),
    );
    return pooled;
  }

  #makeRoom(): void {
    for (const [key, pooled] of this.#destinations) {
      if (isIdle(pooled)) {
        void this.#remove(key, pooled);
        return;
      }
    }
    throw new PortError(
      'ERR_PORT_BUSY',
      `${this.#maxDestinations} destinations are connected to, as many as there may be. Close some first.`,
    );
  }

  /** Looks again after a while whether the destination is still in use. */
  #watch(key: string, pooled: PooledForward): void {
    pooled.cancelTimer?.();
    pooled.cancelTimer = this.#clock.schedule(this.#idleTimeout, () => {
      if (isIdle(pooled)) void this.#remove(key, pooled);
      else this.#watch(key, pooled);
    });
  }

  async #remove(key: string, pooled: PooledForward): Promise<void> {
    this.#forget(key, pooled);
    const forward = await pooled.forward.catch(() => undefined);
    await forward?.close();
  }

  #forget(key: string, pooled: PooledForward): void {
    pooled.cancelTimer?.();
    if (this.#destinations.get(key) === pooled) this.#destinations.delete(key);
  }
}

interface PooledForward {
  readonly forward: Promise<Forward>;
  started: Forward | undefined;
  /** Connections being opened. */
  opening: number;
  cancelTimer?: CancelTimer;
}

function isIdle({ started, opening }: PooledForward): boolean {
  return opening === 0 && started?.size === 0;
}
