import type { PayloadDigest } from '../digest.ts';
import { invalidSignature } from './error.ts';
import { sha256Hex } from './signature.ts';
import type { ReceivedRequest } from './signed-request.ts';

/**
 * What stands for the body in the canonical request. The body is hashed as received; what the client says of it can
 * only be refused, never believed.
 *
 * @param stated `x-amz-content-sha256`, `null` for none
 * @param unsignedPayload whether a body may be left unsigned
 * @throws {SignatureError} for a body that is not what it was said to be, or is signed in a way that is not taken
 */
export function payloadHashOf(
  { headers, body }: ReceivedRequest,
  stated: string | null,
  unsignedPayload: boolean,
  digest: PayloadDigest,
): string {
  const encodings = (headers.get('content-encoding') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase());
  if (stated?.startsWith('STREAMING-') || encodings.includes('aws-chunked')) {
    throw invalidSignature(
      "Bodies signed in chunks ('STREAMING-…', 'aws-chunked') are not taken here. Send the body whole, with its SHA-256 in 'x-amz-content-sha256' or without that header.",
    );
  }
  if (stated === UNSIGNED_PAYLOAD) {
    if (unsignedPayload) return stated;
    throw invalidSignature(
      `The body must be signed here: ${UNSIGNED_PAYLOAD} is not taken. Sign with the SHA-256 of the body.`,
    );
  }
  const payloadHash = sha256Hex(body, digest);
  if (stated !== null && stated !== payloadHash) {
    throw invalidSignature("The 'x-amz-content-sha256' header does not match the body that was received.");
  }
  return payloadHash;
}

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';
