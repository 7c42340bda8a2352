import type { RandomSource } from '../base/random.ts';
import type { Principal } from '../policy/index.ts';

/**
 * `<name of the caller>-<26 characters of base32>`, at most 91 characters (CONTROL-PLANE.md section 4.2). Policies
 * match on the name: that of an IAM user, or the session name of a role.
 */
export function newSessionId(principal: Principal, random: RandomSource): string {
  return `${callerName(principal)}-${base32(random.bytes(17)).slice(0, SUFFIX_LENGTH)}`;
}

/** The random part of an id; the name before it may hold hyphens of its own. */
export function sessionIdSuffix(sessionId: string): string {
  return sessionId.slice(sessionId.lastIndexOf('-') + 1);
}

/** 130 bits. */
const SUFFIX_LENGTH = 26;

/** The longest name of an IAM user or role session. */
const MAX_NAME = 64;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

function callerName({ userName, arn }: Principal): string {
  const name = userName ?? (arn.includes('/') ? arn.slice(arn.lastIndexOf('/') + 1) : 'root');
  return name.replace(/[^a-zA-Z0-9+=,.@_-]/g, '_').slice(0, MAX_NAME);
}

function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += ALPHABET[(value >>> (bits - 5)) & 31];
  }
  return text;
}
