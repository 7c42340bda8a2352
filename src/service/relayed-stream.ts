import { ownBytes } from '../base/own-bytes.ts';
import { AcknowledgedNumbers } from './acknowledged-numbers.ts';

/**
 * What a relay remembers of one direction of a session, beyond the sockets at its ends: the messages that the
 * receiving end has acknowledged, and those that it has not.
 *
 * The real plugin never acknowledges a duplicate, and both real programs send again the front of their list only: one
 * lost acknowledge, and what is lost behind it stays lost (PROTOCOL.md sections 1.3 and 1.4). So what was acknowledged
 * here once can be acknowledged for the receiver again; and what was not, is sent to its next connection, for the
 * sender may never come to it.
 */
export class RelayedStream {
  readonly #limit: number;
  readonly #acknowledged = new AcknowledgedNumbers();
  /** Nothing above it has passed, so nothing above it can have been received. */
  #highest = -1;
  /** Not acknowledged, in the order in which they came. */
  readonly #kept = new Map<number, KeptFrame>();
  #keptBytes = 0;
  /** Channel id of the connection that was given what passed. */
  #receiver: string | undefined;

  /** @param limit bytes of unacknowledged frames to keep */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that unacknowledged frames count for. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  isAcknowledged(sequence: number): boolean {
    return this.#acknowledged.has(sequence);
  }

  /** The receiver says that it has this message. What it says of messages that it cannot have is not believed. */
  acknowledge(sequence: number): void {
    if (sequence > this.#highest) return;
    this.#acknowledged.add(sequence);
    this.#forget(sequence);
  }

  /** A message of the stream passes, whether or not it has passed before. */
  pass(sequence: number): void {
    if (sequence > this.#highest && Number.isSafeInteger(sequence)) this.#highest = sequence;
  }

  /**
   * The same, and keeps it until it is acknowledged. Beyond the limit the oldest goes first: it is the one that its
   * sender sends again of its own accord, and the one most likely to have arrived. A message larger than those of the
   * real programs is of a sender that sends again all that is missing.
   *
   * @param sent whether the receiver is there and is given it now
   */
  keep(sequence: number, frame: Uint8Array, sent: boolean): void {
    this.pass(sequence);
    // The number of a message that nobody can acknowledge.
    if (sequence > this.#highest || frame.length > MAX_KEPT) return;
    const known = this.#kept.get(sequence);
    // A retransmission is the same bytes, but for what a client has on trial (docs/design.md, "Large payloads").
    if (known?.frame.length === frame.length) return;
    if (known) this.#keptBytes -= costOf(known);
    const kept = { frame: ownBytes(frame), sent };
    this.#kept.set(sequence, kept);
    this.#keptBytes += costOf(kept);
    while (this.#keptBytes > this.#limit) this.#forgetOldest();
  }

  /** What a connection of the receiver is to be given: all that is not acknowledged, but for what it was given before. */
  *dueTo(receiver: string): Generator<Uint8Array> {
    const known = receiver === this.#receiver;
    this.#receiver = receiver;
    for (const kept of this.#kept.values()) {
      if (known && kept.sent) continue;
      kept.sent = true;
      yield kept.frame;
    }
  }

  #forgetOldest(): void {
    for (const oldest of this.#kept.keys()) {
      this.#forget(oldest);
      return;
    }
  }

  #forget(sequence: number): void {
    const kept = this.#kept.get(sequence);
    if (!kept) return;
    this.#kept.delete(sequence);
    this.#keptBytes -= costOf(kept);
  }
}

/** Bytes. The real programs' largest have 1,024 of payload, 1,052 when encrypted, after a header of 120. */
const MAX_KEPT = 2048;

interface KeptFrame {
  readonly frame: Uint8Array;
  sent: boolean;
}

/** So that empty messages are not free. */
function costOf({ frame }: KeptFrame): number {
  return frame.length + 64;
}
