import type { Clock } from '../../src/base/clock.ts';

/** How both real programs read: at most 1,024 bytes, then a sleep of a millisecond (PROTOCOL.md section 1.6). */
export class Pump {
  readonly #clock: Clock;
  readonly #ready: () => boolean;
  readonly #send: (chunk: Uint8Array) => void;
  #waiting: Uint8Array[] = [];
  #running = false;
  #drained: (() => void)[] = [];

  constructor(clock: Clock, ready: () => boolean, send: (chunk: Uint8Array) => void) {
    this.#clock = clock;
    this.#ready = ready;
    this.#send = send;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += CHUNK) this.#waiting.push(bytes.slice(at, at + CHUNK));
    this.#run();
  }

  /** Resolves when nothing waits. */
  drained(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  stop(): void {
    this.#waiting = [];
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #run(): void {
    if (this.#running) return;
    if (this.#waiting.length === 0) {
      this.stop();
      return;
    }
    this.#running = true;
    const ready = this.#ready();
    if (ready) this.#send(this.#waiting.shift()!);
    this.#clock.schedule(ready ? SLEEP : POLL, () => {
      this.#running = false;
      this.#run();
    });
  }
}

/** Bytes. */
const CHUNK = 1024;
/** Milliseconds: after each read; while nothing can be sent. */
const SLEEP = 1;
const POLL = 20;
