import { NONCE_LENGTH } from '../../crypto/aes-gcm.ts';

/** The nonces of one direction: a random one, then each the next number after it, as AWS's agent has them. None twice. */
export class NonceCounter {
  readonly #next: Uint8Array;

  /** @param start 12 random bytes */
  constructor(start: Uint8Array) {
    this.#next = new Uint8Array(start);
  }

  next(): Uint8Array {
    const nonce = new Uint8Array(this.#next);
    for (let i = 0; i < NONCE_LENGTH; i++) {
      this.#next[i] = (this.#next[i]! + 1) & 0xff;
      if (this.#next[i] !== 0) break;
    }
    return nonce;
  }
}

/**
 * The nonces that the other end has used. GCM says that a payload is genuine, not that it is new: whoever sits in
 * between could send it again as another message.
 *
 * Ends that count (AWS's agent, hawser) cost nothing. AWS's plugin draws each nonce by chance: of such ones the last
 * {@link MAX_NONCES} are known, half of them at least.
 */
export class NonceMemory {
  /** Every number from here, `#count` of them, has been used, or is taken for used. */
  #start: bigint | undefined;
  #count = 0n;
  /** Numbers beyond those, in two generations, of which the older one is forgotten at once. */
  #young = new Set<bigint>();
  #old = new Set<bigint>();

  /** @returns whether it is a new one */
  add(nonce: Uint8Array): boolean {
    const number = numberOf(nonce);
    this.#start ??= number;
    if (this.#distance(number) < this.#count || this.#young.has(number) || this.#old.has(number))
      return false;
    this.#young.add(number);
    this.#absorb();
    if (this.#young.size >= MAX_NONCES / 2) this.#forget();
    return true;
  }

  #distance(number: bigint): bigint {
    return (number - this.#start!) & MASK;
  }

  /** Streams of one agent may overtake each other by a few. */
  #absorb(): void {
    for (;;) {
      const next = (this.#start! + this.#count) & MASK;
      if (!this.#young.delete(next) && !this.#old.delete(next)) return;
      this.#count++;
    }
  }

  /** Of an end that counts, what was left out so long ago comes no more, and what came after it must stay known. */
  #forget(): void {
    for (const number of this.#old) {
      const distance = this.#distance(number);
      if (distance >= this.#count && distance < this.#count + COUNTED) this.#count = distance + 1n;
    }
    this.#old = this.#young;
    this.#young = new Set();
    this.#absorb();
  }
}

/** Of those that do not count, as many as fill about 16 MiB of memory. */
export const MAX_NONCES = 262_144;
/** Farther ahead is only what was drawn by chance. */
const COUNTED = 1n << 32n;

const MASK = (1n << 96n) - 1n;

function numberOf(nonce: Uint8Array): bigint {
  const view = new DataView(nonce.buffer, nonce.byteOffset, NONCE_LENGTH);
  return view.getBigUint64(0, true) | (BigInt(view.getUint32(8, true)) << 64n);
}
