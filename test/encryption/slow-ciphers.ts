import crypto from 'node:crypto';
import type { RandomSource } from 'hawser';
import { type AesGcm, syncAesGcm } from 'hawser/crypto';
import type { VirtualClock } from 'hawser/testing';

/**
 * Real AES-GCM that answers after up to `delay` milliseconds, in any order, as WebCrypto may. Throws when a nonce is
 * used twice, or a key after it was destroyed.
 */
export function slowAesGcm(clock: VirtualClock, random: RandomSource, delay: number): AesGcm {
  const real = syncAesGcm(crypto);
  return {
    importKey(key) {
      const imported = real.importKey(key);
      const nonces = new Set<string>();
      let destroyed = false;
      const check = () => {
        if (destroyed) throw new Error('a key was used after it was destroyed');
      };
      const later =
        <T>(done: (result: T) => void) =>
        (result: T) =>
          void clock.schedule(random.random() * delay, () => done(result));
      return {
        seal(nonce, plaintext, done) {
          check();
          const name = Buffer.from(nonce).toString('hex');
          if (nonces.has(name)) throw new Error(`the nonce ${name} was used twice`);
          nonces.add(name);
          imported.seal(nonce, plaintext, later(done));
        },
        open(sealed, done) {
          check();
          imported.open(sealed, later(done));
        },
        destroy() {
          destroyed = true;
          imported.destroy();
        },
      };
    },
  };
}
