import type { PayloadDigest } from '../crypto/digest.ts';
import { MessageFlags, type MessageType } from './constants.ts';
import { encodeMessage, frameLength } from './encode.ts';
import { FrameMemory } from './frame-memory.ts';
import { RoundTripTime } from './round-trip.ts';
import type { QueuedPayload } from './send-queue.ts';

export interface SendStreamOptions {
  readonly messageType: MessageType;
  /** Flags of the very first message; later ones carry none. */
  readonly firstFlags: number;
  /** Bytes of unacknowledged frames. */
  readonly window: number;
  readonly digest: PayloadDigest;
  readonly uuid: () => string;
  /** What was sent for trial ({@link QueuedPayload.insteadOfPayload}) has arrived. */
  readonly trialArrived: () => void;
}

/** Where the payloads come from. */
export interface PayloadSource {
  /** @param ready whether application data may go, or only the handshake */
  shift(ready: boolean): QueuedPayload | undefined;
}

/**
 * The sending half of the reliable stream: sequence numbers, the window, loss detection and retransmission.
 *
 * Acknowledges are for one message each, so a loss is known from the acknowledge of a message sent later, plus
 * some patience for reordering, as in RFC 8985 (RACK); where nothing is acknowledged, a timeout with backoff
 * sends one message as a probe. A message once sent is sent again as the same bytes (PROTOCOL.md section 8).
 */
export class SendStream {
  readonly #options: SendStreamOptions;
  readonly #source: PayloadSource;
  readonly #memory = new FrameMemory();
  readonly #roundTrip = new RoundTripTime();

  #nextSequence = 0;
  /** No message below this one is unacknowledged. */
  #lowest = 0;
  /** No message below this one is unacknowledged and counts for the window. */
  #lowestCounted = 0;
  /** Sent and unanswered, in the order of their last transmission. */
  readonly #inFlight = new Map<number, SentMessage>();
  /** Known or feared lost, to be sent again before anything new. */
  #lost = new Map<number, SentMessage>();
  #unacknowledgedBytes = 0;
  /** The part of them that has been sent so often that it no longer counts for the window. */
  #exemptBytes = 0;
  /** The message that may be too large for somebody, until it is acknowledged. */
  #trial: { readonly sequenceNumber: number; readonly instead: QueuedPayload } | undefined;
  #transmissions = 0;
  /** The first transmission on the path that there is now. */
  #pathSince = 0;
  #retransmissions = 0;

  /** When the retransmission timeout ends. */
  #timeoutAt: number | undefined;
  /**
   * After a timeout no round-trip time is taken of messages sent before it: the acknowledges may have been held back
   * by a full receive buffer. But for the first, or a path slower than the first timeout would never be measured.
   */
  #sampleAfter = Number.NEGATIVE_INFINITY;

  /** The acknowledged message that was sent last, and how long it took. */
  #newestAcknowledged = -1;
  #newestRoundTrip = 0;
  /** What has passed for certain: the highest first transmission of an acknowledged message. */
  #passed = -1;
  /** When the oldest overtaken message counts as lost. */
  #lossAt: number | undefined;
  /** Patience with reordering, in quarters of the shortest round trip; grows when it proves too short. */
  #patience = 1;

  constructor(options: SendStreamOptions, source: PayloadSource) {
    this.#options = options;
    this.#source = source;
  }

  get roundTripTime(): number {
    return this.#roundTrip.smoothed;
  }

  /** Bytes of the frames that wait for their acknowledge. */
  get unacknowledgedBytes(): number {
    return this.#unacknowledgedBytes;
  }

  get unacknowledged(): number {
    return this.#inFlight.size + this.#lost.size;
  }

  /**
   * Whether nothing is unanswered but what the peer has, most likely: messages sent many times, while what was first sent
   * after that has been acknowledged. The real plugin acknowledges no duplicate, so a lost acknowledge never comes
   * (PROTOCOL.md section 1.3). Only what was sent on the path that there is now counts: before it, a relay may have
   * taken messages that it lost with its process. And an acknowledge of a message sent several times is for the first of
   * them: taken for the last, it would let an agent go whose output a relay has still to pass on, and a kill would lose it.
   */
  get settled(): boolean {
    for (const unanswered of [this.#lost, this.#inFlight])
      for (const { oftenSince = -1 } of unanswered.values())
        if (oftenSince < this.#pathSince || oftenSince > this.#passed) return false;
    return true;
  }

  get retransmissions(): number {
    return this.#retransmissions;
  }

  /**
   * The next frame to send.
   *
   * @param ready whether application data may go, or only the handshake
   * @param limit messages that may be unacknowledged at once
   */
  transmit(now: number, ready: boolean, limit: number): Uint8Array | undefined {
    for (const message of this.#lost.values()) {
      this.#lost.delete(message.sequenceNumber);
      this.#retransmissions++;
      return this.#sent(message, now);
    }
    if (this.unacknowledged >= limit || !this.#windowOpen) return undefined;
    const next = this.#source.shift(ready);
    if (!next) return undefined;
    const sequenceNumber = this.#nextSequence++;
    if (next.insteadOfPayload) {
      const instead = { payloadType: next.payloadType, payload: next.insteadOfPayload };
      this.#trial = { sequenceNumber, instead };
    }
    return this.#sent(this.#message(sequenceNumber, next, now), now);
  }

  /**
   * The connection has closed: puts what carries the same and is small in the place of a message on trial.
   *
   * @returns whether there was one
   */
  withdrawTrial(now: number): boolean {
    if (!this.#trial) return false;
    const { sequenceNumber, instead } = this.#trial;
    this.#trial = undefined;
    const message = this.#inFlight.get(sequenceNumber) ?? this.#lost.get(sequenceNumber);
    if (!message) return false;
    this.#unacknowledgedBytes -= message.frame.length;
    if (message.transmissions >= EXEMPT_AFTER) this.#exemptBytes -= message.frame.length;
    this.#inFlight.delete(sequenceNumber);
    this.#lost.set(sequenceNumber, this.#message(sequenceNumber, instead, now));
    return true;
  }

  /** Takes the acknowledge of one message. @returns whether it was for a message that was sent */
  acknowledge(sequenceNumber: number, now: number): boolean {
    const message = this.#inFlight.get(sequenceNumber) ?? this.#lost.get(sequenceNumber);
    if (!message) {
      const repeated = sequenceNumber < this.#nextSequence;
      // Acknowledged twice means sent twice: for reordering, not loss, unless the network doubled it.
      if (repeated && this.#retransmissions > 0) this.#patience = Math.min(this.#patience + 1, MAX_PATIENCE);
      return repeated;
    }
    this.#inFlight.delete(sequenceNumber);
    this.#lost.delete(sequenceNumber);
    this.#unacknowledgedBytes -= message.frame.length;
    if (message.transmissions >= EXEMPT_AFTER) this.#exemptBytes -= message.frame.length;
    if (sequenceNumber === this.#trial?.sequenceNumber) {
      this.#trial = undefined;
      this.#options.trialArrived();
    }
    while (this.#lowest < this.#nextSequence && !this.#unanswered(this.#lowest)) this.#lowest++;

    this.#passed = Math.max(this.#passed, message.firstOnPath);
    const roundTrip = now - message.sentAt;
    if (message.transmissions === 1 && (message.sentAt >= this.#sampleAfter || !this.#roundTrip.measured)) {
      this.#roundTrip.sample(roundTrip);
    }
    // The acknowledge of a message sent again may be for an earlier sending; one that is too fast for the last is.
    const sinceEarlier = now - message.sentBeforeAt;
    const certain = roundTrip > this.#roundTrip.minimum / 2 || sinceEarlier > CLEARLY_LATER * roundTrip;
    if (certain && message.transmission > this.#newestAcknowledged) {
      this.#newestAcknowledged = message.transmission;
      this.#newestRoundTrip = roundTrip;
    }
    this.#roundTrip.resetBackoff();
    this.#restartTimeout(now);
    this.#detectLoss(now);
    return true;
  }

  handleTimeout(now: number): void {
    if (this.#lossAt !== undefined && now >= this.#lossAt) this.#detectLoss(now);
    if (this.#timeoutAt === undefined || now < this.#timeoutAt) return;
    // Only the one that holds up all others: whatever comes back tells what else is missing. Where that one has been
    // sent often, it may be one that is never acknowledged, and some others get their turn as well.
    const first = this.#inFlight.get(this.#lowest);
    if (first) this.#markLost(first);
    if (!first || first.transmissions >= EXEMPT_AFTER) this.#markOldestLost(PROBE_BYTES);
    this.#roundTrip.backOff();
    this.#sampleAfter = now;
    this.#restartTimeout(now);
  }

  /** When {@link handleTimeout} has something to do. */
  get deadline(): number | undefined {
    if (this.#timeoutAt === undefined) return undefined;
    return this.#lossAt === undefined ? this.#timeoutAt : Math.min(this.#timeoutAt, this.#lossAt);
  }

  /**
   * The path to the peer is new, or open again: everything that has had the time to be answered goes out once
   * more, oldest first.
   */
  restart(now: number, all: boolean): void {
    const overdue = [...this.#inFlight.values()].filter(
      (message) => all || message.sentAt + this.#roundTrip.smoothed <= now,
    );
    if (all) this.#pathSince = this.#transmissions;
    for (const message of overdue) this.#inFlight.delete(message.sequenceNumber);
    const lost = [...this.#lost.values(), ...overdue].sort((a, b) => a.sequenceNumber - b.sequenceNumber);
    this.#lost = new Map(lost.map((message) => [message.sequenceNumber, message]));
    this.#sampleAfter = now;
    this.#lossAt = undefined;
    this.#roundTrip.resetBackoff();
    this.#restartTimeout(now);
  }

  /** Nothing will be sent for a while: no timeouts either, until {@link restart}. */
  suspend(): void {
    this.#timeoutAt = undefined;
    this.#lossAt = undefined;
  }

  /**
   * Open until it is full: the last frame may reach over its edge, or large payloads and small windows would never
   * meet.
   *
   * A message sent many times has most likely arrived: the real plugin never acknowledges a duplicate, so one lost
   * acknowledge would keep its place in the window for ever (PROTOCOL.md section 1.3). It is still sent again, but
   * the window opens for as much again, and for 64 KiB at least.
   */
  get #windowOpen(): boolean {
    const { window } = this.#options;
    while (this.#lowestCounted < this.#nextSequence && !this.#counts(this.#lowestCounted))
      this.#lowestCounted++;
    if (this.#nextSequence - this.#lowestCounted >= MAX_SPAN) return false;
    const exempt = Math.min(this.#exemptBytes, Math.max(window, MIN_EXEMPTION));
    return this.#unacknowledgedBytes - exempt < window;
  }

  #unanswered(sequenceNumber: number): boolean {
    return this.#inFlight.has(sequenceNumber) || this.#lost.has(sequenceNumber);
  }

  #counts(sequenceNumber: number): boolean {
    const message = this.#inFlight.get(sequenceNumber) ?? this.#lost.get(sequenceNumber);
    return message !== undefined && message.transmissions < EXEMPT_AFTER;
  }

  #message(sequenceNumber: number, { payloadType, payload }: QueuedPayload, now: number): SentMessage {
    const { messageType, firstFlags, digest, uuid } = this.#options;
    const frame = encodeMessage(
      {
        messageType,
        messageId: uuid(),
        createdDate: Math.max(1, now),
        sequenceNumber,
        flags: sequenceNumber === 0 ? firstFlags : MessageFlags.None,
        payloadType,
        payload,
      },
      digest,
      this.#memory.allocate(frameLength(payload.length)),
    );
    this.#unacknowledgedBytes += frame.length;
    return {
      sequenceNumber,
      frame,
      sentAt: Number.NEGATIVE_INFINITY,
      sentBeforeAt: 0,
      transmission: 0,
      transmissions: 0,
      onPath: 0,
      firstOnPath: -1,
      oftenSince: undefined,
    };
  }

  #sent(message: SentMessage, now: number): Uint8Array {
    message.sentBeforeAt = message.sentAt;
    message.sentAt = now;
    if (message.transmission < this.#pathSince) message.onPath = 0;
    message.transmission = this.#transmissions++;
    if (message.onPath === 0) message.firstOnPath = message.transmission;
    message.transmissions++;
    message.onPath++;
    if (message.transmissions === EXEMPT_AFTER) this.#exemptBytes += message.frame.length;
    if (message.onPath === EXEMPT_AFTER) message.oftenSince = message.transmission;
    this.#inFlight.set(message.sequenceNumber, message);
    if (this.#timeoutAt === undefined) this.#restartTimeout(now);
    return message.frame;
  }

  #restartTimeout(now: number): void {
    this.#timeoutAt = this.unacknowledged > 0 ? now + this.#roundTrip.timeout : undefined;
    if (this.#timeoutAt === undefined) this.#lossAt = undefined;
  }

  #detectLoss(now: number): void {
    const patience = Math.max(
      MIN_PATIENCE,
      Math.min((this.#patience * this.#roundTrip.minimum) / 4, this.#roundTrip.smoothed),
    );
    this.#lossAt = undefined;
    for (const message of this.#inFlight.values()) {
      if (message.transmission > this.#newestAcknowledged) return;
      const lostAt = message.sentAt + this.#newestRoundTrip + patience;
      if (lostAt > now) {
        this.#lossAt = lostAt;
        return;
      }
      this.#markLost(message);
    }
  }

  #markOldestLost(bytes: number): void {
    let marked = 0;
    for (const message of this.#inFlight.values()) {
      this.#markLost(message);
      marked += message.frame.length;
      if (marked >= bytes) return;
    }
  }

  #markLost(message: SentMessage): void {
    this.#inFlight.delete(message.sequenceNumber);
    this.#lost.set(message.sequenceNumber, message);
  }
}

interface SentMessage {
  readonly sequenceNumber: number;
  readonly frame: Uint8Array;
  /** The last transmission, and the one before it. */
  sentAt: number;
  sentBeforeAt: number;
  /** Number of this message's last transmission among all. */
  transmission: number;
  transmissions: number;
  /** Transmissions on the path of the last one, and the number of the first of them. */
  onPath: number;
  firstOnPath: number;
  /** The transmission by which it had been sent {@link EXEMPT_AFTER} times on its path. */
  oftenSince: number | undefined;
}

/** An acknowledge is for the last transmission when the one before is this many times as old. */
const CLEARLY_LATER = 4;
/** Bytes that go out on a timeout when the peer seems to acknowledge no duplicates. */
const PROBE_BYTES = 16_384;
/** Transmissions after which a message no longer counts for the window. */
const EXEMPT_AFTER = 4;
/** Bytes that may be exempt where the window is smaller. */
const MIN_EXEMPTION = 65_536;
/** From the oldest counted message to the newest: less than any receiver's reorder buffer. */
const MAX_SPAN = 8_192;
/** Milliseconds by which messages may overtake each other before one counts as lost. */
const MIN_PATIENCE = 10;
const MAX_PATIENCE = 16;
