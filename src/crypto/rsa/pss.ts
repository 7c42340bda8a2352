import { concat } from '../../base/encoding.ts';
import type { PayloadDigest } from '../digest.ts';
import { equalBytes } from '../equal.ts';
import { type RsaPublicKey, toBigInt } from './public-key.ts';

/**
 * Whether a signature is RSASSA-PSS with SHA-256 of the message, MGF1 with SHA-256, and a salt of any length (RFC
 * 8017, section 8.1.2). AWS's agent signs with a salt of 32 bytes and takes any, and WebCrypto can only check for one
 * length that is known before; so the check is made here. Nothing in it is secret.
 */
export function verifyPss(
  { modulus, exponent, bytes }: RsaPublicKey,
  message: Uint8Array,
  signature: Uint8Array,
  digest: PayloadDigest,
): boolean {
  if (signature.length !== bytes) return false;
  const representative = toBigInt(signature);
  if (representative >= modulus) return false;
  const encoded = toBytes(power(representative, exponent, modulus), bytes);
  return isEncodingOf(hash(message, digest), encoded, digest);
}

const HASH_LENGTH = 32;

/** EMSA-PSS-VERIFY, section 9.1.2, for one bit less than there are in `encoded`. */
function isEncodingOf(messageHash: Uint8Array, encoded: Uint8Array, digest: PayloadDigest): boolean {
  const maskedLength = encoded.length - HASH_LENGTH - 1;
  const masked = encoded.subarray(0, maskedLength);
  const check = encoded.subarray(maskedLength, -1);
  if (encoded.at(-1) !== 0xbc || masked[0]! >= 0x80) return false;
  const mask = mgf1(check, maskedLength, digest);
  const block = masked.map((byte, index) => byte ^ mask[index]!);
  block[0] = block[0]! & 0x7f;
  // Zeros, a one, the salt.
  const one = block.findIndex((byte) => byte !== 0);
  if (block[one] !== 1) return false;
  const salt = block.subarray(one + 1);
  return equalBytes(check, hash(concat([new Uint8Array(8), messageHash, salt]), digest));
}

/** Section B.2.1. */
function mgf1(seed: Uint8Array, length: number, digest: PayloadDigest): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let count = 0; count * HASH_LENGTH < length; count++) {
    blocks.push(hash(concat([seed, Uint8Array.of(0, 0, 0, count)]), digest));
  }
  return concat(blocks).subarray(0, length);
}

function hash(bytes: Uint8Array, digest: PayloadDigest): Uint8Array {
  const target = new Uint8Array(HASH_LENGTH);
  digest.write(bytes, target, 0);
  return target;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === '1') result = (result * base) % modulus;
  }
  return result;
}

function toBytes(value: bigint, length: number): Uint8Array {
  const digits = value.toString(16).padStart(2 * length, '0');
  return Uint8Array.from({ length }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}
