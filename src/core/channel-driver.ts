import type { CancelTimer, Clock } from '../base/clock.ts';
import type { DataChannel } from '../channel/data-channel.ts';
import { SessionError } from './errors.ts';
import { Liveness } from './liveness.ts';
import type { Socket } from './socket.ts';

export interface ChannelDriverHandler {
  /** The channel may have events to poll, or room to write. Called after every input. */
  changed(): void;
  /** Something was sent, so there may be room to write. */
  transmitted?(): void;
  /** The peer gave a sign of life on this socket. */
  heard?(): void;
  /** The socket is gone, and the channel knows. The next {@link ChannelDriver.connect} goes on with it. */
  disconnected(error: SessionError): void;
}

/**
 * The loop around a {@link DataChannel}, for either role: carries messages between it and one socket after
 * another, wakes it in time, and notices when a socket is dead. What the channel tells is left to the handler.
 */
export class ChannelDriver {
  readonly #channel: DataChannel;
  readonly #clock: Clock;
  readonly #handler: ChannelDriverHandler;
  #socket: Socket | undefined;
  #liveness: Liveness | undefined;
  /** When to look again at a socket that was full. */
  #fullUntil: number | undefined;
  #timerAt: number | undefined;
  #cancelTimer: CancelTimer | undefined;

  constructor(channel: DataChannel, clock: Clock, handler: ChannelDriverHandler) {
    this.#channel = channel;
    this.#clock = clock;
    this.#handler = handler;
  }

  /** Takes a socket on which the opening message has been sent. */
  connect(socket: Socket): void {
    this.#release();
    const now = this.#clock.now();
    this.#socket = socket;
    this.#liveness = new Liveness(socket.ping !== undefined, now);
    this.#channel.handleConnected(now);
    socket.handler = {
      message: (data) => this.#message(data),
      drained: () => this.run(),
      pong: () => this.#heard(this.#clock.now()),
      closed: (code, reason) => this.#disconnect(closedError(code, reason)),
    };
    socket.ping?.();
    this.run();
  }

  /** Sends what is to be sent and sets the timer. To be called after each command and after polling events. */
  run(): void {
    this.#transmit();
    this.#setTimer();
  }

  /** Closes the socket and forgets the timer. */
  stop(): void {
    this.#release();
    this.#cancelTimer?.();
    this.#timerAt = undefined;
  }

  #message(data: Uint8Array | string): void {
    const now = this.#clock.now();
    this.#heard(now);
    // Text has no meaning after the opening message.
    if (typeof data === 'string') return;
    this.#channel.handleMessage(data, now);
    this.#handler.changed();
    this.run();
  }

  #heard(now: number): void {
    this.#liveness?.heard(now);
    this.#handler.heard?.();
  }

  #transmit(): void {
    const socket = this.#socket;
    this.#fullUntil = undefined;
    if (!socket) return;
    const now = this.#clock.now();
    let sent = false;
    for (;;) {
      if (socket.bufferedAmount >= HIGH_WATER_MARK) {
        this.#fullUntil = now + FULL_POLL;
        break;
      }
      const frame = this.#channel.pollTransmit(now);
      if (!frame) break;
      socket.send(frame);
      sent = true;
    }
    if (sent) this.#handler.transmitted?.();
  }

  /** A timer that is early is left alone: on a busy channel, deadlines move with every message. */
  #setTimer(): void {
    const deadline = earliest(this.#channel.pollTimeout(), this.#liveness?.deadline, this.#fullUntil);
    if (deadline === undefined || (this.#timerAt !== undefined && this.#timerAt <= deadline)) return;
    this.#cancelTimer?.();
    this.#timerAt = deadline;
    this.#cancelTimer = this.#clock.schedule(deadline - this.#clock.now(), () => this.#timeout());
  }

  #timeout(): void {
    this.#timerAt = undefined;
    const now = this.#clock.now();
    const verdict = this.#liveness?.check(now, this.#channel.stats.unacknowledgedBytes > 0);
    if (verdict === 'dead') {
      this.#disconnect(silentError());
      return;
    }
    if (verdict === 'ping') this.#socket?.ping?.();
    const deadline = this.#channel.pollTimeout();
    if (deadline !== undefined && deadline <= now) {
      this.#channel.handleTimeout(now);
      this.#handler.changed();
    }
    this.run();
  }

  #disconnect(error: SessionError): void {
    this.#release();
    this.#channel.handleDisconnected(this.#clock.now());
    this.#handler.disconnected(error);
    this.#setTimer();
  }

  #release(): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = undefined;
    this.#liveness = undefined;
    this.#fullUntil = undefined;
    socket.handler = undefined;
    socket.close(NORMAL_CLOSURE);
  }
}

/** Bytes in the socket's own queue, where the channel can no longer put something more urgent first. */
const HIGH_WATER_MARK = 256 * 1024;
/** Milliseconds. Browsers do not tell when a socket has drained. */
const FULL_POLL = 20;
const NORMAL_CLOSURE = 1000;

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  let first: number | undefined;
  for (const time of times) if (time !== undefined && (first === undefined || time < first)) first = time;
  return first;
}

function closedError(code: number, reason: string): SessionError {
  const said = reason ? `: ${reason}` : '';
  return new SessionError('ERR_SOCKET_CLOSED', `The data channel's connection was closed (${code}${said}).`);
}

function silentError(): SessionError {
  return new SessionError('ERR_SOCKET_SILENT', "The data channel's connection has gone silent.");
}
