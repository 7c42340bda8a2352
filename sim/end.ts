import { DataChannel } from '../src/channel/data-channel.ts';
import type { ChannelEvent } from '../src/channel/events.ts';
import type { TerminalSize } from '../src/channel/payload/terminal.ts';
import type { Dice } from './dice.ts';
import { quickDigest } from './digest.ts';
import type { Ledger } from './ledger.ts';
import type { Network, Side } from './network.ts';
import type { Action, EndPlan } from './scenario.ts';
import type { Schedule } from './schedule.ts';
import { PluginStranger, RealAgentStranger } from './strangers.ts';

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

export interface EndOptions {
  readonly side: Side;
  readonly plan: EndPlan;
  readonly handshake: boolean;
  readonly network: Network;
  readonly schedule: Schedule;
  readonly dice: Dice;
  /** What this end writes. */
  readonly outgoing: Ledger;
  /** What the other end writes. */
  readonly incoming: Ledger;
  readonly peerPlan: EndPlan;
}

/**
 * One end of the simulated session: the driver loop of a real one, an application that follows its plan, and
 * the checks that hold at every moment.
 */
export class End {
  readonly channel: ChannelEnd;
  readonly #options: EndOptions;
  readonly #hawser: DataChannel | undefined;
  readonly #limits: Limits;
  /** Actions whose time has come and that have not been carried out, in order. */
  readonly #due: Action[] = [];
  #comingActions: number;
  /** Bytes of the first due write that have been taken. */
  #taken = 0;
  #waitsForSocket = false;
  #stalledUntil = 0;
  #armedAt = Number.POSITIVE_INFINITY;
  #lastSizeSet: TerminalSize | undefined;
  #lastSizeSeen: TerminalSize | undefined;
  #readyEvents = 0;
  #closed = false;

  constructor(options: EndOptions) {
    const { side, plan, schedule } = options;
    this.#options = options;
    const uuid = uuids(side);
    if (plan.program === 'plugin') this.channel = new PluginStranger(uuid);
    else if (plan.program === 'real agent') this.channel = new RealAgentStranger(uuid);
    else {
      const { payloadSize, sendWindow, sendQueue, receiveBuffer } = plan;
      this.#hawser = new DataChannel({
        role: side,
        sessionId: 'session',
        digest: quickDigest,
        uuid,
        payloadSize,
        sendWindow,
        sendQueue,
        receiveBuffer,
      });
      this.channel = this.#hawser;
    }
    this.#limits = limitsOf(plan, options.peerPlan);
    this.#comingActions = plan.actions.length;
    for (const action of plan.actions) {
      schedule.at(action.at, () => {
        this.#comingActions--;
        this.#act(action);
        this.wake();
      });
    }
    if (side === 'agent' && options.handshake) {
      this.channel.startHandshake({ sessionType: 'Port', properties: { portNumber: '22' } }, schedule.now);
    }
  }

  /** Whether every action has been carried out and everything the other end did has been seen here. */
  get settled(): boolean {
    return this.#comingActions === 0 && this.#due.length === 0 && this.#options.incoming.settled;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Once everything has been read and acknowledged, nothing may be left over. */
  checkEmpty(): void {
    if (!this.#hawser) return;
    const { queuedBytes, unacknowledgedBytes, receivedBytes } = this.#hawser.stats;
    bounded('queuedBytes of an idle channel', queuedBytes, 0);
    bounded('receivedBytes of an idle channel', receivedBytes, 0);
    if (this.#options.peerPlan.program !== 'plugin') {
      bounded('unacknowledgedBytes of an idle channel', unacknowledgedBytes, 0);
    }
  }

  /** For the report of a failure. */
  get state(): string {
    const { side, plan, incoming } = this.#options;
    const { payloadSize, sendWindow, receiveBuffer } = plan;
    const facts = {
      payloadSize,
      sendWindow,
      receiveBuffer,
      actionsLeft: this.#comingActions + this.#due.length,
      bytesToCome: incoming.outstanding,
      acknowledged: this.channel.acknowledged,
      nextTimeout: this.channel.pollTimeout(),
      ...this.#hawser?.stats,
    };
    return `${side} (${plan.program}): ${JSON.stringify(facts)}`;
  }

  get retransmissions(): number {
    return this.#hawser?.stats.retransmissions ?? 0;
  }

  /** The last terminal size this end set, and the last it was told. */
  get sizes(): { readonly set: TerminalSize | undefined; readonly seen: TerminalSize | undefined } {
    return { set: this.#lastSizeSet, seen: this.#lastSizeSeen };
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

  /** The driver's loop: what the application wants, what happened, what to send, when to wake. */
  wake(): void {
    this.#read();
    do {
      this.#carryOut();
      this.#transmit();
    } while (this.#due.length > 0 && this.channel.writable);
    this.#check();
    this.#arm();
  }

  #act(action: Action): void {
    if (action.do === 'interrupt') {
      this.#options.outgoing.interrupt();
      this.channel.interrupt();
    } else if (action.do === 'resize') {
      this.#lastSizeSet = action.size;
      this.channel.resize(action.size);
    } else this.#due.push(action);
  }

  #carryOut(): void {
    const { outgoing } = this.#options;
    // Once the channel has taken less than it was given, it says when to go on.
    if (this.#taken > 0 && !this.channel.writable) return;
    for (let action = this.#due[0]; action; action = this.#due[0]) {
      if (action.do === 'write') {
        const bytes = outgoing.next(action.length - this.#taken);
        const taken = this.channel.send(bytes, action.payloadType);
        outgoing.write(action.payloadType, taken);
        this.#taken += taken;
        if (taken < bytes.length) return;
        this.#taken = 0;
      } else if (action.do === 'flag') {
        outgoing.writeFlag(action.flag);
        this.channel.sendFlag(action.flag);
      } else if (action.do === 'exitCode') {
        outgoing.writeExitCode(action.exitCode);
        this.channel.sendExitCode(action.exitCode);
      }
      this.#due.shift();
    }
  }

  #read(): void {
    const { schedule, dice, plan } = this.#options;
    if (schedule.now < this.#stalledUntil) return;
    for (let event = this.channel.pollEvent(); event; event = this.channel.pollEvent()) {
      this.#see(event);
      if (this.#stalledUntil < 0 || !dice.chance(plan.reader.stall)) continue;
      this.#stalledUntil = schedule.now + dice.fraction() * plan.reader.stallFor;
      schedule.at(this.#stalledUntil, () => this.wake());
      return;
    }
  }

  #see(event: ChannelEvent): void {
    const { incoming, handshake, side } = this.#options;
    if (this.#closed) throw new Error(`${event.type} after the close`);
    switch (event.type) {
      case 'ready':
        if (++this.#readyEvents > 1) throw new Error('ready twice');
        if (side === 'client' && handshake !== (event.handshake !== undefined)) {
          throw new Error('ready without the handshake that the agent does, or with one that it does not');
        }
        return;
      case 'data':
        if (side === 'client' && this.#readyEvents === 0) throw new Error('data before ready');
        incoming.read(event.payloadType, event.payload);
        return;
      case 'flag':
        incoming.readFlag(event.flag);
        return;
      case 'exitCode':
        incoming.readExitCode(event.exitCode);
        return;
      case 'size':
        this.#lastSizeSeen = event.size;
        return;
      case 'closed':
        this.#closed = true;
        return;
      case 'failed':
        throw event.error;
      case 'dropped':
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

  #check(): void {
    if (!this.#hawser) return;
    const { stats } = this.#hawser;
    const { queued, unacknowledged, received, accepted } = this.#limits;
    bounded('queuedBytes', stats.queuedBytes, queued);
    bounded('unacknowledgedBytes', stats.unacknowledgedBytes, unacknowledged);
    bounded('receivedBytes', stats.receivedBytes, received);
    bounded('accepted and undelivered bytes', this.#options.outgoing.outstanding, accepted);
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

interface Limits {
  readonly queued: number;
  readonly unacknowledged: number;
  readonly received: number;
  readonly accepted: number;
}

/** The documented bounds of `DataChannelOptions`, plus the one message that may always pass. */
function limitsOf(plan: EndPlan, peer: EndPlan): Limits {
  const message = Math.max(plan.payloadSize, peer.payloadSize) + 256;
  const flags = 64;
  // Messages that seem never to be acknowledged again may fill the window once more.
  const window = plan.sendWindow + Math.max(plan.sendWindow, 65_536) + message;
  return {
    queued: plan.sendQueue + flags,
    unacknowledged: plan.sendWindow + Math.max(plan.sendWindow, 65_536) + message,
    received: 4 * plan.receiveBuffer + message,
    // What the peer's driver has been acknowledged but not polled is in its receive buffer.
    accepted:
      peer.program !== 'hawser'
        ? Number.POSITIVE_INFINITY
        : plan.sendQueue + window + 4 * peer.receiveBuffer + message,
  };
}

function bounded(what: string, value: number, limit: number): void {
  if (value > limit) throw new Error(`${what} is ${value}, its bound is ${limit}`);
}

function uuids(side: Side): () => string {
  const prefix = side === 'client' ? 'c0000000' : 'a0000000';
  let count = 0;
  return () => `${prefix}-0000-4000-8000-${(count++).toString(16).padStart(12, '0')}`;
}
