import type { PayloadFlag } from '../src/channel/constants.ts';

/**
 * What one side wrote, against which everything the other side reads is checked: the same bytes and items, in
 * the same order, once.
 *
 * The bytes at each position of the stream follow from the position, so that nothing is kept but lengths. An
 * interrupt may overtake bytes, so it is only counted.
 */
export class Ledger {
  readonly #salt: number;
  readonly #entries: Entry[] = [];
  #written = 0;
  #current = 0;
  #read = 0;
  #interrupts = 0;

  /** @param salt makes the two directions differ */
  constructor(salt: number) {
    this.#salt = salt;
  }

  /** Bytes written and not read. */
  get outstanding(): number {
    return this.#written - this.#read;
  }

  get settled(): boolean {
    return this.#interrupts === 0 && this.#current === this.#entries.length;
  }

  /** The bytes that come next in the stream. They are written with {@link write}, as far as the channel took them. */
  next(length: number): Uint8Array {
    return patternAt(this.#written + this.#salt, length);
  }

  write(payloadType: number, length: number): void {
    if (length === 0) return;
    this.#written += length;
    const last = this.#entries.at(-1);
    if (last?.kind === payloadType && this.#current < this.#entries.length) last.end = this.#written;
    else this.#entries.push({ kind: payloadType, end: this.#written });
  }

  interrupt(): void {
    this.#interrupts++;
  }

  writeFlag(flag: PayloadFlag): void {
    this.#entries.push({ kind: 'flag', end: flag });
  }

  writeExitCode(exitCode: number): void {
    this.#entries.push({ kind: 'exitCode', end: exitCode });
  }

  read(payloadType: number, bytes: Uint8Array): void {
    if (bytes.length === 1 && bytes[0] === ETX) {
      if (this.#interrupts-- === 0) throw new Error('an interrupt arrived that nobody sent');
      return;
    }
    const entry = this.#entries[this.#current];
    const end = this.#read + bytes.length;
    if (entry?.kind !== payloadType || end > entry.end) {
      throw new Error(
        `${bytes.length} bytes of payload type ${payloadType} arrived at ${this.#read}, expected ${describe(entry)}`,
      );
    }
    if (Buffer.compare(bytes, patternAt(this.#read + this.#salt, bytes.length)) !== 0) {
      throw new Error(`the ${bytes.length} bytes that arrived at ${this.#read} are not those that were sent`);
    }
    this.#read = end;
    if (end === entry.end) this.#current++;
  }

  readFlag(flag: PayloadFlag): void {
    this.#readItem('flag', flag);
  }

  readExitCode(exitCode: number): void {
    this.#readItem('exitCode', exitCode);
  }

  #readItem(kind: Entry['kind'], value: number): void {
    const entry = this.#entries[this.#current];
    if (entry?.kind !== kind || entry.end !== value) {
      throw new Error(`${kind} ${value} arrived at ${this.#read}, expected ${describe(entry)}`);
    }
    this.#current++;
  }
}

interface Entry {
  /** A payload type, for a run of bytes. */
  readonly kind: number | 'flag' | 'exitCode';
  /** Where the run ends in the stream; the value of a flag or exit code. */
  end: number;
}

function describe(entry: Entry | undefined): string {
  if (!entry) return 'nothing';
  return typeof entry.kind === 'number'
    ? `payload type ${entry.kind} up to ${entry.end}`
    : `${entry.kind} ${entry.end}`;
}

/** Ctrl-C, which the pattern does without. */
const ETX = 3;
/** A prime, so that no payload size divides it and a shifted block is never equal. */
const PERIOD = 65_521;
/** The longest block. */
export const MAX_WRITE = 65_536;

const PATTERN = Uint8Array.from({ length: PERIOD + MAX_WRITE }, (_, i) => {
  const byte = (Math.imul(i % PERIOD, 0x9e3779b1) >>> 17) & 0xff;
  return byte === ETX ? 0 : byte;
});

function patternAt(position: number, length: number): Uint8Array {
  const start = position % PERIOD;
  return PATTERN.subarray(start, start + length);
}
