import { base64, fromUtf8Strict, hex, utf8 } from '../../base/encoding.ts';
import type { PayloadDigest } from '../../crypto/digest.ts';
import { ApiError } from '../api-error.ts';

/** Where a page ends: the next one begins after it. */
export interface Position {
  /** Milliseconds since the epoch. */
  readonly date: number;
  readonly id: string;
}

/** 24 hours (CONTROL-PLANE.md section 2.4). */
const LIFE = 24 * 3_600_000;

/**
 * A `NextToken`: the position, when the token ends, and the digest of both with the query. It needs no key: all
 * that a forged one could do is to start the caller's own list somewhere else. Thus any relay understands it.
 *
 * @param query everything that must be the same when the token comes back, the caller included
 */
export function formatPageToken(
  { date, id }: Position,
  query: string,
  now: number,
  digest: PayloadDigest,
): string {
  const body = JSON.stringify([date, id, now + LIFE]);
  return base64(utf8(`${check(body, query, digest)}${body}`));
}

/** @throws {ApiError} `InvalidNextToken` for a token that is not ours, too old, or of another query */
export function parsePageToken(token: string, query: string, now: number, digest: PayloadDigest): Position {
  const text = decode(token);
  const body = text.slice(CHECK_LENGTH);
  if (text.slice(0, CHECK_LENGTH) !== check(body, query, digest)) throw invalid();
  const [date, id, expires] = parseList(body);
  if (typeof date !== 'number' || typeof id !== 'string') throw invalid();
  if (typeof expires !== 'number' || now >= expires) throw invalid();
  return { date, id };
}

const CHECK_LENGTH = 64;

function check(body: string, query: string, digest: PayloadDigest): string {
  const target = new Uint8Array(32);
  digest.write(utf8(JSON.stringify([body, query])), target, 0);
  return hex(target);
}

function decode(token: string): string {
  try {
    return fromUtf8Strict(Uint8Array.from(atob(token), (character) => character.charCodeAt(0)));
  } catch {
    throw invalid();
  }
}

/** The digest needs no secret, so anything can stand behind a right one. */
function parseList(body: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(body);
    if (Array.isArray(value)) return value;
  } catch {
    // not JSON: refused below
  }
  throw invalid();
}

function invalid(): ApiError {
  return new ApiError(
    'InvalidNextToken',
    'The token is not valid for this request. Start again without NextToken.',
  );
}
