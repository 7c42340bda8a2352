import { HawserError } from '../base/error.ts';

/**
 * AES-256-GCM as payloads of encrypted sessions have it: nonce (12 bytes), ciphertext, tag (16 bytes), and no
 * additional data (PROTOCOL.md section 8).
 *
 * Results are given to a callback, since not every platform has them at once: where it is synchronous, `done` is
 * called before the method returns; elsewhere later, and in any order.
 */
export interface AesGcm {
  /**
   * @param key 32 bytes, which are copied: the caller may fill them with zeros
   * @throws {HawserError} `ERR_NO_AES_GCM` where the platform has none
   */
  importKey(key: Uint8Array): AesGcmKey;
}

export interface AesGcmKey {
  /** @param nonce 12 bytes, never the same twice under one key */
  seal(nonce: Uint8Array, plaintext: Uint8Array, done: (sealed: Uint8Array | undefined) => void): void;
  /** @param done is given `undefined` for bytes that were not made by {@link seal} under this key */
  open(sealed: Uint8Array, done: (plaintext: Uint8Array | undefined) => void): void;
  /** Forgets the key: with zeros where it is in our memory. No method may be called afterwards. */
  destroy(): void;
}

export const NONCE_LENGTH = 12;
export const TAG_LENGTH = 16;

/** The parts of `node:crypto` used here. */
export interface SyncCiphers {
  createCipheriv(algorithm: 'aes-256-gcm', key: Uint8Array, nonce: Uint8Array): Cipher;
  createDecipheriv(algorithm: 'aes-256-gcm', key: Uint8Array, nonce: Uint8Array): Decipher;
}

/** OpenSSL's, where the runtime has `node:crypto`: Node.js, Deno, Bun. Synchronous. */
export function syncAesGcm(ciphers: SyncCiphers): AesGcm {
  return { importKey: (key) => new SyncKey(ciphers, new Uint8Array(key)) };
}

/** WebCrypto's: every runtime, browsers on pages from https: or localhost. */
export function webCryptoAesGcm(subtle: SubtleCrypto | undefined): AesGcm {
  return {
    importKey(key) {
      if (subtle) return new WebCryptoKey(subtle, new Uint8Array(key));
      throw new HawserError(
        'ERR_NO_AES_GCM',
        'This page cannot encrypt: it has no crypto.subtle, which browsers give to pages from https: and localhost only.',
      );
    },
  };
}

interface Cipher {
  update(bytes: Uint8Array): Uint8Array;
  final(): Uint8Array;
  getAuthTag(): Uint8Array;
}

interface Decipher {
  setAuthTag(tag: Uint8Array): unknown;
  update(bytes: Uint8Array): Uint8Array;
  final(): Uint8Array;
}

class SyncKey implements AesGcmKey {
  readonly #ciphers: SyncCiphers;
  readonly #key: Uint8Array;

  constructor(ciphers: SyncCiphers, key: Uint8Array) {
    this.#ciphers = ciphers;
    this.#key = key;
  }

  seal(nonce: Uint8Array, plaintext: Uint8Array, done: (sealed: Uint8Array | undefined) => void): void {
    const cipher = this.#ciphers.createCipheriv('aes-256-gcm', this.#key, nonce);
    const sealed = new Uint8Array(NONCE_LENGTH + plaintext.length + TAG_LENGTH);
    sealed.set(nonce);
    sealed.set(cipher.update(plaintext), NONCE_LENGTH);
    cipher.final();
    sealed.set(cipher.getAuthTag(), NONCE_LENGTH + plaintext.length);
    done(sealed);
  }

  open(sealed: Uint8Array, done: (plaintext: Uint8Array | undefined) => void): void {
    done(this.#open(sealed));
  }

  destroy(): void {
    this.#key.fill(0);
  }

  #open(sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < NONCE_LENGTH + TAG_LENGTH) return undefined;
    const end = sealed.length - TAG_LENGTH;
    const decipher = this.#ciphers.createDecipheriv(
      'aes-256-gcm',
      this.#key,
      sealed.subarray(0, NONCE_LENGTH),
    );
    decipher.setAuthTag(sealed.subarray(end));
    const plaintext = decipher.update(sealed.subarray(NONCE_LENGTH, end));
    try {
      decipher.final();
    } catch {
      return undefined; // nothing but a wrong tag makes it throw
    }
    return plaintext;
  }
}

class WebCryptoKey implements AesGcmKey {
  readonly #subtle: SubtleCrypto;
  /** Never rejects, so that a key that nobody uses makes no noise. */
  readonly #key: Promise<CryptoKey | undefined>;

  constructor(subtle: SubtleCrypto, key: Uint8Array<ArrayBuffer>) {
    this.#subtle = subtle;
    this.#key = subtle
      .importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt'])
      .catch(() => undefined)
      .finally(() => key.fill(0));
  }

  seal(nonce: Uint8Array, plaintext: Uint8Array, done: (sealed: Uint8Array | undefined) => void): void {
    this.#run(
      (key) => this.#subtle.encrypt({ name: 'AES-GCM', iv: own(nonce) }, key, own(plaintext)),
      (encrypted) => {
        if (!encrypted) return done(undefined);
        const sealed = new Uint8Array(NONCE_LENGTH + encrypted.length);
        sealed.set(nonce);
        sealed.set(encrypted, NONCE_LENGTH);
        done(sealed);
      },
    );
  }

  open(sealed: Uint8Array, done: (plaintext: Uint8Array | undefined) => void): void {
    const iv = own(sealed.subarray(0, NONCE_LENGTH));
    this.#run(
      (key) => this.#subtle.decrypt({ name: 'AES-GCM', iv }, key, own(sealed.subarray(NONCE_LENGTH))),
      done,
    );
  }

  /** What WebCrypto holds is out of reach; it goes with the last reference. */
  destroy(): void {}

  #run(work: (key: CryptoKey) => Promise<ArrayBuffer>, done: (bytes: Uint8Array | undefined) => void): void {
    this.#key
      .then((key) => key && work(key))
      .then(
        (bytes) => bytes && new Uint8Array(bytes),
        () => undefined,
      )
      .then(done);
  }
}

/** WebCrypto's types refuse memory that could be shared. Ours never is. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
