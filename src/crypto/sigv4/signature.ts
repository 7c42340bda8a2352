import { hex, utf8 } from '../../base/encoding.ts';
import type { PayloadDigest } from '../digest.ts';
import { hmacSha256 } from '../hmac.ts';
import { ALGORITHM, type CredentialScope } from './authorization.ts';

/** A signing key: good for one secret and one scope, which it cannot be turned back into. */
export function deriveSigningKey(
  secretAccessKey: string,
  { date, region, service, terminator }: CredentialScope,
  digest: PayloadDigest,
): Uint8Array {
  return [date, region, service, terminator].reduce(
    (key, part) => hmacSha256(key, utf8(part), digest),
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
export function signature(signingKey: Uint8Array, textToSign: string, digest: PayloadDigest): string {
  return hex(hmacSha256(signingKey, utf8(textToSign), digest));
}

export function sha256Hex(bytes: Uint8Array, digest: PayloadDigest): string {
  const target = new Uint8Array(32);
  digest.write(bytes, target, 0);
  return hex(target);
}
