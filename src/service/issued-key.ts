import type { RandomSource } from '../base/random.ts';

/**
 * The access key ids that the service gives to hybrid nodes are known by these letters behind the `ASIA` of all
 * temporary ones: nobody needs to be asked whose they are.
 */
const PREFIX = 'ASIAHAWSER';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** 20 characters, as AWS's: 50 of the bits are random. */
export function newAccessKeyId(random: RandomSource): string {
  return PREFIX + Array.from(random.bytes(10), (byte) => ALPHABET[byte & 31]).join('');
}

export function isIssuedKey(accessKeyId: string): boolean {
  return accessKeyId.startsWith(PREFIX);
}
