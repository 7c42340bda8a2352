import { DataChannel } from '../src/channel/data-channel.ts';
import type { ChannelEncryption } from '../src/channel/data-channel-options.ts';
import type { ChannelEvent, DataKeyEvent } from '../src/channel/events.ts';
import type { TerminalSize } from '../src/channel/payload/terminal.ts';
import { bounded, checkStats, type Limits, limitsOf } from './bounds.ts';
import { slowAesGcm, watchedAesGcm } from './ciphers.ts';
import type { Dice } from './dice.ts';
import { quickDigest } from './digest.ts';
import { type ChannelEnd, Driver } from './driver.ts';
import type { Ledger } from './ledger.ts';
import type { Network, Side } from './network.ts';
import type { Action, ChannelPlan, Encryption, EndPlan } from './scenario.ts';
import type { Schedule } from './schedule.ts';
import type { SimulatedEnd } from './simulation.ts';
import { PluginStranger, RealAgentStranger } from './strangers.ts';

export interface EndOptions {
  readonly side: Side;
  readonly plan: EndPlan;
  readonly handshake: boolean;
  readonly encryption: Encryption;
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
export class End extends Driver implements SimulatedEnd {
  readonly #options: EndOptions;
  readonly #hawser: DataChannel | undefined;
  readonly #limits: Limits;
  /** Actions whose time has come and that have not been carried out, in order. */
  readonly #due: Action[] = [];
  #comingActions: number;
  /** Bytes of the first due write that have been taken. */
  #taken = 0;
  #lastSizeSet: TerminalSize | undefined;
  #lastSizeSeen: TerminalSize | undefined;
  #readyEvents = 0;
  #closed = false;

  constructor(options: EndOptions) {
    const { side, plan, schedule, encryption } = options;
    const channel = channelOf(
      side,
      plan,
      encryptionOf(options, () => this.wake()),
    );
    super({ ...options, channel });
    this.#options = options;
    if (channel instanceof DataChannel) this.#hawser = channel;
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
      const session = { sessionType: 'Port', properties: { portNumber: '22' } };
      const encrypted = encryption === 'none' ? {} : { encryption: { keyId: 'key' } };
      this.channel.startHandshake(session, schedule.now, encrypted);
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
    const { side, plan, incoming, handshake } = this.#options;
    const { payloadSize, sendWindow, receiveBuffer } = plan;
    const facts = {
      handshake,
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

  #act(action: Action): void {
    if (action.do === 'interrupt') {
      this.#options.outgoing.interrupt();
      this.channel.interrupt();
    } else if (action.do === 'resize') {
      this.#lastSizeSet = action.size;
      this.channel.resize(action.size);
    } else this.#due.push(action);
  }

  protected get wanting(): boolean {
    return this.#due.length > 0;
  }

  protected carryOut(): void {
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

  protected see(event: ChannelEvent): void {
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
      case 'generateDataKey':
      case 'decryptDataKey':
        this.#answer(event);
        return;
      case 'failed':
        throw event.error;
      case 'dropped':
        return;
    }
  }

  /** As a key service that takes its time. */
  #answer(event: DataKeyEvent): void {
    const { schedule, dice } = this.#options;
    const text = JSON.stringify(event.context);
    if (event.type === 'decryptDataKey' && Buffer.from(event.ciphertext).toString() !== text)
      throw new Error(`the contexts differ: ${text}, and that of the client`);
    schedule.at(schedule.now + dice.fraction() * 200, () => {
      const dataKey = { plaintext: DATA_KEY.slice(), ciphertext: Buffer.from(text) };
      this.#hawser?.handleDataKey(dataKey, schedule.now);
      this.wake();
    });
  }

  protected check(): void {
    if (!this.#hawser) return;
    checkStats(this.#hawser.stats, this.#limits);
    // A real program knows no bound for what it keeps.
    if (this.#options.peerPlan.program === 'hawser')
      bounded('accepted and undelivered bytes', this.#options.outgoing.outstanding, this.#limits.accepted);
  }
}

const DATA_KEY = Uint8Array.from({ length: 64 }, (_, i) => i);

function encryptionOf(options: EndOptions, wake: () => void): ChannelEncryption | undefined {
  const { encryption, schedule, dice } = options;
  if (encryption === 'none') return undefined;
  return {
    aesGcm: encryption === 'slow' ? slowAesGcm(schedule, dice, 20) : watchedAesGcm(),
    randomBytes: (length) => Uint8Array.from({ length }, () => dice.whole(0, 255)),
    targetId: 'node',
    wake,
  };
}

function channelOf(side: Side, plan: EndPlan, encryption: ChannelEncryption | undefined): ChannelEnd {
  if (plan.program === 'plugin') return new PluginStranger(uuids(side));
  if (plan.program === 'real agent') return new RealAgentStranger(uuids(side));
  return dataChannel(side, plan, encryption);
}

export function dataChannel(side: Side, plan: ChannelPlan, encryption?: ChannelEncryption): DataChannel {
  const { payloadSize, sendWindow, sendQueue, receiveBuffer } = plan;
  return new DataChannel({
    role: side,
    sessionId: 'session',
    digest: quickDigest,
    uuid: uuids(side),
    payloadSize,
    sendWindow,
    sendQueue,
    receiveBuffer,
    ...(encryption && { encryption }),
  });
}

function uuids(side: Side): () => string {
  const prefix = side === 'client' ? 'c0000000' : 'a0000000';
  let count = 0;
  return () => `${prefix}-0000-4000-8000-${(count++).toString(16).padStart(12, '0')}`;
}
