import { PayloadType } from './constants.ts';
import { LARGE_PAYLOAD_SIZE } from './limits.ts';
import { formatSize, type TerminalSize } from './payload/terminal.ts';

/** A payload that waits for its sequence number. */
export interface QueuedPayload {
  readonly payloadType: number;
  readonly payload: Uint8Array;
  /** What to send instead when the connection closes on this one: see `PayloadSize`. */
  readonly insteadOfPayload?: Uint8Array;
}

/**
 * What the application and the handshake want sent, in the order in which it goes out: handshake, interrupts,
 * the last terminal size, then everything else first come first served. Nothing here has a sequence number yet,
 * which is what lets an interrupt overtake a paste.
 *
 * Small writes that pile up are joined into payloads of full size.
 */
export class SendQueue {
  #payloadSize: number;
  readonly #limit: number;
  readonly #handshake: QueuedPayload[] = [];
  #interrupts = 0;
  #size: TerminalSize | undefined;
  #lastSize: TerminalSize = USUAL_SIZE;
  #trialLength: number | undefined;
  #chunks: Chunk[] = [];
  #first = 0;
  #bytes = 0;

  /** @param limit bytes of application data that may wait */
  constructor(payloadSize: number, limit: number) {
    this.#payloadSize = payloadSize;
    this.#limit = limit;
  }

  /** Bytes of application data that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get room(): number {
    return Math.max(0, this.#limit - this.#bytes);
  }

  get empty(): boolean {
    return this.#handshake.length === 0 && !this.hasApplicationData;
  }

  get hasApplicationData(): boolean {
    return (
      this.#trialLength !== undefined ||
      this.#interrupts > 0 ||
      this.#size !== undefined ||
      this.#first < this.#chunks.length
    );
  }

  pushHandshake(payloadType: number, payload: Uint8Array): void {
    this.#handshake.push({ payloadType, payload });
  }

  /** Copies what fits, and says how much that was. */
  pushBytes(payloadType: number, bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.room);
    for (let start = 0; start < taken; ) {
      const last = this.#last();
      const joined = last?.joins(payloadType) ? last.append(bytes, start, taken) : 0;
      if (joined === 0) {
        const size = Math.max(this.#payloadSize, BLOCK_SIZE);
        const end = Math.min(start + size, taken);
        this.#chunks.push(new Chunk(payloadType, bytes.slice(start, end), size));
        start = end;
      } else start += joined;
    }
    this.#bytes += taken;
    return taken;
  }

  /** A payload that must arrive whole, after the bytes before it: a flag, an exit code. */
  pushWhole(payloadType: number, payload: Uint8Array): void {
    this.#chunks.push(new Chunk(payloadType, payload, 0));
    this.#bytes += payload.length;
  }

  /** Forgets the bytes that wait. What must arrive whole stays. */
  discardBytes(): void {
    this.#chunks = this.#chunks.slice(this.#first).filter(({ divisible }) => !divisible);
    this.#first = 0;
    this.#bytes = this.#chunks.reduce((total, { payload }) => total + payload.length, 0);
  }

  pushInterrupt(): void {
    if (this.#interrupts < MAX_INTERRUPTS) this.#interrupts++;
  }

  /** The last one wins. */
  setSize(size: TerminalSize): void {
    this.#size = size;
    this.#lastSize = size;
  }

  /** Bytes per message from now on, also of what is queued. */
  setPayloadSize(payloadSize: number): void {
    this.#payloadSize = payloadSize;
  }

  /** The terminal's size once more, in a payload of `length` bytes, to go out before the bytes that are queued. */
  pushTrial(length: number): void {
    this.#trialLength = length;
  }

  /** @param ready whether application data may go, or only the handshake */
  shift(ready: boolean): QueuedPayload | undefined {
    const handshake = this.#handshake.shift();
    if (handshake || !ready) return handshake;
    if (this.#interrupts > 0) {
      this.#interrupts--;
      return { payloadType: PayloadType.Output, payload: Uint8Array.of(ETX) };
    }
    if (this.#size) {
      const payload = formatSize(this.#size);
      this.#size = undefined;
      return { payloadType: PayloadType.Size, payload };
    }
    return this.#shiftTrial() ?? this.#shiftChunk();
  }

  #shiftTrial(): QueuedPayload | undefined {
    if (this.#trialLength === undefined) return undefined;
    const insteadOfPayload = formatSize(this.#lastSize);
    const payload = new Uint8Array(Math.max(this.#trialLength, insteadOfPayload.length)).fill(SPACE);
    payload.set(insteadOfPayload);
    this.#trialLength = undefined;
    return { payloadType: PayloadType.Size, payload, insteadOfPayload };
  }

  #shiftChunk(): QueuedPayload | undefined {
    const chunk = this.#chunks[this.#first];
    if (!chunk) return undefined;
    if (chunk.divisible && chunk.payload.length > this.#payloadSize) {
      this.#bytes -= this.#payloadSize;
      return { payloadType: chunk.payloadType, payload: chunk.take(this.#payloadSize) };
    }
    this.#first++;
    if (this.#first === this.#chunks.length || this.#first === COMPACT_AFTER) {
      this.#chunks = this.#chunks.slice(this.#first);
      this.#first = 0;
    }
    this.#bytes -= chunk.payload.length;
    return chunk;
  }

  #last(): Chunk | undefined {
    return this.#first < this.#chunks.length ? this.#chunks[this.#chunks.length - 1] : undefined;
  }
}

class Chunk implements QueuedPayload {
  readonly payloadType: number;
  #memory: Uint8Array;
  #length: number;
  readonly #capacity: number;

  /** @param capacity how far it may grow; 0 for one that stays as it is */
  constructor(payloadType: number, payload: Uint8Array, capacity: number) {
    this.payloadType = payloadType;
    this.#memory = payload;
    this.#length = payload.length;
    this.#capacity = capacity;
  }

  get payload(): Uint8Array {
    return this.#length === this.#memory.length ? this.#memory : this.#memory.subarray(0, this.#length);
  }

  /** Whether it may go out in several messages. */
  get divisible(): boolean {
    return this.#capacity > 0;
  }

  /** Cuts off the first bytes. */
  take(length: number): Uint8Array {
    const taken = this.#memory.subarray(0, length);
    this.#memory = this.#memory.subarray(length);
    this.#length -= length;
    return taken;
  }

  joins(payloadType: number): boolean {
    return this.payloadType === payloadType && this.#length < this.#capacity;
  }

  append(bytes: Uint8Array, start: number, end: number): number {
    const count = Math.min(end - start, this.#capacity - this.#length);
    const length = this.#length + count;
    if (length > this.#memory.length) {
      const grown = new Uint8Array(Math.min(Math.max(length, 2 * this.#memory.length), this.#capacity));
      grown.set(this.payload);
      this.#memory = grown;
    }
    this.#memory.set(bytes.subarray(start, start + count), this.#length);
    this.#length = length;
    return count;
  }
}

/** Of a terminal that nobody has told the size of. */
const USUAL_SIZE: TerminalSize = { cols: 80, rows: 24 };
const SPACE = 0x20;
/** Ctrl-C. */
const ETX = 0x03;
/** More than a person presses before the first one goes out. */
const MAX_INTERRUPTS = 16;
/** Bytes that are queued in one piece. They are cut when sent: by then the payload size may be another one. */
const BLOCK_SIZE = LARGE_PAYLOAD_SIZE;
/** Sent chunks that may stay at the head of the array. */
const COMPACT_AFTER = 1024;
