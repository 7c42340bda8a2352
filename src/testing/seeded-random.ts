import { hex } from '../base/encoding.ts';
import type { RandomSource } from '../base/random.ts';

/**
 * A {@link RandomSource} whose every draw follows from `seed`: xoshiro128**, seeded by splitmix32. For tests
 * and simulations only; the bytes are no secret.
 *
 * @param seed an integer; numbers that agree modulo 2^53 give the same sequence
 */
export function seededRandom(seed: number): RandomSource {
  const next = xoshiro128(seed);
  const bytes = (length: number) => {
    const filled = new Uint8Array(length);
    for (let offset = 0; offset < length; offset += 4) {
      const word = next();
      for (let i = 0; i < 4 && offset + i < length; i++) filled[offset + i] = word >>> (8 * i);
    }
    return filled;
  };
  return {
    // 53 bits of two words: as many as a number in [0, 1) can tell apart
    random: () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53,
    bytes,
    uuid: () => uuid4(bytes(16)),
  };
}

/** Draws of 32 bits. */
function xoshiro128(seed: number): () => number {
  const seeded = splitmix32(seed);
  let a = seeded();
  let b = seeded();
  let c = seeded() ^ Math.floor(seed / 2 ** 32);
  let d = seeded();
  return () => {
    const drawn = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return drawn;
  };
}

/** Spreads neighbouring seeds far apart; never draws zero twice, so xoshiro cannot start in its dead state. */
function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let word = state ^ (state >>> 16);
    word = Math.imul(word, 0x21f0aaad);
    word ^= word >>> 15;
    word = Math.imul(word, 0x735a2d97);
    return word ^ (word >>> 15);
  };
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** RFC 9562 version 4, lower case. */
function uuid4(bytes: Uint8Array): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const text = hex(bytes);
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}
