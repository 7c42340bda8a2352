import { KeyServiceError, type KeyServiceErrorCode } from '../crypto/index.ts';

/**
 * What an exception of KMS means, by its name (the errors of GenerateDataKey and Decrypt in the API reference of KMS).
 * Every other is `ERR_KEY_SERVICE`: throttling, what KMS could not do at the moment, credentials that it refuses.
 */
const CODES: ReadonlyMap<string, KeyServiceErrorCode> = new Map<string, KeyServiceErrorCode>([
  ['AccessDeniedException', 'ERR_KEY_ACCESS_DENIED'],
  ['AccessDenied', 'ERR_KEY_ACCESS_DENIED'],
  ['NotFoundException', 'ERR_KEY_NOT_FOUND'],
  ['InvalidArnException', 'ERR_KEY_NOT_FOUND'],
  ['DisabledException', 'ERR_KEY_UNUSABLE'],
  ['KMSInvalidStateException', 'ERR_KEY_UNUSABLE'],
  ['InvalidKeyUsageException', 'ERR_KEY_UNUSABLE'],
  ['UnsupportedOperationException', 'ERR_KEY_UNUSABLE'],
  ['IncorrectKeyException', 'ERR_KEY_MISMATCH'],
  ['InvalidCiphertextException', 'ERR_KEY_CIPHERTEXT'],
]);

const REASONS: Readonly<Record<KeyServiceErrorCode, string>> = {
  ERR_KEY_ACCESS_DENIED: 'The key policy and the policies of the caller must both allow it.',
  ERR_KEY_NOT_FOUND: 'There is no such KMS key: check its id, the account and the region.',
  ERR_KEY_UNUSABLE: 'The KMS key is disabled, about to be deleted, or not for encryption.',
  ERR_KEY_MISMATCH: 'The data key is under another KMS key.',
  ERR_KEY_CIPHERTEXT: 'The encryption context is another one, or the bytes of the data key were changed.',
  ERR_KEY_SERVICE: 'No data key could be had.',
};

/**
 * @param name of the exception; `undefined` for what is none of KMS
 * @param said what happened, in a sentence
 */
export function kmsError(name: string | undefined, said: string, cause: unknown): KeyServiceError {
  const code = CODES.get(name ?? '') ?? 'ERR_KEY_SERVICE';
  return new KeyServiceError(code, `${said} ${REASONS[code]}`, { cause });
}
