import { fromBase64 } from '../../base/encoding.ts';
import { HawserError } from '../../base/error.ts';

/** An RSA public key: what it takes to check a signature. */
export interface RsaPublicKey {
  readonly modulus: bigint;
  readonly exponent: bigint;
  /** Of the modulus. */
  readonly bytes: number;
}

/**
 * Reads a public key as managed nodes register it: base64 of the DER `SubjectPublicKeyInfo` (CONTROL-PLANE.md section
 * 2.8). 2,048 to 4,096 bits in whole bytes, so that neither a weak key gets in nor one that costs long to check with.
 *
 * @throws {HawserError} `ERR_PUBLIC_KEY`
 */
export function parseRsaPublicKey(text: string): RsaPublicKey {
  const der = text.length > MAX_TEXT ? undefined : fromBase64(text);
  if (!der) throw unreadable();
  const info = new DerReader(der).last(SEQUENCE);
  const algorithm = info.next(SEQUENCE);
  if (!equal(algorithm.bytes, RSA_ENCRYPTION)) throw unreadable();
  const bitString = info.last(BIT_STRING).bytes;
  if (bitString[0] !== 0) throw unreadable(); // bits unused in the last byte
  const key = new DerReader(bitString.subarray(1)).last(SEQUENCE);
  const modulus = toInteger(key.next(INTEGER).bytes);
  const exponent = toInteger(key.last(INTEGER).bytes);
  const bits = modulus.toString(2).length;
  if (bits < MIN_BITS || bits > MAX_BITS || bits % 8 !== 0) {
    throw new HawserError(
      'ERR_PUBLIC_KEY',
      `The RSA key has ${bits} bits; ${MIN_BITS} to ${MAX_BITS} are taken. Make one of 2048.`,
    );
  }
  const odd = modulus % 2n === 1n && exponent % 2n === 1n;
  if (!odd || exponent < 3n || exponent > MAX_EXPONENT) throw unreadable();
  return { modulus, exponent, bytes: bits / 8 };
}

const MIN_BITS = 2048;
const MAX_BITS = 4096;
/** Checking a signature takes time for each of its bits; every key in use has 65,537. */
const MAX_EXPONENT = 0xffff_ffffn;
/** Characters; a key of 4,096 bits has 736. */
const MAX_TEXT = 1024;

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
/** OID 1.2.840.113549.1.1.1 and NULL (RFC 3279, section 2.3.1). */
const RSA_ENCRYPTION = Uint8Array.of(
  ...[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01],
  ...[0x05, 0x00],
);

/** One value after another, as DER has them. */
class DerReader {
  readonly bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The next value, which must have this tag. */
  next(tag: number): DerReader {
    if (this.#byte() !== tag) throw unreadable();
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.bytes.length) throw unreadable();
    return new DerReader(this.bytes.subarray(start, this.#at));
  }

  /** The next value, after which there must be nothing. */
  last(tag: number): DerReader {
    const value = this.next(tag);
    if (this.#at !== this.bytes.length) throw unreadable();
    return value;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    if (first !== 0x81 && first !== 0x82) throw unreadable();
    let length = 0;
    for (let count = first & 0x7f; count > 0; count--) length = length * 256 + this.#byte();
    return length;
  }

  #byte(): number {
    const byte = this.bytes[this.#at++];
    if (byte === undefined) throw unreadable();
    return byte;
  }
}

function toInteger(bytes: Uint8Array): bigint {
  if (bytes.length === 0 || bytes[0]! >= 0x80) throw unreadable(); // none, or negative
  return toBigInt(bytes);
}

/** Big endian. */
export function toBigInt(bytes: Uint8Array): bigint {
  let text = '0x0';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return BigInt(text);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function unreadable(): HawserError {
  return new HawserError(
    'ERR_PUBLIC_KEY',
    'The public key is not the base64 text of an RSA key in DER (SubjectPublicKeyInfo).',
  );
}
