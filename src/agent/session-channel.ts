import type { CancelTimer, Clock } from '../base/clock.ts';
import { type Deferred, deferred } from '../base/deferred.ts';
import type { PayloadFlag } from '../channel/constants.ts';
import type { DataChannel } from '../channel/data-channel.ts';
import type { ChannelEvent } from '../channel/events.ts';
import { ChannelDriver } from '../core/channel-driver.ts';
import type { Socket } from '../core/socket.ts';
import { AgentError } from './error.ts';
import { InputQueue } from './input-queue.ts';

export interface SessionChannelHandler {
  /** Everything but stream data. */
  event(event: ChannelEvent): void;
  /** A flag that was pushed into the input has been reached. */
  flag(flag: PayloadFlag): void;
  /** The channel is over: `channel_closed` came, or {@link SessionChannel.close} was called. Once. */
  closed(): void;
}

/** Milliseconds after which waiting for the client is given up. */
export interface DrainLimits {
  /** Without progress, while the client is there. */
  readonly stalled: number;
  /** While it is away. */
  readonly away: number;
  /** In any case. */
  readonly altogether: number;
}

/** The agent's end of one data channel as a handler uses it: input to iterate, output to await. */
export class SessionChannel {
  readonly input: InputQueue;
  readonly #channel: DataChannel;
  readonly #clock: Clock;
  readonly #handler: SessionChannelHandler;
  readonly #driver: ChannelDriver;
  #disconnected: Deferred<void> | undefined;
  #finished = false;
  #writes: PendingWrite[] = [];
  #settling = false;
  /** When an acknowledge last made less of what is to be delivered, or the client came or went. */
  #progressAt = 0;
  #away = false;
  #undelivered = 0;
  #drained: Deferred<boolean> | undefined;

  constructor(channel: DataChannel, clock: Clock, handler: SessionChannelHandler) {
    this.#channel = channel;
    this.#clock = clock;
    this.#handler = handler;
    this.#driver = new ChannelDriver(channel, clock, {
      changed: () => this.#settle(),
      transmitted: () => this.#settle(),
      disconnected: () => {
        this.#disconnected?.resolve();
        this.#settle();
      },
    });
    this.input = new InputQueue(
      () => this.#settle(),
      (flag) => handler.flag(flag),
    );
  }

  /** Runs the channel over an open socket. Resolves when that is gone, or the channel is closed. */
  run(socket: Socket): Promise<void> {
    if (this.#finished) {
      socket.close();
      return Promise.resolve();
    }
    this.#disconnected = deferred();
    this.#driver.connect(socket);
    this.#settle();
    return this.#disconnected.promise;
  }

  /** Resolves when the channel has taken all bytes. @throws {AgentError} `ERR_AGENT_SESSION_ENDED` */
  write(bytes: Uint8Array, payloadType: number): Promise<void> {
    if (this.#channel.closed) return unawaited(Promise.reject(ended()));
    const taken = this.#writes.length === 0 ? this.#channel.send(bytes, payloadType) : 0;
    if (taken === bytes.length) {
      this.#settle();
      return Promise.resolve();
    }
    const { promise, resolve, reject } = deferred();
    this.#writes.push({ bytes: bytes.subarray(taken), payloadType, resolve, reject });
    this.#settle();
    return unawaited(promise);
  }

  /** Passes a command to the channel. */
  command(give: (channel: DataChannel) => void): void {
    give(this.#channel);
    this.#settle();
  }

  /**
   * Waits until the client has everything, as far as can be known.
   *
   * @returns whether all has arrived
   */
  async drain({ stalled, away, altogether }: DrainLimits): Promise<boolean> {
    if (this.#channel.settled || this.#finished) return this.#channel.settled;
    this.#drained ??= deferred();
    const drained = this.#drained;
    const until = this.#clock.now() + altogether;
    this.#progressAt = this.#clock.now();
    this.#away = !this.#channel.reachesPeer;
    let cancel: CancelTimer | undefined;
    const check = () => {
      const now = this.#clock.now();
      const at = Math.min(until, this.#progressAt + (this.#away ? away : stalled));
      if (now >= at) drained.resolve(false);
      // Looks often enough for whichever limit will be the one.
      else cancel = this.#clock.schedule(Math.min(at - now, stalled), check);
    };
    check();
    const arrived = await drained.promise;
    cancel?.();
    return arrived;
  }

  /** Ends the channel and its socket. What has not been acknowledged is lost. */
  close(): void {
    this.#channel.close();
    this.#settle();
  }

  /** After every input, command and read: events up, writes down, frames out. */
  #settle(): void {
    if (this.#settling) return; // called from within the loop below, which goes on anyway
    this.#settling = true;
    try {
      do {
        this.#pollEvents();
        this.#offerWrites();
        this.#driver.run();
      } while (this.#writes.length > 0 && this.#channel.writable);
    } finally {
      this.#settling = false;
    }
    if (this.#channel.closed) this.#finish();
    else if (this.#drained) this.#watchDrain(this.#drained);
  }

  #watchDrain(drained: Deferred<boolean>): void {
    if (this.#channel.settled) drained.resolve(true);
    const { queuedBytes, unacknowledgedBytes } = this.#channel.stats;
    const undelivered = queuedBytes + unacknowledgedBytes;
    const away = !this.#channel.reachesPeer;
    if (undelivered < this.#undelivered || away !== this.#away) this.#progressAt = this.#clock.now();
    this.#undelivered = undelivered;
    this.#away = away;
  }

  #pollEvents(): void {
    while (!this.input.full) {
      const event = this.#channel.pollEvent();
      if (!event) return;
      if (event.type === 'data') this.input.push(event.payload);
      else this.#handler.event(event);
    }
  }

  #offerWrites(): void {
    for (let first = this.#writes[0]; first && this.#channel.writable; first = this.#writes[0]) {
      const taken = this.#channel.send(first.bytes, first.payloadType);
      first.bytes = first.bytes.subarray(taken);
      if (first.bytes.length > 0) return;
      this.#writes.shift();
      first.resolve();
    }
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#driver.stop();
    this.#disconnected?.resolve();
    this.input.end();
    const writes = this.#writes;
    this.#writes = [];
    for (const { reject } of writes) reject(ended());
    this.#drained?.resolve(this.#channel.settled);
    this.#handler.closed();
  }
}

interface PendingWrite {
  bytes: Uint8Array;
  readonly payloadType: number;
  resolve(): void;
  reject(reason: unknown): void;
}

/** A handler that does not look at a write that fails learns of the end by its signal, and must not take the process down. */
function unawaited<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function ended(): AgentError {
  return new AgentError('ERR_AGENT_SESSION_ENDED', 'The session is over; its output goes nowhere.');
}
