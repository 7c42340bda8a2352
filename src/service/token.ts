import { hex, utf8 } from '../base/encoding.ts';
import type { RandomSource } from '../base/random.ts';
import type { PayloadDigest } from '../crypto/digest.ts';
import { equalBytes } from '../crypto/equal.ts';
import type { SessionOwner } from './session-record.ts';

/**
 * What is kept of a token: enough to know it again, not enough to use it. It stands in the record that it opens
 * (a session, for one side; a node), which is what binds it, and is taken out when it is used.
 */
export interface TokenRecord {
  /** SHA-256 of the token, in hex. */
  readonly hash: string;
  /** Milliseconds since the epoch; good before that time. */
  readonly expires: number;
  /** Who was given it, of a client's. */
  readonly holder?: SessionOwner;
}

/** A fresh token: 256 random bits in 64 characters, within the 300 of the API model (CONTROL-PLANE.md section 2.1). */
export function newToken(random: RandomSource): string {
  return hex(random.bytes(32));
}

export function tokenRecord(token: string, expires: number, digest: PayloadDigest): TokenRecord {
  return { hash: sha256Text(token, digest), expires };
}

/** Compares in constant time. */
export function isTokenOf(
  record: TokenRecord | undefined,
  token: string,
  now: number,
  digest: PayloadDigest,
): boolean {
  if (!record || now >= record.expires) return false;
  return equalBytes(utf8(sha256Text(token, digest)), utf8(record.hash));
}

/** SHA-256 of a text's UTF-8, in hex. */
export function sha256Text(text: string, digest: PayloadDigest): string {
  const target = new Uint8Array(32);
  digest.write(utf8(text), target, 0);
  return hex(target);
}
