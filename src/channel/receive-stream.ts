import { ownBytes } from '../base/own-bytes.ts';
import { MAX_REORDER } from './limits.ts';
import type { AgentMessage } from './message.ts';
import type { Acknowledge } from './payload/acknowledge.ts';

/** A stream message that is next in order. `release` tells that its bytes have been consumed. */
export interface Delivery {
  readonly payloadType: number;
  readonly payload: Uint8Array;
  /** What it counts for in the receive buffer. */
  readonly cost: number;
  /** Stands until {@link ReceiveStream.consume}, when the buffer was too full to acknowledge at once. */
  acknowledge: Acknowledge | undefined;
}

/**
 * The receiving half of the reliable stream: order, duplicates, acknowledges, the receive buffer.
 *
 * Every message is acknowledged once it is stored, also ahead of its turn, and every duplicate again: the lost
 * acknowledge is what made it a duplicate (PROTOCOL.md section 1.3). When more than the receive buffer waits to
 * be consumed, messages are still stored but acknowledged only when consumed, which closes the sender's window.
 * Past twice the buffer they are dropped, and the sender's retransmission brings them back. That bound is kept
 * apart for messages in order and for those ahead of their turn, or a buffer full of the latter would shut out the
 * one that they wait for.
 */
export class ReceiveStream {
  readonly #messageType: string;
  readonly #buffer: number;
  #expected = 0;
  /** Cost of what waits to be consumed, and of what waits for its turn. */
  #inOrderCost = 0;
  #earlyCost = 0;
  readonly #early = new Map<number, Delivery>();
  /** Stored messages whose acknowledge is held back. */
  readonly #withheld = new Set<number>();
  readonly #acknowledges = new Map<number, Acknowledge>();
  /** When the acknowledges that wait must go. */
  #acknowledgeAt: number | undefined;
  /** Of the messages whose acknowledges wait. */
  #unansweredCost = 0;
  #lastAcknowledged: Acknowledge | undefined;

  /** @param buffer bytes that may wait to be consumed before acknowledges are held back */
  constructor(messageType: string, buffer: number) {
    this.#messageType = messageType;
    this.#buffer = buffer;
  }

  /** Bytes that wait: for consumption or for their turn. Each message counts some bytes more than its payload. */
  get stored(): number {
    return this.#inOrderCost + this.#earlyCost;
  }

  /** When acknowledges that wait can wait no longer; undefined when none does. */
  get deadline(): number | undefined {
    return this.#acknowledgeAt === AT_ONCE ? undefined : this.#acknowledgeAt;
  }

  handleTimeout(now: number): void {
    if (this.#acknowledgeAt !== undefined && this.#acknowledgeAt <= now) this.#acknowledgeAt = AT_ONCE;
  }

  /** Takes one stream message. @returns those that are now next in order, each to be consumed later */
  handle(message: AgentMessage, now: number): readonly Delivery[] {
    const { sequenceNumber } = message;
    if (sequenceNumber < this.#expected || this.#early.has(sequenceNumber)) {
      this.#acknowledgeAgain(message);
      return [];
    }
    if (sequenceNumber >= this.#expected + MAX_REORDER) return [];
    const early = sequenceNumber !== this.#expected;
    const cost = message.payload.length + MESSAGE_COST;
    if (early ? !this.#hasRoomEarly(cost) : !this.#hasRoomInOrder(cost)) {
      this.#showLife();
      return [];
    }
    // A message that waits alone is acknowledged whatever its size, so that there is always one to repeat.
    const withhold = this.stored > 0 && this.stored + cost > this.#buffer;
    const { payloadType, payload } = message;
    const delivery: Delivery = {
      payloadType,
      payload: early || this.stored > VIEWS ? ownBytes(payload) : payload,
      cost,
      acknowledge: acknowledgeOf(this.#messageType, message),
    };
    if (withhold) this.#withheld.add(sequenceNumber);
    else this.#release(delivery, early ? AT_ONCE : now + ACKNOWLEDGE_DELAY);
    if (early) {
      this.#earlyCost += cost;
      this.#early.set(sequenceNumber, delivery);
      return [];
    }
    this.#inOrderCost += cost;
    return this.#inOrder(delivery);
  }

  /** The application has the bytes of this delivery. */
  consume(delivery: Delivery): void {
    this.#inOrderCost -= delivery.cost;
    this.#release(delivery, AT_ONCE);
  }

  /**
   * The next acknowledge to send.
   *
   * They wait a few milliseconds for company: each costs both ends and the relay as much as a keystroke, and must not
   * stand in the way of the echo. What comes out of order or again is answered at once.
   */
  shiftAcknowledge(): Acknowledge | undefined {
    if (this.#acknowledgeAt !== AT_ONCE) return undefined;
    for (const [sequenceNumber, acknowledge] of this.#acknowledges) {
      this.#acknowledges.delete(sequenceNumber);
      if (this.#acknowledges.size === 0) {
        this.#acknowledgeAt = undefined;
        this.#unansweredCost = 0;
      }
      return acknowledge;
    }
    return undefined;
  }

  /** The next in order is taken when nothing waits before it, however large it is. */
  #hasRoomInOrder(cost: number): boolean {
    return this.#inOrderCost === 0 || this.#inOrderCost + cost <= HARD_LIMIT_FACTOR * this.#buffer;
  }

  #hasRoomEarly(cost: number): boolean {
    const limit = HARD_LIMIT_FACTOR * this.#buffer;
    return this.#earlyCost + cost <= limit && this.stored + cost <= 2 * limit;
  }

  #inOrder(first: Delivery): Delivery[] {
    const ready = [first];
    this.#expected++;
    for (let next = this.#early.get(this.#expected); next; next = this.#early.get(this.#expected)) {
      this.#early.delete(this.#expected);
      this.#expected++;
      this.#earlyCost -= next.cost;
      this.#inOrderCost += next.cost;
      ready.push(next);
    }
    return ready;
  }

  #release(delivery: Delivery, at: number): void {
    const { acknowledge } = delivery;
    if (!acknowledge) return;
    delivery.acknowledge = undefined;
    this.#withheld.delete(acknowledge.sequenceNumber);
    this.#unansweredCost += delivery.cost;
    this.#push(acknowledge, at);
  }

  #acknowledgeAgain(message: AgentMessage): void {
    if (this.#withheld.has(message.sequenceNumber)) this.#showLife();
    else this.#push(acknowledgeOf(this.#messageType, message), AT_ONCE);
  }

  /** Answers the probe of a full buffer with an acknowledge that says nothing new: this end is slow, not gone. */
  #showLife(): void {
    if (this.#lastAcknowledged) this.#push(this.#lastAcknowledged, AT_ONCE);
  }

  #push(acknowledge: Acknowledge, at: number): void {
    this.#lastAcknowledged = acknowledge;
    this.#acknowledges.set(acknowledge.sequenceNumber, acknowledge);
    const several = this.#acknowledges.size >= ACKNOWLEDGE_COUNT && this.#unansweredCost >= SEVERAL_COST;
    const enough = several || this.#unansweredCost >= ACKNOWLEDGE_COST;
    this.#acknowledgeAt = enough ? AT_ONCE : Math.min(at, this.#acknowledgeAt ?? at);
    if (this.#acknowledges.size > MAX_ACKNOWLEDGES) this.shiftAcknowledge();
  }
}

function acknowledgeOf(messageType: string, message: AgentMessage): Acknowledge {
  return { messageType, messageId: message.messageId, sequenceNumber: message.sequenceNumber };
}

/** What storing a message costs beside its payload, so that empty ones are not free. */
const MESSAGE_COST = 64;
/** Bytes that may wait as views of what they came in: those of a reader that keeps up. */
const VIEWS = 16_384;
const AT_ONCE = Number.NEGATIVE_INFINITY;
/** Milliseconds that an acknowledge waits at most: far below every retransmission timeout. */
const ACKNOWLEDGE_DELAY = 5;
/**
 * Messages that are acknowledged without waiting, and what they must come to: far below every window, and more than the
 * keystrokes of a few milliseconds.
 */
const ACKNOWLEDGE_COUNT = 8;
const SEVERAL_COST = 4_096;
/** Bytes that are acknowledged without waiting, in however few messages. */
const ACKNOWLEDGE_COST = 65_536;
const HARD_LIMIT_FACTOR = 2;
/** A lost acknowledge is made good by the next duplicate. */
const MAX_ACKNOWLEDGES = 16_384;
