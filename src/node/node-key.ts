import { constants, createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import type { NodeKey } from '../crypto/sigv4/node-signature.ts';

/** A private key of the kind that AWS's agent makes: RSA, 2048 bits. */
export async function generateNodeKey(): Promise<KeyObject> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return privateKey;
}

/** What a node registers and signs with, by OpenSSL. */
export function nodeKey(privateKey: KeyObject): NodeKey {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return {
    publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).toString('base64'),
    sign: (message) => sign('sha256', message, { key: privateKey, padding, saltLength: 32 }),
  };
}
