import type { CancelTimer, Clock } from '../base/clock.ts';
import type { Socket } from '../core/socket.ts';

/** Milliseconds. Half of what AWS's agent waits for an answer (PROTOCOL.md section 5). */
const INTERVAL = 30_000;

/**
 * Notices a peer that went away without a word: after 30 to 60 seconds of silence it is pinged, and after another
 * 30 without an answer it counts as dead. Where the runtime cannot ping, silence means nothing.
 *
 * It counts in intervals and reads no clock, so that {@link heard} costs nothing in front of every frame.
 */
export class Heartbeat {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #dead: () => void;
  #heard = true;
  #pinged = false;
  #held = false;
  #cancel: CancelTimer | undefined;

  constructor(socket: Socket, clock: Clock, dead: () => void) {
    this.#socket = socket;
    this.#clock = clock;
    this.#dead = dead;
    if (socket.ping) this.#schedule();
  }

  /** Something came: a message, or the answer to a ping. */
  heard(): void {
    this.#heard = true;
  }

  /** While the socket is not being read, its silence is our own doing. */
  hold(held: boolean): void {
    this.#held = held;
    this.#heard = true;
  }

  stop(): void {
    this.#cancel?.();
  }

  #schedule(): void {
    this.#cancel = this.#clock.schedule(INTERVAL, () => this.#tick());
  }

  #tick(): void {
    if (this.#pinged && !this.#heard && !this.#held) {
      this.#dead();
      return;
    }
    this.#pinged = !this.#heard && !this.#held;
    if (this.#pinged) this.#socket.ping?.();
    this.#heard = false;
    this.#schedule();
  }
}
