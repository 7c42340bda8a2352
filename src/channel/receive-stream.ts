import { MAX_REORDER } from './limits.ts';
import type { AgentMessage } from './message.ts';
import type { Acknowledge } from './payload/acknowledge.ts';

/** A stream message that is next in order. `release` tells that its bytes have been consumed. */
export interface Delivery {
  readonly message: AgentMessage;
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

  /** Acknowledges that wait to be sent. */
  get pendingAcknowledges(): number {
    return this.#acknowledges.size;
  }

  /** Takes one stream message. @returns those that are now next in order, each to be consumed later */
  handle(message: AgentMessage): readonly Delivery[] {
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
    const delivery: Delivery = { message, cost, acknowledge: acknowledgeOf(this.#messageType, message) };
    if (withhold) this.#withheld.add(sequenceNumber);
    else this.#release(delivery);
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
    this.#release(delivery);
  }

  /** The next acknowledge to send. */
  shiftAcknowledge(): Acknowledge | undefined {
    for (const [sequenceNumber, acknowledge] of this.#acknowledges) {
      this.#acknowledges.delete(sequenceNumber);
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

  #release(delivery: Delivery): void {
    const { acknowledge } = delivery;
    if (!acknowledge) return;
    delivery.acknowledge = undefined;
    this.#withheld.delete(acknowledge.sequenceNumber);
    this.#push(acknowledge);
  }

  #acknowledgeAgain(message: AgentMessage): void {
    if (this.#withheld.has(message.sequenceNumber)) this.#showLife();
    else this.#push(acknowledgeOf(this.#messageType, message));
  }

  /** Answers the probe of a full buffer with an acknowledge that says nothing new: this end is slow, not gone. */
  #showLife(): void {
    if (this.#lastAcknowledged) this.#push(this.#lastAcknowledged);
  }

  #push(acknowledge: Acknowledge): void {
    this.#lastAcknowledged = acknowledge;
    this.#acknowledges.set(acknowledge.sequenceNumber, acknowledge);
    if (this.#acknowledges.size > MAX_ACKNOWLEDGES) this.shiftAcknowledge();
  }
}

function acknowledgeOf(messageType: string, message: AgentMessage): Acknowledge {
  return { messageType, messageId: message.messageId, sequenceNumber: message.sequenceNumber };
}

/** What storing a message costs beside its payload, so that empty ones are not free. */
const MESSAGE_COST = 64;
const HARD_LIMIT_FACTOR = 2;
/** A lost acknowledge is made good by the next duplicate. */
const MAX_ACKNOWLEDGES = 16_384;
