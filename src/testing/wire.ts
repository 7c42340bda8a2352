import type { Clock } from '../base/clock.ts';

export interface WireOptions {
  /** Bytes under way at most, arrived and unread ones included; a single larger packet still passes. */
  readonly capacity: number;
  /** With a clock a packet takes `latency` milliseconds; without, one promise job. */
  readonly clock?: Clock | undefined;
  readonly latency: number;
  /** A packet has come. Never called within {@link Wire.push}. */
  receive(packet: Packet): void;
  /** Everything pushed is under way. */
  drained(): void;
}

/** What one WebSocket end sends to the other. */
export type Packet =
  | { readonly kind: 'message'; readonly data: Uint8Array | string; readonly size: number }
  | { readonly kind: 'ping' | 'pong'; readonly size: number }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string; readonly size: number };

/** One direction of a connection: first in, first out, of bounded capacity, like a TCP stream with its windows. */
export class Wire {
  readonly #options: WireOptions;
  #waiting: Packet[] = [];
  #waitingBytes = 0;
  #travelling: Packet[] = [];
  #travellingBytes = 0;
  /** How many of the travelling have arrived, and wait for the reader. */
  #arrived = 0;
  #paused = false;
  #cut = false;
  #admitting = false;

  constructor(options: WireOptions) {
    this.#options = options;
  }

  /** Bytes pushed for which there is no room on the wire yet. */
  get bufferedAmount(): number {
    return this.#waitingBytes;
  }

  push(packet: Packet): void {
    if (this.#cut) return;
    this.#waiting.push(packet);
    this.#waitingBytes += packet.size;
    this.#admitSoon();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    queueMicrotask(() => this.#deliver());
  }

  /** Loses everything under way, and everything that follows. */
  cut(): void {
    this.#cut = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#travelling = [];
    this.#travellingBytes = 0;
    this.#arrived = 0;
  }

  #admitSoon(): void {
    if (this.#admitting) return;
    this.#admitting = true;
    queueMicrotask(() => {
      this.#admitting = false;
      this.#admit();
    });
  }

  #admit(): void {
    if (this.#waiting.length === 0) return;
    let admitted = 0;
    for (const packet of this.#waiting) {
      if (this.#travelling.length > 0 && this.#travellingBytes + packet.size > this.#options.capacity) break;
      this.#travelling.push(packet);
      this.#travellingBytes += packet.size;
      this.#waitingBytes -= packet.size;
      this.#depart();
      admitted++;
    }
    this.#waiting.splice(0, admitted);
    if (this.#waiting.length === 0) this.#options.drained();
  }

  #depart(): void {
    const arrive = () => {
      if (this.#cut) return;
      this.#arrived++;
      this.#deliver();
    };
    const { clock, latency } = this.#options;
    if (clock) clock.schedule(latency, arrive);
    else queueMicrotask(arrive);
  }

  #deliver(): void {
    while (!this.#paused && this.#arrived > 0) {
      const packet = this.#travelling.shift()!;
      this.#arrived--;
      this.#travellingBytes -= packet.size;
      this.#admitSoon();
      this.#options.receive(packet);
    }
  }
}
