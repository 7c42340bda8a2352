import type { Clock } from '../../src/base/clock.ts';
import type { RandomSource } from '../../src/base/random.ts';
import { MessageFlags, MessageType } from '../../src/channel/constants.ts';
import { decodeMessage } from '../../src/channel/decode.ts';
import { encodeMessage } from '../../src/channel/encode.ts';
import { MessageError } from '../../src/channel/error.ts';
import type { AgentMessage } from '../../src/channel/message.ts';
import { formatAcknowledge, parseAcknowledge } from '../../src/channel/payload/acknowledge.ts';
import type { Socket } from '../../src/core/socket.ts';
import { sha256Digest } from '../../src/crypto/digest.ts';
import type { Dice } from '../dice.ts';

export interface StockStreamOptions {
  readonly side: 'client' | 'agent';
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly dice: Dice;
  /** How often a message is written down only after it was sent, and an acknowledge may come before. */
  readonly lateBuffer: number;
  /**
   * A stream message that is next in order. False: not now, so that it is not acknowledged. Not so for one that came
   * early, and has been acknowledged: real programs can lose that (PEERS.md, O10), and no relay could help it.
   */
  readonly process: (message: AgentMessage, early: boolean) => boolean;
  /** Any other message. */
  readonly other: (message: AgentMessage) => void;
  /** The front has been resent too often. */
  readonly exhausted?: () => void;
}

/**
 * The streams of a data channel as both real programs have them (PROTOCOL.md sections 1.3, 1.4 and 6): a message is
 * sent once, and only the front of the outgoing list again. What they do differently follows from `side`.
 */
export class StockStream {
  readonly #options: StockStreamOptions;
  readonly #outgoing = new Map<number, Outgoing>();
  readonly #early = new Map<number, AgentMessage>();
  #socket: Socket | undefined;
  #paused = false;
  #next = 0;
  #expected = 0;
  #roundTrip = 100;
  #variation = 0;
  #timeout = 200;
  #cancelTick: (() => void) | undefined;
  #stopped = false;

  constructor(options: StockStreamOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  /** The agent reads nothing from its application, either, while it is paused. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Sequence number of the message that is to be processed next. */
  get expected(): number {
    return this.#expected;
  }

  /** Messages that have not been acknowledged, as far as it knows. */
  get outstanding(): number {
    return this.#outgoing.size;
  }

  connect(socket: Socket): void {
    this.#socket = socket;
    this.#paused = false;
  }

  disconnect(): void {
    this.#socket = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#socket = undefined;
    this.#cancelTick?.();
  }

  /** At most 1,024 bytes. The agent keeps what it could not send; the plugin must not be asked when it is not connected. */
  send(payloadType: number, payload: Uint8Array): void {
    const { side, clock, dice, lateBuffer } = this.#options;
    const sequenceNumber = this.#next++;
    const client = side === 'client';
    const frame = this.#frame(
      client ? MessageType.InputStreamData : MessageType.OutputStreamData,
      payload,
      !client && sequenceNumber === 0 ? MessageFlags.Syn : MessageFlags.None,
      { sequenceNumber, payloadType },
    );
    if (!this.#paused) this.#socket?.send(frame);
    const keep = () => {
      if (this.#stopped) return;
      this.#outgoing.set(sequenceNumber, { frame, sentAt: clock.now(), resends: 0 });
      this.#tick();
    };
    if (dice.chance(lateBuffer)) clock.schedule(dice.fraction(), keep);
    else keep();
  }

  /** A message that is no part of the stream. */
  tell(messageType: string, payload: Uint8Array): void {
    this.#socket?.send(this.#frame(messageType, payload, MessageFlags.SynFin));
  }

  receive(frame: Uint8Array): void {
    if (this.#stopped) return;
    let message: AgentMessage;
    try {
      // The agent verifies no digest (PROTOCOL.md section 1.9).
      message = decodeMessage(frame, this.#options.side === 'client' ? sha256Digest : ANY_DIGEST);
    } catch (error) {
      if (error instanceof MessageError) return;
      throw error;
    }
    const { messageType } = message;
    const stream =
      this.#options.side === 'client' ? MessageType.OutputStreamData : MessageType.InputStreamData;
    if (messageType === stream) this.#take(message);
    else if (messageType === MessageType.Acknowledge) this.#acknowledged(message);
    else if (messageType === MessageType.PausePublication) this.#pause(true);
    else if (messageType === MessageType.StartPublication) this.#pause(false);
    else this.#options.other(message);
  }

  #pause(paused: boolean): void {
    if (this.#options.side === 'agent') this.#paused = paused;
  }

  #take(message: AgentMessage): void {
    this.#paused = false;
    const { sequenceNumber } = message;
    if (sequenceNumber < this.#expected) {
      if (this.#options.side === 'agent') this.#acknowledge(message);
    } else if (sequenceNumber > this.#expected) {
      this.#early.set(sequenceNumber, message);
      this.#acknowledge(message);
    } else if (this.#options.process(message, false)) {
      this.#acknowledge(message);
      this.#expected++;
      this.#takeEarly();
    }
  }

  #takeEarly(): void {
    for (let next = this.#early.get(this.#expected); next; next = this.#early.get(this.#expected)) {
      this.#early.delete(this.#expected);
      this.#options.process(next, true);
      this.#expected++;
    }
  }

  #acknowledge({ messageType, messageId, sequenceNumber }: AgentMessage): void {
    this.tell(MessageType.Acknowledge, formatAcknowledge({ messageType, messageId, sequenceNumber }));
  }

  #acknowledged(message: AgentMessage): void {
    this.#paused = false;
    const { sequenceNumber } = parseAcknowledge(message.payload);
    const sent = this.#outgoing.get(sequenceNumber);
    if (!sent) return;
    this.#outgoing.delete(sequenceNumber);
    const roundTrip = this.#options.clock.now() - sent.sentAt;
    this.#variation += (Math.abs(this.#roundTrip - roundTrip) - this.#variation) / 4;
    this.#roundTrip += (roundTrip - this.#roundTrip) / 8;
    this.#timeout = Math.min(1000, this.#roundTrip + Math.max(10, 4 * this.#variation));
  }

  /** While there is anything to resend, the front is looked at every 100 ms. */
  #tick(): void {
    if (this.#cancelTick || this.#stopped) return;
    this.#cancelTick = this.#options.clock.schedule(RESEND_INTERVAL, () => {
      this.#cancelTick = undefined;
      const [front] = this.#outgoing.values();
      if (!front) return;
      this.#resend(front);
      this.#tick();
    });
  }

  #resend(front: Outgoing): void {
    const { side, clock, exhausted } = this.#options;
    if (this.#paused || clock.now() - front.sentAt <= this.#timeout) return;
    if (side === 'client' && front.resends++ >= MAX_RESENDS) exhausted?.();
    this.#socket?.send(front.frame);
    // The plugin writes the time into a copy, and so goes on every 100 ms (PROTOCOL.md section 6).
    if (side === 'agent') front.sentAt = clock.now();
  }

  #frame(
    messageType: string,
    payload: Uint8Array,
    flags: number,
    stream?: { sequenceNumber: number; payloadType: number },
  ): Uint8Array {
    const { clock, random } = this.#options;
    return encodeMessage(
      { messageType, messageId: random.uuid(), createdDate: clock.now(), flags, payload, ...stream },
      sha256Digest,
    );
  }
}

interface Outgoing {
  readonly frame: Uint8Array;
  sentAt: number;
  resends: number;
}

/** Milliseconds. */
const RESEND_INTERVAL = 100;
/** Of the plugin, about five minutes. */
const MAX_RESENDS = 3000;

const ANY_DIGEST = { ...sha256Digest, matches: () => true };
