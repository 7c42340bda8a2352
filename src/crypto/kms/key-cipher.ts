/**
 * AES-256-GCM for data keys under a KMS key: a few bytes now and then. Asynchronous, since WebCrypto is; where the
 * runtime has it synchronous, the answer is there in the same turn, so that it costs no virtual time in tests.
 */
export interface KeyCipher {
  /**
   * @param key 32 bytes
   * @param nonce 12 bytes, never the same twice under one key
   * @returns the ciphertext and behind it the tag of 16 bytes
   */
  encrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    additionalData: Uint8Array,
  ): Promise<Uint8Array>;
  /** @returns `undefined` when key, nonce, ciphertext, tag and additional data do not belong together */
  decrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    ciphertext: Uint8Array,
    additionalData: Uint8Array,
  ): Promise<Uint8Array | undefined>;
}
