import { HawserError } from '../../base/error.ts';

/**
 * What a data key is bound to: names and values that must be given again, all and exactly, to decrypt it. It is no
 * secret, and stands in the audit log of KMS.
 */
export type EncryptionContext = Readonly<Record<string, string>>;

/** Bytes of the data key of a session: one half for each direction (PROTOCOL.md section 8). */
export const DATA_KEY_LENGTH = 64;

/** Bytes of a data key under a KMS key, as KMS takes it. */
export const MAX_CIPHERTEXT_LENGTH = 6144;

/** A fresh data key, in the clear and under the KMS key. */
export interface DataKey {
  /** Secret. Whoever asked for it fills it with zeros after use. */
  readonly plaintext: Uint8Array;
  readonly ciphertext: Uint8Array;
}

export interface KeyServiceCall {
  /** The call is of no use to anybody once it fires. */
  readonly signal?: AbortSignal | undefined;
}

export interface DecryptCall extends KeyServiceCall {
  /** The KMS key that `ciphertext` must be under: `ERR_KEY_MISMATCH` for another. Default: any. */
  readonly keyId?: string | undefined;
}

/**
 * The two calls of AWS KMS that session encryption needs (PROTOCOL.md section 8). The client of a session makes the
 * first, the agent the second.
 */
export interface KeyService {
  /**
   * A fresh data key of 64 bytes.
   *
   * @param keyId id or ARN of a KMS key, `alias/…`, or ARN of an alias
   * @throws {KeyServiceError}
   */
  generateDataKey(keyId: string, context: EncryptionContext, call?: KeyServiceCall): Promise<DataKey>;
  /**
   * The plaintext of a data key.
   *
   * @throws {KeyServiceError}
   */
  decrypt(ciphertext: Uint8Array, context: EncryptionContext, call?: DecryptCall): Promise<Uint8Array>;
}

export type KeyServiceErrorCode =
  /** A policy says no, or nothing says yes; of people and of nodes. `AccessDeniedException` of KMS. */
  | 'ERR_KEY_ACCESS_DENIED'
  /** There is no such key. `NotFoundException`. */
  | 'ERR_KEY_NOT_FOUND'
  /** The key is disabled, about to be deleted, or not for this use. `DisabledException`, `KMSInvalidStateException`, … */
  | 'ERR_KEY_UNUSABLE'
  /** The data key is under another KMS key. `IncorrectKeyException`. */
  | 'ERR_KEY_MISMATCH'
  /**
   * The data key cannot be decrypted: the encryption context is another one, or its bytes were changed. KMS does not
   * say which. `InvalidCiphertextException`.
   */
  | 'ERR_KEY_CIPHERTEXT'
  /** The key service did not answer, or could not: network, throttling, its own errors. */
  | 'ERR_KEY_SERVICE';

/** A key service gave no data key. Carries no key; keeps the cause. */
export class KeyServiceError extends HawserError {
  declare readonly code: KeyServiceErrorCode;

  constructor(code: KeyServiceErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
