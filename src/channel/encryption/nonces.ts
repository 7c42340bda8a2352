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
 * {@link MAX_NONCES} are known.
 */
export class NonceMemory {
  /** Every number from here, `#count` of them, has been used. */
  #start: bigint | undefined;
  #count = 0n;
  readonly #others = new Set<bigint>();

  /** @returns whether it is a new one */
  add(nonce: Uint8Array): boolean {
    const number = numberOf(nonce);
    this.#start ??= number;
    const distance = (number - this.#start) & MASK;
    if (distance < this.#count || this.#others.has(number)) return false;
    this.#others.add(number);
    this.#absorb(this.#start);
    if (this.#others.size > MAX_NONCES) this.#others.delete(this.#others.values().next().value!);
    return true;
  }

  /** Streams of one agent may overtake each other by a few. */
  #absorb(start: bigint): void {
    while (this.#others.delete((start + this.#count) & MASK)) this.#count++;
  }
}

/** Of those that do not count, as many as fill about 16 MiB of memory. */
export const MAX_NONCES = 262_144;

const MASK = (1n << 96n) - 1n;

function numberOf(nonce: Uint8Array): bigint {
  const view = new DataView(nonce.buffer, nonce.byteOffset, NONCE_LENGTH);
  return view.getBigUint64(0, true) | (BigInt(view.getUint32(8, true)) << 64n);
}
