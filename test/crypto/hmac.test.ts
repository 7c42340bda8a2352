import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { sha256Digest } from '../../src/crypto/digest.ts';
import { hmacSha256 } from '../../src/crypto/hmac.ts';

it.each([
  [0, 0],
  [32, 1],
  [63, 55],
  [64, 64],
  [65, 1000],
  [200, 10_000],
])('is what OpenSSL makes of a key of %i bytes and a message of %i', (keyLength, length) => {
  const key = Uint8Array.from({ length: keyLength }, (_, i) => i);
  const message = Uint8Array.from({ length }, (_, i) => i * 7);
  const expected = createHmac('sha256', key).update(message).digest();
  expect(Buffer.from(hmacSha256(key, message, sha256Digest))).toEqual(expected);
});
