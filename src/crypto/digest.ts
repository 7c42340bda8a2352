import { Sha256 } from '@aws-crypto/sha256-js';

/**
 * SHA-256 of frame payloads, synchronous because the protocol core is.
 *
 * Two verbs instead of one function that returns bytes: on Node.js the digest then goes straight between
 * OpenSSL and the frame, which is a third faster for 1 KB payloads than an intermediate buffer.
 */
export interface PayloadDigest {
  /** Writes the 32 digest bytes of `payload` into `target` at `offset`. */
  write(payload: Uint8Array, target: Uint8Array, offset: number): void;
  /** Whether the 32 bytes of `source` at `offset` are the digest of `payload`. */
  matches(payload: Uint8Array, source: Uint8Array, offset: number): boolean;
}

/** Makes a {@link PayloadDigest} of any synchronous SHA-256. */
export function payloadDigest(sha256: (bytes: Uint8Array) => Uint8Array): PayloadDigest {
  return {
    write: (payload, target, offset) => target.set(sha256(payload), offset),
    matches(payload, source, offset) {
      const digest = sha256(payload);
      for (let i = 0; i < 32; i++) if (digest[i] !== source[offset + i]) return false;
      return true;
    },
  };
}

/** The portable digest: pure JavaScript, every runtime. */
export const sha256Digest: PayloadDigest = payloadDigest((bytes) => {
  const hash = new Sha256();
  hash.update(bytes);
  return hash.digestSync();
});
