import { KeyServiceError } from '../crypto/index.ts';

/** Bytes of the data key of a session: one half for each direction (PROTOCOL.md section 8). */
export const DATA_KEY_LENGTH = 64;

/** Bytes of a data key under a KMS key, as KMS takes it. */
export const MAX_CIPHERTEXT_LENGTH = 6144;

/** @throws {KeyServiceError} `ERR_KEY_CIPHERTEXT` for what was decrypted and is no data key of a session */
export function assertDataKey(plaintext: Uint8Array): Uint8Array {
  if (plaintext.length === DATA_KEY_LENGTH) return plaintext;
  const { length } = plaintext;
  plaintext.fill(0);
  throw new KeyServiceError(
    'ERR_KEY_CIPHERTEXT',
    `What was decrypted has ${length} bytes, where the data key of a session has ${DATA_KEY_LENGTH}.`,
  );
}
