import type { CancelTimer, Clock } from '../base/clock.ts';
import { utf8 } from '../base/encoding.ts';
import type { Socket, SocketHandler } from '../core/socket.ts';
import { type Packet, Wire } from './wire.ts';

export interface SocketPairOptions {
  /** Times the deliveries. Without one, each takes a promise job. */
  readonly clock?: Clock;
  /** One way, in milliseconds of `clock`. Default 0. */
  readonly latency?: number;
  /**
   * Bytes that each direction holds before `bufferedAmount` grows: what TCP windows and kernel buffers hold
   * in a real connection, so `capacity / latency` is the bandwidth. Default 256 KiB.
   */
  readonly capacity?: number;
}

export interface SocketPair {
  readonly client: Socket;
  readonly server: Socket;
  /** Until either end has been told of the close. */
  readonly open: boolean;
  /** The connection breaks: what is under way is lost, both ends are told 1006. */
  cut(): void;
}

/**
 * Two joined WebSocket ends without a network. Deliveries are asynchronous, in order and copied;
 * `bufferedAmount`, `drained`, `pause` and `resume` behave as over TCP.
 *
 * A close frame queues behind what was sent before, and is answered by the other end. An end that is paused
 * answers when it resumes; with a clock, the connection is dropped after 30 seconds without an answer. What
 * arrives before an end has its first handler waits for it.
 *
 * @throws {RangeError} for a latency without a clock
 */
export function socketPair(options: SocketPairOptions = {}): SocketPair {
  if (options.latency && !options.clock) throw new RangeError('A socket pair with latency needs a clock.');
  const client = new PairedSocket(options.clock);
  const server = new PairedSocket(options.clock);
  const toServer = wire(client, server, options);
  const toClient = wire(server, client, options);
  const cut = () => {
    toServer.cut();
    toClient.cut();
    queueMicrotask(() => {
      client.drop();
      server.drop();
    });
  };
  client.join(toClient, toServer, cut);
  server.join(toServer, toClient, cut);
  return {
    client,
    server,
    cut,
    get open() {
      return client.open && server.open;
    },
  };
}

function wire(from: PairedSocket, to: PairedSocket, options: SocketPairOptions): Wire {
  return new Wire({
    clock: options.clock,
    latency: options.latency ?? 0,
    capacity: options.capacity ?? 256 * 1024,
    receive: (packet) => to.receive(packet),
    drained: () => from.drained(),
  });
}

/** The code of a close frame that carries none (RFC 6455, section 7.4.1). */
const NO_STATUS = 1005;
/** The code that stands for a connection lost without a close frame. */
const ABNORMAL = 1006;

const CLOSE_TIMEOUT = 30_000;

class PairedSocket implements Socket {
  readonly #clock: Clock | undefined;
  #handler: SocketHandler | undefined;
  #paused = false;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #incoming!: Wire;
  #outgoing!: Wire;
  #cut!: () => void;
  #cancelTimeout: CancelTimer | undefined;

  constructor(clock: Clock | undefined) {
    this.#clock = clock;
  }

  join(incoming: Wire, outgoing: Wire, cut: () => void): void {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#cut = cut;
    incoming.pause(); // until the first handler
  }

  get handler(): SocketHandler | undefined {
    return this.#handler;
  }

  set handler(handler: SocketHandler | undefined) {
    this.#handler = handler;
    if (!this.#paused) this.#incoming.resume();
  }

  get open(): boolean {
    return this.#state !== 'closed';
  }

  get bufferedAmount(): number {
    return this.#outgoing.bufferedAmount;
  }

  send(data: Uint8Array | string): void {
    if (this.#state !== 'open') return;
    const copy = typeof data === 'string' ? data : data.slice();
    this.#outgoing.push({ kind: 'message', data: copy, size: sizeOf(data) });
  }

  ping(): void {
    if (this.#state === 'open') this.#outgoing.push({ kind: 'ping', size: FRAME_OVERHEAD });
  }

  close(code = NO_STATUS, reason = ''): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#outgoing.push(closePacket(code, reason));
    this.#cancelTimeout = this.#clock?.schedule(CLOSE_TIMEOUT, this.#cut);
  }

  pause(): void {
    this.#paused = true;
    this.#incoming.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#handler) this.#incoming.resume();
  }

  receive(packet: Packet): void {
    if (this.#state === 'closed') return;
    if (packet.kind === 'message') this.#handler?.message(packet.data);
    else if (packet.kind === 'pong') this.#handler?.pong?.();
    else if (packet.kind === 'close') this.#closedByPeer(packet.code, packet.reason);
    else if (this.#state === 'open') this.#outgoing.push({ kind: 'pong', size: packet.size });
  }

  drained(): void {
    if (this.#state !== 'closed') this.#handler?.drained?.();
  }

  /** The connection is gone. */
  drop(): void {
    this.#finish(ABNORMAL, '');
  }

  #closedByPeer(code: number, reason: string): void {
    if (this.#state === 'open') this.#outgoing.push(closePacket(code, reason));
    this.#finish(code, reason);
  }

  #finish(code: number, reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#cancelTimeout?.();
    this.#handler?.closed(code, reason);
  }
}

/** Bytes of a small WebSocket frame header, so that empty messages take room as well. */
const FRAME_OVERHEAD = 2;

function sizeOf(data: Uint8Array | string): number {
  return FRAME_OVERHEAD + (typeof data === 'string' ? utf8(data).length : data.length);
}

function closePacket(code: number, reason: string): Packet {
  return { kind: 'close', code, reason, size: FRAME_OVERHEAD + 2 + utf8(reason).length };
}
