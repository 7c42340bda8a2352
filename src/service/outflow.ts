import type { CancelTimer } from '../base/clock.ts';
import { ownBytes } from '../base/own-bytes.ts';
import type { Socket } from '../core/socket.ts';
import type { ServiceContext } from './context.ts';

export interface OutflowEvents {
  /** More than `limits.highWater` waits in the socket: whoever fills it should stop. */
  congested(): void;
  /** All of it is gone. */
  clear(): void;
  /** Nothing has moved for `timers.stall`: the peer is gone, or might as well be. */
  stalled(): void;
}

/**
 * What goes out through one socket, in bounded memory. A frame beyond `limits.hardBound` is dropped: its sender
 * gets no acknowledge and sends it again.
 */
export class Outflow {
  readonly #socket: Socket;
  readonly #context: Pick<ServiceContext, 'clock' | 'limits' | 'timers'>;
  readonly #events: OutflowEvents;
  #congested = false;
  /** What waited in the socket after the last frame. */
  #waiting = 0;
  #sent = 0;
  #cancelCheck: CancelTimer | undefined;

  constructor(
    socket: Socket,
    context: Pick<ServiceContext, 'clock' | 'limits' | 'timers'>,
    events: OutflowEvents,
  ) {
    this.#socket = socket;
    this.#context = context;
    this.#events = events;
  }

  get congested(): boolean {
    return this.#congested;
  }

  /** A frame of the other end; dropped when there is no room. */
  relay(frame: Uint8Array): void {
    const { limits } = this.#context;
    if (this.#congested && this.#socket.bufferedAmount + frame.length > limits.hardBound) return;
    this.send(this.#waiting > VIEWS ? ownBytes(frame) : frame);
    this.#waiting = this.#socket.bufferedAmount;
    if (!this.#congested && this.#waiting > limits.highWater) {
      this.#congested = true;
      this.#watch();
      this.#events.congested();
    }
  }

  /** A frame of the service itself: few, and never dropped. */
  send(frame: Uint8Array): void {
    this.#sent += frame.length;
    this.#socket.send(frame);
  }

  /** The socket says that it has given everything to the network. */
  drained(): void {
    this.#waiting = 0;
    if (!this.#congested) return;
    this.stop();
    this.#events.clear();
  }

  stop(): void {
    this.#congested = false;
    this.#cancelCheck?.();
  }

  /** A slow peer is not a dead one: it takes something in every interval. */
  #watch(): void {
    const taken = this.#taken;
    this.#cancelCheck = this.#context.clock.schedule(this.#context.timers.stall, () => {
      if (this.#taken > taken) this.#watch();
      else this.#events.stalled();
    });
  }

  get #taken(): number {
    return this.#sent - this.#socket.bufferedAmount;
  }
}

/** Bytes that may wait as views of what they came in: those of a peer that keeps up. */
const VIEWS = 65_536;
