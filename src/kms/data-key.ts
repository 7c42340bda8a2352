import { DATA_KEY_LENGTH, KeyServiceError } from '../crypto/kms/key-service.ts';

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
