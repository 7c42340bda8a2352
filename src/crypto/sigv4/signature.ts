import { Sha256 } from '@aws-crypto/sha256-js';
import { hex, utf8 } from '../../base/encoding.ts';
import type { PayloadDigest } from '../digest.ts';
import { ALGORITHM, type CredentialScope } from './authorization.ts';

/** A signing key: good for one secret and one scope, which it cannot be turned back into. */
export function deriveSigningKey(secretAccessKey: string, scope: CredentialScope): Uint8Array {
  const { date, region, service, terminator } = scope;
  return [date, region, service, terminator].reduce(
    (key, part) => hmac(key, part),
    utf8(`AWS4${secretAccessKey}`),
  );
}

/** What is signed: the digest of the canonical request, bound to its time and scope. */
export function stringToSign(
  canonicalRequest: string,
  amzDate: string,
  scope: CredentialScope,
  digest: PayloadDigest,
): string {
  const { date, region, service, terminator } = scope;
  return [
    ALGORITHM,
    amzDate,
    `${date}/${region}/${service}/${terminator}`,
    sha256Hex(utf8(canonicalRequest), digest),
  ].join('\n');
}

/** The signature in hex. */
export function signature(signingKey: Uint8Array, textToSign: string): string {
  return hex(hmac(signingKey, textToSign));
}

export function sha256Hex(bytes: Uint8Array, digest: PayloadDigest): string {
  const target = new Uint8Array(32);
  digest.write(bytes, target, 0);
  return hex(target);
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  const hash = new Sha256(key);
  hash.update(utf8(text));
  return hash.digestSync();
}
