import { MessageFlags, MessageType, type PayloadFlag, PayloadType } from '../src/channel/constants.ts';
import { decodeMessage } from '../src/channel/decode.ts';
import { encodeMessage } from '../src/channel/encode.ts';
import { MessageError } from '../src/channel/error.ts';
import type { ChannelEvent } from '../src/channel/events.ts';
import type { AgentMessage } from '../src/channel/message.ts';
import { formatAcknowledge, parseAcknowledge } from '../src/channel/payload/acknowledge.ts';
import { parseChannelClosed } from '../src/channel/payload/channel-closed.ts';
import {
  ActionStatus,
  formatHandshakeComplete,
  formatHandshakeRequest,
  formatHandshakeResponse,
  parseHandshakeComplete,
  parseHandshakeRequest,
  parseHandshakeResponse,
  type SessionTypeParameters,
} from '../src/channel/payload/handshake.ts';
import {
  formatExitCode,
  formatFlag,
  formatSize,
  parseExitCode,
  parseFlag,
  parseSize,
  type TerminalSize,
} from '../src/channel/payload/terminal.ts';
import type { PayloadDigest } from '../src/crypto/digest.ts';
import { quickDigest } from './digest.ts';
import type { ChannelEnd } from './driver.ts';

/**
 * What both real programs have in common (PROTOCOL.md sections 2 and 6): 1,024-byte payloads, one acknowledge
 * per message, no window, and a retransmission that knows the front of the outgoing list only.
 */
abstract class Stranger implements ChannelEnd {
  protected readonly events: ChannelEvent[] = [];
  protected connected = false;
  protected paused = false;
  protected speaking = false;
  protected expected = 0;
  /** When the first socket opened. */
  protected startedAt = Number.NaN;
  readonly #uuid: () => string;
  readonly #digest: PayloadDigest;
  readonly #messageType: string;
  readonly #firstFlags: number;
  readonly #early = new Map<number, AgentMessage>();
  readonly #acknowledges: Uint8Array[] = [];
  /** Held back until the other end has spoken. */
  readonly #heldBack: { readonly payloadType: number; readonly payload: Uint8Array }[] = [];
  readonly #unsent: Outgoing[] = [];
  /** The outgoing list: sent and not acknowledged, in order. */
  readonly #sent = new Map<number, Outgoing>();
  #nextSequence = 0;
  #resendFront = false;
  #closed = false;

  constructor(uuid: () => string, digest: PayloadDigest, messageType: string, firstFlags: number) {
    this.#uuid = uuid;
    this.#digest = digest;
    this.#messageType = messageType;
    this.#firstFlags = firstFlags;
  }

  get acknowledged(): boolean {
    return this.#heldBack.length === 0 && this.#unsent.length === 0 && this.#sent.size === 0;
  }

  get writable(): boolean {
    return true;
  }

  handleConnected(now: number): void {
    this.connected = true;
    if (Number.isNaN(this.startedAt)) this.startedAt = now;
  }

  handleDisconnected(): void {
    this.connected = false;
  }

  handleMessage(frame: Uint8Array, now: number): void {
    if (this.#closed) return;
    try {
      this.#dispatch(decodeMessage(frame, this.#digest), now);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
    }
  }

  handleTimeout(now: number): void {
    const front = this.#front;
    if (!front || now < front.sentAt + RESEND_AFTER) return;
    this.#resendFront = true;
    front.sentAt = now;
  }

  send(bytes: Uint8Array, payloadType: number = PayloadType.Output): number {
    for (let start = 0; start < bytes.length; start += PAYLOAD_SIZE) {
      this.put(payloadType, bytes.slice(start, start + PAYLOAD_SIZE));
    }
    return bytes.length;
  }

  resize(size: TerminalSize): void {
    this.put(PayloadType.Size, formatSize(size));
  }

  interrupt(): void {
    this.put(PayloadType.Output, Uint8Array.of(3));
  }

  sendFlag(flag: PayloadFlag): void {
    this.put(PayloadType.Flag, formatFlag(flag));
  }

  sendExitCode(exitCode: number): void {
    this.put(PayloadType.ExitCode, formatExitCode(exitCode));
  }

  abstract startHandshake(session: SessionTypeParameters, now: number): void;

  pollEvent(): ChannelEvent | undefined {
    return this.events.shift();
  }

  pollTransmit(now: number): Uint8Array | undefined {
    if (!this.connected || this.#closed) return undefined;
    const acknowledge = this.#acknowledges.shift();
    if (acknowledge) return acknowledge;
    if (this.paused) return undefined;
    const front = this.#front;
    if (front && this.#resendFront) {
      this.#resendFront = false;
      front.transmissions++;
      return front.frame;
    }
    const next = this.#unsent.shift();
    if (!next) return undefined;
    next.sentAt = now;
    next.transmissions = 1;
    this.#sent.set(next.sequenceNumber, next);
    return next.frame;
  }

  pollTimeout(): number | undefined {
    const front = this.#front;
    if (!front || !this.connected || this.paused || this.#closed || this.#resendFront) return undefined;
    return front.sentAt + RESEND_AFTER;
  }

  /** Whether the message that is next in order can be processed now; if not, it is not acknowledged. */
  protected abstract canProcess(message: AgentMessage, now: number): boolean;
  protected abstract process(message: AgentMessage): void;
  /** What becomes of a message that was processed before. */
  protected abstract processedBefore(message: AgentMessage): void;
  /** Whether the acknowledge of a message is overlooked. */
  protected abstract overlooks(transmissions: number): boolean;

  /** Queues one message; before the other end has spoken, holds it back. */
  protected put(payloadType: number, payload: Uint8Array): void {
    if (this.speaking) this.putNow(payloadType, payload);
    else this.#heldBack.push({ payloadType, payload });
  }

  protected putNow(payloadType: number, payload: Uint8Array): void {
    const sequenceNumber = this.#nextSequence++;
    const frame = encodeMessage(
      {
        messageType: this.#messageType,
        messageId: this.#uuid(),
        createdDate: 1,
        sequenceNumber,
        flags: sequenceNumber === 0 ? this.#firstFlags : MessageFlags.None,
        payloadType,
        payload,
      },
      this.#digest,
    );
    this.#unsent.push({ sequenceNumber, frame, sentAt: 0, transmissions: 0 });
  }

  protected speak(): void {
    this.speaking = true;
    for (const { payloadType, payload } of this.#heldBack.splice(0)) this.putNow(payloadType, payload);
  }

  protected acknowledge({ messageType, messageId, sequenceNumber }: AgentMessage): void {
    const payload = formatAcknowledge({ messageType, messageId, sequenceNumber });
    const flags = MessageFlags.SynFin;
    this.#acknowledges.push(
      encodeMessage(
        { messageType: MessageType.Acknowledge, messageId: this.#uuid(), createdDate: 1, flags, payload },
        this.#digest,
      ),
    );
  }

  get #front(): Outgoing | undefined {
    for (const message of this.#sent.values()) return message;
    return undefined;
  }

  #dispatch(message: AgentMessage, now: number): void {
    switch (message.messageType) {
      case MessageType.InputStreamData:
      case MessageType.OutputStreamData:
        this.paused = false;
        this.#take(message, now);
        return;
      case MessageType.Acknowledge: {
        this.paused = false;
        const { sequenceNumber } = parseAcknowledge(message.payload);
        const sent = this.#sent.get(sequenceNumber);
        if (sent && !this.overlooks(sent.transmissions)) this.#sent.delete(sequenceNumber);
        return;
      }
      case MessageType.StartPublication:
      case MessageType.PausePublication:
        this.publication(message.messageType === MessageType.StartPublication);
        return;
      case MessageType.ChannelClosed:
        this.#closed = true;
        this.events.push({ type: 'closed', message: parseChannelClosed(message.payload) });
    }
  }

  protected abstract publication(start: boolean): void;

  #take(message: AgentMessage, now: number): void {
    const { sequenceNumber } = message;
    if (sequenceNumber < this.expected) this.processedBefore(message);
    else if (sequenceNumber > this.expected) {
      this.#early.set(sequenceNumber, message);
      this.acknowledge(message);
    } else if (this.canProcess(message, now)) {
      this.acknowledge(message);
      for (let next: AgentMessage | undefined = message; next; next = this.#early.get(this.expected)) {
        this.#early.delete(this.expected);
        this.expected++;
        this.process(next);
      }
    }
  }
}

interface Outgoing {
  readonly sequenceNumber: number;
  readonly frame: Uint8Array;
  sentAt: number;
  transmissions: number;
}

/** Both real programs. */
const PAYLOAD_SIZE = 1024;
/** Milliseconds. */
const RESEND_AFTER = 200;

/**
 * A client like session-manager-plugin: it never acknowledges again what it has processed (PROTOCOL.md section
 * 1.3), ignores start and pause, verifies digests.
 */
export class PluginStranger extends Stranger {
  constructor(uuid: () => string, digest: PayloadDigest = quickDigest) {
    super(uuid, digest, MessageType.InputStreamData, MessageFlags.None);
  }

  startHandshake(): void {
    throw new TypeError('The plugin is a client.');
  }

  protected canProcess(): boolean {
    return true;
  }

  protected process({ payloadType, payload }: AgentMessage): void {
    switch (payloadType) {
      case PayloadType.HandshakeRequest: {
        const { requestedClientActions } = parseHandshakeRequest(payload);
        const processedClientActions = requestedClientActions.map(({ actionType }) => ({
          actionType,
          actionStatus: ActionStatus.Success,
          actionResult: null,
          error: '',
        }));
        const response = { clientVersion: '1.2.707.0', processedClientActions, errors: [] };
        this.putNow(PayloadType.HandshakeResponse, formatHandshakeResponse(response));
        return;
      }
      case PayloadType.HandshakeComplete: {
        const { customerMessage } = parseHandshakeComplete(payload);
        const handshake = { sessionType: 'Port', properties: null, encrypted: false, customerMessage };
        this.events.push({ type: 'ready', handshake });
        this.speak();
        return;
      }
      case PayloadType.Flag:
        this.events.push({ type: 'flag', flag: parseFlag(payload) });
        return;
      case PayloadType.ExitCode:
        this.events.push({ type: 'exitCode', exitCode: parseExitCode(payload) });
        return;
      default:
        if (!this.speaking) this.events.push({ type: 'ready' });
        if (!this.speaking) this.speak();
        this.events.push({ type: 'data', payloadType, payload });
    }
  }

  protected processedBefore(): void {}

  protected publication(): void {}

  protected overlooks(): boolean {
    return false;
  }
}

/**
 * An agent like amazon-ssm-agent: no digest is verified, input that comes in the first second is not taken,
 * input before the end of the handshake is acknowledged and thrown away, and some acknowledges come before it
 * has written down what it sent (PROTOCOL.md sections 1.4, 6 and 7).
 */
export class RealAgentStranger extends Stranger {
  #shaking = false;
  #acknowledgesSeen = 0;

  constructor(uuid: () => string, digest: PayloadDigest = quickDigest) {
    super(uuid, { ...digest, matches: () => true }, MessageType.OutputStreamData, MessageFlags.Syn);
    this.speaking = true;
  }

  startHandshake({ sessionType, properties }: SessionTypeParameters): void {
    this.#shaking = true;
    this.speaking = false;
    const action = {
      actionType: 'SessionType',
      actionParameters: { SessionType: sessionType, Properties: properties },
    };
    const request = { agentVersion: '3.3.0.0', requestedClientActions: [action] };
    this.putNow(PayloadType.HandshakeRequest, formatHandshakeRequest(request));
  }

  protected canProcess({ payloadType }: AgentMessage, now: number): boolean {
    return payloadType === PayloadType.HandshakeResponse || now >= this.startedAt + 1000;
  }

  protected process({ payloadType, payload }: AgentMessage): void {
    if (payloadType === PayloadType.HandshakeResponse) {
      parseHandshakeResponse(payload);
      this.#shaking = false;
      const complete = formatHandshakeComplete({
        handshakeTimeToComplete: 1,
        customerMessage: '',
      });
      this.putNow(PayloadType.HandshakeComplete, complete);
      this.speak();
    } else if (this.#shaking) return;
    else if (payloadType === PayloadType.Size) this.events.push({ type: 'size', size: parseSize(payload) });
    else if (payloadType === PayloadType.Flag) this.events.push({ type: 'flag', flag: parseFlag(payload) });
    else this.events.push({ type: 'data', payloadType, payload });
  }

  protected processedBefore(message: AgentMessage): void {
    this.acknowledge(message);
  }

  protected publication(start: boolean): void {
    this.paused = !start;
  }

  protected overlooks(transmissions: number): boolean {
    return transmissions === 1 && ++this.#acknowledgesSeen % 31 === 0;
  }
}
