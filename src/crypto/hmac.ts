import type { PayloadDigest } from './digest.ts';

/** HMAC-SHA256 (RFC 2104), out of a digest: where that is the runtime's own, this is, too. */
export function hmacSha256(key: Uint8Array, message: Uint8Array, digest: PayloadDigest): Uint8Array {
  const inner = new Uint8Array(BLOCK + message.length);
  const outer = new Uint8Array(BLOCK + HASH_LENGTH);
  if (key.length > BLOCK) {
    digest.write(key, inner, 0);
    digest.write(key, outer, 0);
  } else {
    inner.set(key);
    outer.set(key);
  }
  for (let i = 0; i < BLOCK; i++) {
    inner[i]! ^= 0x36;
    outer[i]! ^= 0x5c;
  }
  inner.set(message, BLOCK);
  digest.write(inner, outer, BLOCK);
  const mac = new Uint8Array(HASH_LENGTH);
  digest.write(outer, mac, 0);
  return mac;
}

/** Bytes. */
const BLOCK = 64;
const HASH_LENGTH = 32;
