import type { DataChannel } from '../src/channel/data-channel.ts';
import type { ChannelEvent } from '../src/channel/events.ts';
import type { Dice } from './dice.ts';
import type { Network, Side } from './network.ts';
import type { ChannelPlan } from './scenario.ts';
import type { Schedule } from './schedule.ts';

/** What a driver uses of a channel: a `DataChannel`, or a stranger that takes its place. */
export type ChannelEnd = Pick<
  DataChannel,
  | 'acknowledged'
  | 'writable'
  | 'handleConnected'
  | 'handleDisconnected'
  | 'handleMessage'
  | 'handleTimeout'
  | 'send'
  | 'resize'
  | 'interrupt'
  | 'sendFlag'
  | 'sendExitCode'
  | 'startHandshake'
  | 'pollEvent'
  | 'pollTransmit'
  | 'pollTimeout'
>;

export interface DriverOptions {
  readonly side: Side;
  readonly channel: ChannelEnd;
  readonly plan: ChannelPlan;
  readonly network: Network;
  readonly schedule: Schedule;
  readonly dice: Dice;
}

/** The driver loop of a real end: what happened, what to send, when to wake. What the application does, subclasses say. */
export abstract class Driver {
  readonly channel: ChannelEnd;
  readonly #options: DriverOptions;
  #waitsForSocket = false;
  #stalledUntil = 0;
  #armedAt = Number.POSITIVE_INFINITY;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.channel = options.channel;
  }

  protected abstract see(event: ChannelEvent): void;

  /** Does what the application wants, as far as the channel takes it. */
  protected abstract carryOut(): void;

  /** Whether the application wants more than has been carried out. */
  protected abstract readonly wanting: boolean;

  /** @throws when a bound is passed */
  protected abstract check(): void;

  /** Whether the application can take no more for now. */
  protected get full(): boolean {
    return false;
  }

  /** From now on this end reads whatever comes, at once. */
  readOn(): void {
    this.#stalledUntil = Number.NEGATIVE_INFINITY;
    this.wake();
  }

  handleFrame(frame: Uint8Array): void {
    this.channel.handleMessage(frame, this.#options.schedule.now);
    this.wake();
  }

  /** The socket opened or went, or takes more. */
  handleSocket(connected: boolean): void {
    if (connected) this.channel.handleConnected(this.#options.schedule.now);
    else this.channel.handleDisconnected(this.#options.schedule.now);
    this.wake();
  }

  wake(): void {
    this.#read();
    do {
      this.carryOut();
      this.#transmit();
    } while (this.wanting && this.channel.writable);
    this.check();
    this.#arm();
  }

  #read(): void {
    const { schedule, dice, plan } = this.#options;
    if (schedule.now < this.#stalledUntil) return;
    while (!this.full) {
      const event = this.channel.pollEvent();
      if (!event) return;
      this.see(event);
      if (this.#stalledUntil < 0 || !dice.chance(plan.reader.stall)) continue;
      this.#stalledUntil = schedule.now + dice.fraction() * plan.reader.stallFor;
      schedule.at(this.#stalledUntil, () => this.wake());
      return;
    }
  }

  #transmit(): void {
    const { network, schedule, side } = this.#options;
    while (network.connected(side)) {
      const backlog = network.backlog(side, HIGH_WATER);
      if (backlog > 0) {
        this.#transmitLater(backlog);
        return;
      }
      const frame = this.channel.pollTransmit(schedule.now);
      if (!frame) return;
      network.send(side, frame);
    }
  }

  #transmitLater(delay: number): void {
    if (this.#waitsForSocket) return;
    this.#waitsForSocket = true;
    const { schedule } = this.#options;
    // A little later than the exact moment, which rounding could put in the past for ever.
    schedule.at(schedule.now + delay + 0.001, () => {
      this.#waitsForSocket = false;
      this.wake();
    });
  }

  #arm(): void {
    const deadline = this.channel.pollTimeout();
    if (deadline === undefined || deadline >= this.#armedAt) return;
    const { schedule } = this.#options;
    this.#armedAt = deadline;
    schedule.at(deadline, () => {
      if (this.#armedAt !== deadline) return;
      this.#armedAt = Number.POSITIVE_INFINITY;
      const due = this.channel.pollTimeout();
      if (due !== undefined && due <= schedule.now) {
        this.channel.handleTimeout(schedule.now);
        const next = this.channel.pollTimeout();
        if (next !== undefined && next <= schedule.now)
          throw new Error(`a timeout at ${next} that never ends`);
      }
      this.wake();
    });
  }
}

/** Bytes in a socket's backlog above which a driver polls nothing more to send. */
const HIGH_WATER = 65_536;
