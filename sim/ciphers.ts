import crypto from 'node:crypto';
import { type AesGcm, type AesGcmKey, syncAesGcm } from '../src/crypto/aes-gcm.ts';
import type { Dice } from './dice.ts';
import type { Schedule } from './schedule.ts';

/** Real AES-GCM, which watches that no nonce is used twice under one key. */
export function watchedAesGcm(): AesGcm {
  const real = syncAesGcm(crypto);
  return { importKey: (key) => new WatchedKey(real.importKey(key)) };
}

/** The same, answering after up to `delay` milliseconds and in any order, as WebCrypto may. */
export function slowAesGcm(schedule: Schedule, dice: Dice, delay: number): AesGcm {
  const real = watchedAesGcm();
  const later = <T>(done: (result: T) => void) => {
    const at = schedule.now + dice.fraction() * delay;
    return (result: T) => schedule.at(at, () => done(result));
  };
  return {
    importKey(key) {
      const imported = real.importKey(key);
      return {
        seal: (nonce, plaintext, done) => imported.seal(nonce, plaintext, later(done)),
        open: (sealed, done) => imported.open(sealed, later(done)),
        destroy: () => imported.destroy(),
      };
    },
  };
}

class WatchedKey implements AesGcmKey {
  readonly #key: AesGcmKey;
  readonly #nonces = new Set<string>();

  constructor(key: AesGcmKey) {
    this.#key = key;
  }

  seal(nonce: Uint8Array, plaintext: Uint8Array, done: (sealed: Uint8Array | undefined) => void): void {
    const name = Buffer.from(nonce).toString('hex');
    if (this.#nonces.has(name)) throw new Error(`the nonce ${name} was used twice`);
    this.#nonces.add(name);
    this.#key.seal(nonce, plaintext, done);
  }

  open(sealed: Uint8Array, done: (plaintext: Uint8Array | undefined) => void): void {
    this.#key.open(sealed, done);
  }

  destroy(): void {
    this.#key.destroy();
  }
}
