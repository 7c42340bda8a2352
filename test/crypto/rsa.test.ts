import { constants, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sha256Digest } from '../../src/crypto/index.ts';
import { verifyPss } from '../../src/crypto/rsa/pss.ts';
import { parseRsaPublicKey } from '../../src/crypto/rsa/public-key.ts';

const message = new TextEncoder().encode('a string to sign');
const sizes = [2048, 3072, 4096];
const pairs = new Map(sizes.map((bits) => [bits, keyPair(bits)]));
const { privateKey, publicKey } = pairs.get(2048)!;

function keyPair(modulusLength: number, publicExponent = 65_537) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent });
  return { privateKey, publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64') };
}

function signPss(key: typeof privateKey, saltLength: number, hash = 'sha256') {
  return sign(hash, message, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
}

describe('a signature of OpenSSL', () => {
  it.each(sizes)('of a key of %i bits is taken, with a salt of any length', (bits) => {
    const pair = pairs.get(bits)!;
    const key = parseRsaPublicKey(pair.publicKey);
    expect(key.bytes).toBe(bits / 8);
    for (const salt of [32, 0, 1, 20, constants.RSA_PSS_SALTLEN_MAX_SIGN]) {
      expect(verifyPss(key, message, signPss(pair.privateKey, salt), sha256Digest), `${salt}`).toBe(true);
    }
  });

  it('of another key, another message, another padding or another hash is refused', () => {
    const key = parseRsaPublicKey(publicKey);
    const good = signPss(privateKey, 32);
    expect(verifyPss(key, message, good, sha256Digest)).toBe(true);
    expect(verifyPss(key, message.subarray(1), good, sha256Digest)).toBe(false);
    expect(verifyPss(key, message, signPss(keyPair(2048).privateKey, 32), sha256Digest)).toBe(false);
    expect(verifyPss(key, message, signPss(privateKey, 32, 'sha512'), sha256Digest)).toBe(false);
    expect(verifyPss(key, message, sign('sha256', message, privateKey), sha256Digest)).toBe(false);
  });

  it('with any one byte changed, left out or put in is refused', () => {
    const key = parseRsaPublicKey(publicKey);
    const good = signPss(privateKey, 32);
    for (let i = 0; i < good.length; i += 5) {
      const changed = Uint8Array.from(good);
      changed[i]! ^= 1;
      expect(verifyPss(key, message, changed, sha256Digest), `byte ${i}`).toBe(false);
    }
    for (const wrong of [
      good.subarray(1),
      Buffer.concat([Buffer.alloc(1), good]),
      new Uint8Array(0),
      new Uint8Array(256),
      new Uint8Array(256).fill(0xff),
    ]) {
      expect(verifyPss(key, message, wrong, sha256Digest)).toBe(false);
    }
  });

  it('plus the modulus, which is the same number to RSA, is refused', () => {
    const key = parseRsaPublicKey(publicKey);
    for (let tries = 0; tries < 200; tries++) {
      const sum = BigInt(`0x${signPss(privateKey, 32).toString('hex')}`) + key.modulus;
      if (sum >> 2048n !== 0n) continue; // does not fit
      const twin = Buffer.from(sum.toString(16).padStart(512, '0'), 'hex');
      expect(verifyPss(key, message, twin, sha256Digest)).toBe(false);
      return;
    }
    // With a modulus close to 2^2048 hardly any sum fits: nothing to show with this key.
  });
});

describe('a public key', () => {
  it('is read as OpenSSL reads it', () => {
    const key = parseRsaPublicKey(publicKey);
    const jwk = createPublicKey({
      key: Buffer.from(publicKey, 'base64'),
      format: 'der',
      type: 'spki',
    }).export({ format: 'jwk' });
    expect(key.exponent).toBe(65_537n);
    expect(key.modulus).toBe(BigInt(`0x${Buffer.from(jwk.n!, 'base64url').toString('hex')}`));
    expect(publicKey).toHaveLength(392); // as AWS's agent sends it
  });

  it('that is too short is refused, with its length', () => {
    expect(() => parseRsaPublicKey(keyPair(1024).publicKey)).toThrow(/1024 bits; 2048 to 4096/);
  });

  it('that is none is refused', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
      format: 'der',
      type: 'spki',
    });
    const der = Buffer.from(publicKey, 'base64');
    const cut = Array.from({ length: der.length }, (_, length) => der.subarray(0, length));
    for (const bytes of [ec, Buffer.concat([der, Buffer.alloc(1)]), ...cut]) {
      expect(() => parseRsaPublicKey(bytes.toString('base64'))).toThrow(
        expect.objectContaining({ code: 'ERR_PUBLIC_KEY' }),
      );
    }
    for (const text of ['', 'no base64!', 'A'.repeat(1_000_000)]) {
      expect(() => parseRsaPublicKey(text)).toThrow(expect.objectContaining({ code: 'ERR_PUBLIC_KEY' }));
    }
  });

  it('with any one byte changed is either refused or another key', () => {
    const der = Buffer.from(publicKey, 'base64');
    const { modulus, exponent } = parseRsaPublicKey(publicKey);
    for (let i = 0; i < der.length; i++) {
      const changed = Buffer.from(der);
      changed[i]! ^= 0x81;
      try {
        const key = parseRsaPublicKey(changed.toString('base64'));
        expect(key.modulus !== modulus || key.exponent !== exponent, `byte ${i}`).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_PUBLIC_KEY' });
      }
    }
  });
});
