import type { CancelTimer, Clock } from '../base/clock.ts';
import { Liveness } from '../core/liveness.ts';
import type { Socket } from '../core/socket.ts';

/** Pings a socket that is silent, and tells when it is dead. */
export class SocketWatch {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #dead: () => void;
  readonly #liveness: Liveness;
  #cancel: CancelTimer | undefined;

  constructor(socket: Socket, clock: Clock, dead: () => void) {
    this.#socket = socket;
    this.#clock = clock;
    this.#dead = dead;
    this.#liveness = new Liveness(socket.ping !== undefined, clock.now());
    this.#schedule();
  }

  /** Something came from the peer. */
  heard(): void {
    this.#liveness.heard(this.#clock.now());
  }

  stop(): void {
    this.#cancel?.();
  }

  #schedule(): void {
    const now = this.#clock.now();
    this.#cancel = this.#clock.schedule(this.#liveness.deadline - now, () => {
      const verdict = this.#liveness.check(this.#clock.now(), false);
      if (verdict === 'dead') {
        this.#dead();
        return;
      }
      if (verdict === 'ping') this.#socket.ping?.();
      this.#schedule();
    });
  }
}
