import { concat, hex } from '../base/encoding.ts';
import { NONCE_LENGTH, TAG_LENGTH } from '../crypto/aes-gcm.ts';

/**
 * A data key under a KMS key, as it travels: format version (1 byte), id of the key (16), nonce (12), ciphertext, tag
 * (16). Opaque to everybody else.
 */
export interface CiphertextBlob {
  /** Of the KMS key. */
  readonly keyId: string;
  readonly nonce: Uint8Array;
  /** With its tag. */
  readonly ciphertext: Uint8Array;
}

export function encodeBlob({ keyId, nonce, ciphertext }: CiphertextBlob): Uint8Array {
  return concat([blobHeader(keyId), nonce, ciphertext]);
}

/** `undefined` for what is none of ours. */
export function decodeBlob(bytes: Uint8Array): CiphertextBlob | undefined {
  if (bytes[0] !== VERSION || bytes.length <= HEADER_LENGTH + NONCE_LENGTH + TAG_LENGTH) return undefined;
  const id = hex(bytes.subarray(1, HEADER_LENGTH));
  return {
    keyId: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    nonce: bytes.subarray(HEADER_LENGTH, HEADER_LENGTH + NONCE_LENGTH),
    ciphertext: bytes.subarray(HEADER_LENGTH + NONCE_LENGTH),
  };
}

/** What stands before the nonce. Authenticated with the ciphertext, so that one key's cannot pass for another's. */
export function blobHeader(keyId: string): Uint8Array {
  const id = keyId.replaceAll('-', '').match(/../g) ?? [];
  return Uint8Array.from([VERSION, ...id.map((byte) => Number.parseInt(byte, 16))]);
}

const VERSION = 1;
const HEADER_LENGTH = 17;
