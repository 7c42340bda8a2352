import { HawserError } from '../base/error.ts';
import { NONCE_LENGTH, TAG_LENGTH } from '../crypto/aes-gcm.ts';
import type { DataKey } from '../crypto/kms/key-service.ts';
import { AgentHandshake, type AgentHandshakeOptions } from './agent-handshake.ts';
import { ClientHandshake, notEncrypted } from './client-handshake.ts';
import { MessageFlags, MessageType, type PayloadFlag, PayloadType } from './constants.ts';
import type { ChannelStats, DataChannelOptions } from './data-channel-options.ts';
import { decodeMessage } from './decode.ts';
import { deliveredToAgent, deliveredToClient } from './delivered.ts';
import { encodeMessage } from './encode.ts';
import { EncryptionStage } from './encryption/stage.ts';
import { MessageError } from './error.ts';
import type { ChannelEvent, ReadyEvent } from './events.ts';
import { type Handshake, type HandshakeParts, unexpected } from './handshake.ts';
import {
  DEFAULT_PAYLOAD_SIZE,
  DEFAULT_RECEIVE_BUFFER,
  DEFAULT_SEND_QUEUE,
  DEFAULT_SEND_WINDOW,
  MAX_PAYLOAD_SIZE,
} from './limits.ts';
import type { AgentMessage } from './message.ts';
import { formatAcknowledge, parseAcknowledge } from './payload/acknowledge.ts';
import { type ChannelClosed, parseChannelClosed } from './payload/channel-closed.ts';
import type { SessionTypeParameters } from './payload/handshake.ts';
import { parsePublication } from './payload/publication.ts';
import { type AgentSessionState, formatSessionState } from './payload/session-state.ts';
import { formatExitCode, formatFlag, isTerminalSize, type TerminalSize } from './payload/terminal.ts';
import { PayloadSize } from './payload-size.ts';
import { type Delivery, ReceiveStream } from './receive-stream.ts';
import { SendQueue } from './send-queue.ts';
import { SendStream } from './send-stream.ts';

/**
 * The data channel of one session: either end of it, with no IO (PROTOCOL.md sections 2, 6 and 7).
 *
 * A deterministic state machine. Time is an argument; the ids are injected. Its methods are of four kinds:
 *
 * - getters;
 * - `handle*`: what came from the network or the clock. They never throw for what the network sent;
 * - commands: what the application wants;
 * - `poll*`: what to tell the application, what to send, when to wake.
 *
 * After every `handle*` and every command a driver polls: `pollEvent` until it has no more (or the application
 * can take no more), `pollTransmit` until it has no more (or the socket can take no more), then `pollTimeout`
 * for the time of the next `handleTimeout`. Events first: polling them can make acknowledges to send.
 *
 * A channel outlives its socket. It starts unconnected; `handleConnected` and `handleDisconnected` tell of each
 * socket below it, and across them no byte is lost, doubled or reordered.
 */
export class DataChannel {
  readonly #options: DataChannelOptions;
  readonly #isClient: boolean;
  readonly #queue: SendQueue;
  readonly #stage: EncryptionStage;
  readonly #payloadSize: PayloadSize;
  readonly #sender: SendStream;
  readonly #receiver: ReceiveStream;

  #connected = false;
  #closed = false;
  #ready: boolean;
  /** An agent's begins with {@link startHandshake}, if at all. */
  #handshake: Handshake | undefined;
  /** The session must end: nothing more is delivered. */
  #failed = false;
  #paused = false;
  /** Client: in a session that is no terminal, where sizes mean nothing to the agent. */
  #isPort = false;
  /** Client: the payload size on trial, or once on it. */
  #tried: number | undefined;
  /** Bytes of payload, as far as it has said. */
  #serviceTakes: number | undefined;
  #announcements: AgentSessionState[] = [];
  /** Since when the peer has been silent; or since when it has had something to answer, if that is later. */
  #silentSince = 0;

  #events: QueuedEvent[] = [];
  #firstEvent = 0;
  /** Deliveries that came before the agent's handshake was done, in order. */
  #held: Delivery[] = [];
  #dropped = 0;
  #droppedEvents = 0;
  #now = 0;

  /** @throws {RangeError} for a payloadSize, window or buffer out of range */
  constructor(options: DataChannelOptions) {
    const asked = options.payloadSize;
    if (asked !== undefined) checked('payloadSize', asked, MAX_PAYLOAD_SIZE);
    this.#options = options;
    this.#isClient = options.role === 'client';
    this.#payloadSize = new PayloadSize({ asked, tries: this.#isClient });
    // A client may speak once the agent has (PROTOCOL.md section 1.2); an agent speaks first.
    this.#ready = !this.#isClient;
    this.#queue = new SendQueue(
      this.#payloadSize.current,
      checked('sendQueue', options.sendQueue ?? DEFAULT_SEND_QUEUE),
    );
    this.#stage = new EncryptionStage(
      this.#queue,
      () => options.encryption?.wake(),
      (error) => this.#fail(error),
    );
    if (this.#isClient) this.#handshake = new ClientHandshake(this.#handshakeParts());
    this.#sender = new SendStream(
      {
        messageType: this.#isClient ? MessageType.InputStreamData : MessageType.OutputStreamData,
        firstFlags: this.#isClient ? MessageFlags.None : MessageFlags.Syn,
        window: checked('sendWindow', options.sendWindow ?? DEFAULT_SEND_WINDOW),
        digest: options.digest,
        uuid: options.uuid,
        trialArrived: () => {
          this.#payloadSize.arrived();
          this.#queue.setPayloadSize(this.#payloadSize.current);
        },
      },
      this.#stage,
    );
    this.#receiver = new ReceiveStream(
      this.#isClient ? MessageType.OutputStreamData : MessageType.InputStreamData,
      checked('receiveBuffer', options.receiveBuffer ?? DEFAULT_RECEIVE_BUFFER),
    );
  }

  /** Whether application data may flow to the peer; until then it is held back. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Whether payloads are encrypted, or will be once the handshake is complete. */
  get encrypted(): boolean {
    return this.#handshake?.encrypts ?? false;
  }

  /** Whether there is a socket below. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Whether there is a way to the peer: a socket, and no word of the service that the other end is away. */
  get reachesPeer(): boolean {
    return this.#connected && !this.#paused;
  }

  /** Whether the channel is over: by `channel_closed` or by {@link close}. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Whether there is room to speak of for {@link send}: at least half of the send queue. A getter and no event, so
   * that a reader who is slow to poll events does not keep a writer from hearing of it: look after every call.
   */
  get writable(): boolean {
    return !this.#closed && this.#queue.room >= this.#queue.bytes;
  }

  /** Whether everything sent has arrived: nothing is queued, nothing unacknowledged. */
  get acknowledged(): boolean {
    return this.#queue.empty && this.#stage.idle && this.#sender.unacknowledged === 0;
  }

  /** The same, or the peer is one that acknowledges no duplicates, and has most likely got the rest as well. */
  get settled(): boolean {
    return this.#queue.empty && this.#stage.idle && this.#sender.settled;
  }

  /**
   * Whether something received is still being decrypted. What it tells comes later, the end of the session perhaps, also
   * when the socket is gone by then.
   */
  get decrypting(): boolean {
    return !this.#stage.delivered;
  }

  get stats(): ChannelStats {
    return {
      roundTripTime: this.#sender.roundTripTime,
      retransmissions: this.#sender.retransmissions,
      droppedFrames: this.#dropped,
      queuedBytes: this.#queue.bytes,
      unacknowledgedBytes: this.#sender.unacknowledgedBytes,
      receivedBytes: this.#receiver.stored,
    };
  }

  /** A socket is open and the opening message has been sent on it. Everything unacknowledged is sent again. */
  handleConnected(now: number): void {
    this.#connected = true;
    this.#paused = false;
    this.#silentSince = now;
    this.#sender.restart(now, true);
  }

  /** The socket is gone. Nothing is lost: the channel waits for the next one. */
  handleDisconnected(now: number): void {
    this.#connected = false;
    if (this.#sender.withdrawTrial(now)) this.#payloadSize.refused();
    this.#sender.suspend();
  }

  /** Takes one binary message of the socket. The channel keeps views of `frame`: do not write to it afterwards. */
  handleMessage(frame: Uint8Array, now: number): void {
    if (this.#closed) return;
    this.#now = now;
    let message: AgentMessage;
    try {
      message = decodeMessage(frame, this.#options.digest);
      this.#silentSince = now;
      this.#dispatch(message, now);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#drop(error);
    }
  }

  /** The time that {@link pollTimeout} asked for has come. */
  handleTimeout(now: number): void {
    if (this.#closed) return;
    this.#now = now;
    if (this.#connected) {
      this.#sender.handleTimeout(now);
      this.#receiver.handleTimeout(now);
    }
    this.#handshake?.handleTimeout(now);
    if (this.#silenceDeadline !== undefined && now >= this.#silenceDeadline) {
      this.#fail(silent());
      this.#silentSince = now;
    }
  }

  /**
   * Sends stream data. The bytes are copied.
   *
   * @param payloadType default `Output`; an agent also sends `StdErr` and `Error`
   * @returns how many bytes were taken. Offer the others again when the channel is {@link writable}
   */
  send(bytes: Uint8Array, payloadType: number = PayloadType.Output): number {
    if (this.#closed) return 0;
    return this.#queue.pushBytes(payloadType, bytes);
  }

  /** Client: the terminal has this size now. Only the last size before the next transmission is sent. @throws {RangeError} */
  resize(size: TerminalSize): void {
    if (!isTerminalSize(size))
      throw new RangeError(`A terminal has 1 to 65,535 columns and rows, not ${size.cols} by ${size.rows}.`);
    if (!this.#closed) this.#queue.setSize(size);
  }

  /** Forgets bytes given to {@link send} that have not been sent yet. */
  discard(): void {
    if (!this.#closed) this.#queue.discardBytes();
  }

  /** Client: Ctrl-C. It overtakes input that has not been sent yet. */
  interrupt(): void {
    if (!this.#closed) this.#queue.pushInterrupt();
  }

  sendFlag(flag: PayloadFlag): void {
    if (!this.#closed) this.#queue.pushWhole(PayloadType.Flag, formatFlag(flag));
  }

  /** Agent: the command's exit status. */
  sendExitCode(exitCode: number): void {
    if (!this.#closed) this.#queue.pushWhole(PayloadType.ExitCode, formatExitCode(exitCode));
  }

  /**
   * Agent: begins with a handshake, before anything is sent. Both sides' data is held back until it is complete.
   * Plain shells do without one (PROTOCOL.md section 1.2).
   *
   * @throws {EncryptionError} `ERR_ENCRYPTION_NO_KEY_SERVICE` for one that is to encrypt without `options.encryption`
   */
  startHandshake(session: SessionTypeParameters, now: number, options: AgentHandshakeOptions = {}): void {
    if (this.#isClient || this.#sender.unacknowledged > 0)
      throw new TypeError('Only an agent that has sent nothing yet can start a handshake.');
    this.#handshake = new AgentHandshake(this.#handshakeParts(), session, options, now);
    this.#ready = false;
  }

  /** The answer to `generateDataKey` or `decryptDataKey`. The plaintext is filled with zeros. */
  handleDataKey(dataKey: Pick<DataKey, 'plaintext'> & Partial<DataKey>, now: number): void {
    if (!this.#closed) this.#handshake?.handleDataKey(dataKey, now);
    dataKey.plaintext.fill(0);
  }

  /** The answer when there is no key: the session fails. */
  handleDataKeyError(error: Error): void {
    if (!this.#closed) this.#handshake?.handleDataKeyError(error);
  }

  /** Agent: tells the service of the session's state. */
  announce(state: AgentSessionState): void {
    if (!this.#closed && this.#announcements.length < MAX_ANNOUNCEMENTS) this.#announcements.push(state);
  }

  /** Ends the channel on this side. Nothing is sent afterwards, and nothing taken; events that wait can still be polled. */
  close(): void {
    this.#closed = true;
    this.#stage.close();
    this.#sender.suspend();
  }

  /**
   * What happened, in order. Stream data that is not polled stays in the receive buffer, and a full one makes
   * the peer stop: that is the back-pressure.
   */
  pollEvent(): ChannelEvent | undefined {
    const queued = this.#events[this.#firstEvent];
    if (!queued) return undefined;
    this.#firstEvent++;
    if (this.#firstEvent === this.#events.length || this.#firstEvent === COMPACT_AFTER) {
      this.#events = this.#events.slice(this.#firstEvent);
      this.#firstEvent = 0;
    }
    if (queued.delivery) this.#receiver.consume(queued.delivery);
    if (queued.event.type === 'dropped') this.#droppedEvents--;
    return queued.event;
  }

  /** The next frame to send. Poll only while the socket takes more: what is not polled here costs no memory there. */
  pollTransmit(now: number): Uint8Array | undefined {
    if (!this.#connected || this.#closed) return undefined;
    const acknowledge = this.#receiver.shiftAcknowledge();
    if (acknowledge) return this.#control(MessageType.Acknowledge, formatAcknowledge(acknowledge), now);
    const sessionState = this.#announcements.shift();
    if (sessionState) {
      const { sessionId } = this.#options;
      return this.#control(
        MessageType.AgentSessionState,
        formatSessionState({ sessionState, sessionId }),
        now,
      );
    }
    if (this.#paused && !this.#isClient) return undefined;
    if (this.#sender.unacknowledged === 0) this.#silentSince = Math.max(this.#silentSince, now);
    this.#tryPayloadSize();
    return this.#sender.transmit(now, this.#ready, this.#paused ? 1 : Number.POSITIVE_INFINITY);
  }

  /** When to call {@link handleTimeout}: milliseconds on the caller's clock; undefined for never. */
  pollTimeout(): number | undefined {
    if (this.#closed) return undefined;
    let deadline = this.#connected ? this.#sender.deadline : undefined;
    const acknowledges = this.#connected ? this.#receiver.deadline : undefined;
    for (const other of [acknowledges, this.#handshake?.deadline, this.#silenceDeadline]) {
      if (other !== undefined && (deadline === undefined || other < deadline)) deadline = other;
    }
    return deadline;
  }

  #dispatch(message: AgentMessage, now: number): void {
    const incoming = this.#isClient ? MessageType.OutputStreamData : MessageType.InputStreamData;
    switch (message.messageType) {
      case incoming:
        this.#resume(now);
        for (const delivery of this.#receiver.handle(message, now)) this.#receive(delivery);
        return;
      case MessageType.Acknowledge:
        this.#sender.acknowledge(parseAcknowledge(message.payload).sequenceNumber, now);
        this.#resume(now);
        return;
      case MessageType.PausePublication:
        this.#pause();
        return;
      case MessageType.StartPublication:
        this.#offered(parsePublication(message.payload).payloadSize);
        this.#paused = false;
        this.#sender.restart(now, false);
        return;
      case MessageType.ChannelClosed:
        this.#end(parseChannelClosed(message.payload));
        return;
      default:
        throw new MessageError(
          'ERR_MESSAGE_FIELD',
          `A ${this.#options.role} does not take ${message.messageType.slice(0, 32)} messages on its data channel.`,
        );
    }
  }

  #offered(payloadSize: number | undefined): void {
    if (payloadSize === undefined) return;
    // A terminal's keys and pastes are small, and its size is not to be touched for nothing.
    this.#serviceTakes = payloadSize;
    if (this.#isClient && !this.#isPort) return;
    this.#payloadSize.offered(payloadSize - this.#overhead);
    this.#queue.setPayloadSize(this.#payloadSize.current);
  }

  /** Once there is more to send than fits a small message. */
  #tryPayloadSize(): void {
    const untried = this.#payloadSize.untried;
    if (untried === undefined || untried === this.#tried || !this.#ready) return;
    if (this.#queue.bytes <= DEFAULT_PAYLOAD_SIZE) return;
    this.#tried = untried;
    this.#queue.pushTrial(untried + this.#overhead);
  }

  /** Bytes that encryption adds to a payload. */
  get #overhead(): number {
    return this.encrypted ? NONCE_LENGTH + TAG_LENGTH : 0;
  }

  /** pause_publication stops an agent. The real plugin ignores it, so a client goes on with one message at a time. */
  #pause(): void {
    this.#paused = true;
    if (!this.#isClient) this.#sender.suspend();
  }

  /** Any sign of the peer ends a pause (PROTOCOL.md section 6). */
  #resume(now: number): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#sender.restart(now, false);
  }

  /** Behind what is still being decrypted. */
  #end(message: ChannelClosed): void {
    this.#stage.inOrder(() => {
      this.#push({ type: 'closed', message });
      this.close();
    });
  }

  #receive(delivery: Delivery): void {
    const { payloadType, payload } = delivery;
    this.#stage.receive(
      payloadType,
      payload,
      (payload) => this.#deliver({ ...delivery, payload }),
      (error) => {
        this.#receiver.consume(delivery);
        this.#fail(error);
      },
    );
  }

  #fail(error: HawserError): void {
    if (!this.#failed) this.#push({ type: 'failed', error });
    this.#failed = true;
  }

  #deliver(delivery: Delivery): void {
    try {
      if (this.#failed) this.#receiver.consume(delivery);
      else if (this.#handshake?.handlePayload(delivery.payloadType, delivery.payload, this.#now))
        this.#receiver.consume(delivery);
      else if (this.#isClient) this.#deliverToClient(delivery);
      else this.#deliverToAgent(delivery);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      // It had its turn, so it counts as received: sent again it would be no better.
      this.#receiver.consume(delivery);
      this.#drop(error);
    }
  }

  #completed(event: ReadyEvent): void {
    this.#ready = true;
    if (this.#isClient) {
      this.#isPort = event.handshake?.sessionType === 'Port';
      this.#offered(this.#serviceTakes);
    }
    this.#push(event);
    const held = this.#held;
    this.#held = [];
    for (const early of held) this.#deliver(early);
  }

  #handshakeParts(): HandshakeParts {
    return {
      options: this.#options,
      queue: this.#queue,
      stage: this.#stage,
      isReady: () => this.#ready,
      complete: (event) => this.#completed(event),
      request: (event) => this.#push(event),
      fail: (error) => this.#fail(error),
    };
  }

  #deliverToClient(delivery: Delivery): void {
    const { payloadType, payload } = delivery;
    const event = deliveredToClient(payloadType, payload);
    // Errors are never encrypted, and nothing is before the encryption: they could be anybody's.
    if (this.#handshake?.encrypts && (!this.#ready || payloadType === PayloadType.Error))
      throw unexpected(`Unencrypted payload type ${payloadType}`);
    if (!this.#ready && !this.#handshake?.begun) this.#spoken();
    if (this.#failed) this.#receiver.consume(delivery);
    else this.#push(event, delivery);
  }

  #deliverToAgent(delivery: Delivery): void {
    const { payloadType, payload } = delivery;
    const event = deliveredToAgent(payloadType, payload);
    if (this.#ready) this.#push(event, delivery);
    else if (this.#handshake?.encrypts && payloadType === PayloadType.Output) throw unexpected('Early input');
    else this.#held.push(delivery);
  }

  /** Client: the agent spoke without a handshake, so there will be none and input may flow. */
  #spoken(): void {
    if (this.#options.requireEncryption) {
      this.#fail(notEncrypted());
      return;
    }
    this.#ready = true;
    this.#push({ type: 'ready' });
  }

  /** An unanswered peer that has been silent for too long is gone, whatever the socket says. Agents wait for ever, as the real one. */
  get #silenceDeadline(): number | undefined {
    if (!this.#isClient || !this.#connected || this.#sender.unacknowledged === 0) return undefined;
    return this.#silentSince + SILENCE_LIMIT;
  }

  #control(messageType: MessageType, payload: Uint8Array, now: number): Uint8Array {
    return encodeMessage(
      {
        messageType,
        messageId: this.#options.uuid(),
        createdDate: Math.max(1, now),
        flags: MessageFlags.SynFin,
        payload,
      },
      this.#options.digest,
    );
  }

  #drop(error: MessageError): void {
    this.#dropped++;
    if (this.#droppedEvents >= MAX_DROPPED_EVENTS) return;
    this.#droppedEvents++;
    this.#push({ type: 'dropped', error });
  }

  #push(event: ChannelEvent, delivery?: Delivery): void {
    this.#events.push(delivery ? { event, delivery } : { event });
  }
}

interface QueuedEvent {
  readonly event: ChannelEvent;
  /** The stream message behind it, whose bytes count until the event is polled. */
  readonly delivery?: Delivery;
}

function silent(): HawserError {
  return new HawserError(
    'ERR_CHANNEL_SILENT',
    'The other end has answered nothing for five minutes. The managed node may be gone; start a new session.',
  );
}

function checked(name: string, value: number, maximum = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < 1 || value > maximum) {
    throw new RangeError(`${name} must be a whole number from 1 to ${maximum}, got ${value}.`);
  }
  return value;
}

/** Milliseconds: about the time after which the real plugin gives up (PROTOCOL.md section 6). */
const SILENCE_LIMIT = 300_000;
/** Dropped frames are counted for ever, but reported only so many at a time. */
const MAX_DROPPED_EVENTS = 64;
const MAX_ANNOUNCEMENTS = 8;
/** Polled events that may stay at the head of the array. */
const COMPACT_AFTER = 1_024;
