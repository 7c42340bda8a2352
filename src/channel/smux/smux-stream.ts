import { SMUX_INITIAL_WINDOW } from './limits.ts';

/** What a session knows of one stream. */
export class SmuxStream {
  readonly id: number;

  /** To be sent before anything else. */
  synPending = false;
  updatePending = false;
  /** `closeWrite` was called: FIN follows the bytes that are queued. */
  finPending = false;
  finSent = false;
  finReceived = false;
  /** `write` took less than it was given, and the application waits for room. */
  wantsRoom = false;

  /** Bytes queued to be sent. */
  queued = 0;
  #chunks: Uint8Array[] = [];
  #first = 0;

  /** Bytes sent, as the peer's window counts them. */
  sent = 0;
  /** Version 2: bytes that may be sent in all, by the peer's last UPD. */
  sendLimit = SMUX_INITIAL_WINDOW;

  received = 0;
  consumed = 0;
  /** Version 2: bytes that the peer may send in all. */
  receiveLimit = SMUX_INITIAL_WINDOW;
  /** Version 2: beyond what has been consumed. */
  window: number;
  /** Version 2: bytes consumed when the last UPD was due. */
  updatedAt = 0;

  constructor(id: number, window: number) {
    this.id = id;
    this.window = window;
  }

  /** Received and not consumed. */
  get unread(): number {
    return this.received - this.consumed;
  }

  /** Copies the bytes. */
  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes.slice());
    this.queued += bytes.length;
  }

  /** Moves up to `length` queued bytes to `target`. @returns how many */
  shiftInto(target: Uint8Array, offset: number, length: number): number {
    let moved = 0;
    while (moved < length && this.#first < this.#chunks.length) {
      const chunk = this.#chunks[this.#first]!;
      const count = Math.min(chunk.length, length - moved);
      target.set(count === chunk.length ? chunk : chunk.subarray(0, count), offset + moved);
      moved += count;
      if (count < chunk.length) this.#chunks[this.#first] = chunk.subarray(count);
      else this.#first++;
    }
    if (this.#first === this.#chunks.length || this.#first >= COMPACT_AFTER) {
      this.#chunks = this.#chunks.slice(this.#first);
      this.#first = 0;
    }
    this.queued -= moved;
    this.sent += moved;
    return moved;
  }

  /** Forgets what is queued. */
  drop(): void {
    this.#chunks = [];
    this.#first = 0;
    this.queued = 0;
  }
}

/** The id of a client's stream after the one with the id `last`: odd, and 32 bits wide, so that they come to an end. */
export function nextStreamId(last: number): number | undefined {
  return last + 2 < 2 ** 32 ? last + 2 : undefined;
}

/** Sent chunks that may stay at the head of the array. */
const COMPACT_AFTER = 1_024;
