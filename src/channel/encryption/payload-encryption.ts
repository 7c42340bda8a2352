import { type AesGcm, type AesGcmKey, NONCE_LENGTH } from '../../crypto/aes-gcm.ts';
import { DATA_KEY_LENGTH } from '../../crypto/kms/key-service.ts';
import { PayloadType } from '../constants.ts';
import { EncryptionError } from './error.ts';
import { NonceCounter, NonceMemory } from './nonces.ts';

export interface PayloadEncryptionOptions {
  readonly role: 'client' | 'agent';
  /** 64 bytes: the agent encrypts with the first half, the client with the second (PROTOCOL.md section 8). */
  readonly dataKey: Uint8Array;
  readonly aesGcm: AesGcm;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** The two keys of one end of an encrypted session. */
export class PayloadEncryption {
  readonly #isClient: boolean;
  readonly #sealing: AesGcmKey;
  readonly #opening: AesGcmKey;
  readonly #nonces: NonceCounter;
  readonly #seen = new NonceMemory();
  #destroyed = false;

  /** @throws {EncryptionError} for a data key of another length @throws {HawserError} `ERR_NO_AES_GCM` */
  constructor({ role, dataKey, aesGcm, randomBytes }: PayloadEncryptionOptions) {
    if (dataKey.length !== DATA_KEY_LENGTH) {
      throw new EncryptionError(
        'ERR_ENCRYPTION_KEY',
        `The key service gave a data key of ${dataKey.length} bytes; a session needs ${DATA_KEY_LENGTH}.`,
      );
    }
    const halves = [dataKey.subarray(0, HALF), dataKey.subarray(HALF)] as const;
    this.#isClient = role === 'client';
    this.#sealing = aesGcm.importKey(halves[this.#isClient ? 1 : 0]);
    this.#opening = aesGcm.importKey(halves[this.#isClient ? 0 : 1]);
    this.#nonces = new NonceCounter(randomBytes(NONCE_LENGTH));
  }

  /** Whether this end encrypts payloads of this type. */
  seals(payloadType: number): boolean {
    return encrypted(payloadType, this.#isClient);
  }

  /** Whether the other end does. */
  opens(payloadType: number): boolean {
    return encrypted(payloadType, !this.#isClient);
  }

  seal(plaintext: Uint8Array, done: (sealed: Uint8Array | undefined) => void): void {
    this.#sealing.seal(this.#nonces.next(), plaintext, done);
  }

  open(sealed: Uint8Array, done: (result: Uint8Array | EncryptionError) => void): void {
    this.#opening.open(sealed, (plaintext) => {
      if (!plaintext) return this.#explain(sealed, done);
      done(this.#seen.add(sealed) ? plaintext : replayed());
    });
  }

  /** What is under way goes on, and nothing else may be asked afterwards. */
  destroy(): void {
    this.#destroyed = true;
    this.#sealing.destroy();
    this.#opening.destroy();
  }

  /** What was sealed with this end's own key comes from an end that has the halves mixed up, or from a mirror. */
  #explain(sealed: Uint8Array, done: (error: EncryptionError) => void): void {
    if (this.#destroyed) done(changed());
    else this.#sealing.open(sealed, (plaintext) => done(plaintext ? swapped() : changed()));
  }
}

const HALF = DATA_KEY_LENGTH / 2;

const FROM_AGENT: ReadonlySet<number> = new Set([
  PayloadType.Output,
  PayloadType.StdErr,
  PayloadType.ExitCode,
]);

function encrypted(payloadType: number, byClient: boolean): boolean {
  return byClient ? payloadType === PayloadType.Output : FROM_AGENT.has(payloadType);
}

function changed(): EncryptionError {
  return new EncryptionError(
    'ERR_ENCRYPTION_PAYLOAD',
    'A payload of the encrypted session was changed on its way, or was not encrypted by the other end.',
  );
}

function swapped(): EncryptionError {
  return new EncryptionError(
    'ERR_ENCRYPTION_HALVES',
    'A payload of the encrypted session was encrypted with the half of the data key that only this end uses.',
  );
}

function replayed(): EncryptionError {
  return new EncryptionError(
    'ERR_ENCRYPTION_REPLAY',
    'A payload of the encrypted session came a second time. Something between client and node repeats what was said.',
  );
}
