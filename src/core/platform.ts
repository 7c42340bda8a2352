import type { Clock } from '../base/clock.ts';
import type { RandomSource } from '../base/random.ts';
import type { AesGcm } from '../crypto/aes-gcm.ts';
import type { PayloadDigest } from '../crypto/digest.ts';
import type { Transport } from './socket.ts';

/**
 * Everything the library takes from the world: time, chance, SHA-256, AES, the network. Each part can be replaced; what is left out is
 * the runtime's own (`runtime.ts`).
 */
export interface Platform {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly digest: PayloadDigest;
  /** For sessions encrypted with AWS KMS. */
  readonly aesGcm: AesGcm;
  readonly transport: Transport;
}
