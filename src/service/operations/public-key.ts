import { HawserError } from '../../base/error.ts';
import { parseRsaPublicKey } from '../../crypto/index.ts';
import { ApiError } from '../api-error.ts';
import { string } from '../shape.ts';

/** Base64 of the DER SubjectPublicKeyInfo of an RSA key: 392 characters for one of 2048 bits, 736 for 4096. */
export const PUBLIC_KEY = string({ min: 392, max: 1024 });

/** `Rsa` is what the agent says (CONTROL-PLANE.md section 2.8). */
export const PUBLIC_KEY_TYPE = string({ values: ['Rsa'] });

/** @throws {ApiError} `ValidationException` */
export function checkPublicKey(publicKey: string, member: string): void {
  try {
    parseRsaPublicKey(publicKey);
  } catch (error) {
    if (!(error instanceof HawserError)) throw error;
    throw new ApiError(
      'ValidationException',
      `1 validation error detected: Value at '${member}' is not the public RSA key of 2048 to 4096 bits that it must be.`,
    );
  }
}
