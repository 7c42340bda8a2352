import crypto, { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type AesGcm, type AesGcmKey, syncAesGcm, webCryptoAesGcm } from '../../src/crypto/aes-gcm.ts';

/** Test cases 13 to 15 of McGrew and Viega, "The Galois/Counter Mode of Operation", which NIST refers to. In hex. */
const VECTORS = [
  {
    key: '00'.repeat(32),
    nonce: '00'.repeat(12),
    plaintext: '',
    ciphertext: '',
    tag: '530f8afbc74536b9a963b4f1c4cb738b',
  },
  {
    key: '00'.repeat(32),
    nonce: '00'.repeat(12),
    plaintext: '00'.repeat(16),
    ciphertext: 'cea7403d4d606b6e074ec5d3baf39d18',
    tag: 'd0d1c8a799996bf0265b98b5d48ab919',
  },
  {
    key: 'feffe9928665731c6d6a8f9467308308'.repeat(2),
    nonce: 'cafebabefacedbaddecaf888',
    plaintext:
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255',
    ciphertext:
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad',
    tag: 'b094dac5d93471bdec1a502270e3cc6c',
  },
];

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const sealed = (key: AesGcmKey, nonce: Uint8Array, plaintext: Uint8Array) =>
  new Promise<Uint8Array | undefined>((done) => key.seal(nonce, plaintext, done));
const opened = (key: AesGcmKey, bytes: Uint8Array) =>
  new Promise<Uint8Array | undefined>((done) => key.open(bytes, done));

describe.each<[string, AesGcm]>([
  ['synchronous', syncAesGcm(crypto)],
  ['of WebCrypto', webCryptoAesGcm(globalThis.crypto.subtle)],
])('AES-256-GCM, %s', (_, aesGcm) => {
  test.each(VECTORS)('makes $ciphertext $tag', async ({ key, nonce, plaintext, ciphertext, tag }) => {
    const imported = aesGcm.importKey(hex(key));
    const bytes = await sealed(imported, hex(nonce), hex(plaintext));
    expect(Buffer.from(bytes!).toString('hex')).toBe(nonce + ciphertext + tag);
    expect(Buffer.from((await opened(imported, bytes!))!).toString('hex')).toBe(plaintext);
  });

  test('opens nothing that was changed in one bit, wherever it is, nor under another key', async () => {
    const key = aesGcm.importKey(randomBytes(32));
    const bytes = await sealed(key, randomBytes(12), randomBytes(20));
    for (const at of bytes!.keys()) {
      const changed = new Uint8Array(bytes!);
      changed[at]! ^= 1 << (at % 8);
      expect(await opened(key, changed), `byte ${at}`).toBeUndefined();
    }
    expect(await opened(aesGcm.importKey(randomBytes(32)), bytes!)).toBeUndefined();
    expect(await opened(key, bytes!)).toHaveLength(20);
  });

  test('opens nothing that is too short to have been sealed', async () => {
    const key = aesGcm.importKey(randomBytes(32));
    const bytes = await sealed(key, randomBytes(12), new Uint8Array(0));
    expect(bytes).toHaveLength(28);
    for (let length = 0; length < 28; length++) {
      expect(await opened(key, bytes!.subarray(0, length)), `${length} bytes`).toBeUndefined();
    }
    expect(await opened(key, bytes!)).toHaveLength(0);
  });

  test('takes the largest payload, and parts of larger memory', async () => {
    const key = aesGcm.importKey(randomBytes(32));
    const memory = new Uint8Array(randomBytes(600_000));
    const plaintext = memory.subarray(7, 7 + 524_288);
    const bytes = await sealed(key, memory.subarray(3, 15), plaintext);
    expect(bytes).toHaveLength(12 + 524_288 + 16);
    const around = new Uint8Array(bytes!.length + 20);
    around.set(bytes!, 10);
    const again = await opened(key, around.subarray(10, 10 + bytes!.length));
    expect(Buffer.from(again!).equals(plaintext)).toBe(true);
  });

  test('keeps many that are under way apart, large and small, in both directions', async () => {
    const key = aesGcm.importKey(randomBytes(32));
    const plaintexts = Array.from({ length: 64 }, (_, i) => new Uint8Array(randomBytes(i % 3 ? i : 50_000)));
    const all = await Promise.all(plaintexts.map((plaintext) => sealed(key, randomBytes(12), plaintext)));
    const back = await Promise.all(all.reverse().map((bytes) => opened(key, bytes!)));
    for (const [i, plaintext] of back.reverse().entries()) {
      expect(Buffer.from(plaintext!).equals(plaintexts[i]!), `${i}`).toBe(true);
    }
  });

  test('has a copy of the key, which its caller may fill with zeros', async () => {
    const bytes = new Uint8Array(randomBytes(32));
    const [key, same] = [aesGcm.importKey(bytes), aesGcm.importKey(new Uint8Array(bytes))];
    bytes.fill(0);
    const plaintext = new Uint8Array(randomBytes(100));
    const made = await sealed(key, randomBytes(12), plaintext);
    expect(Buffer.from((await opened(same, made!))!).equals(plaintext)).toBe(true);
    expect(await opened(aesGcm.importKey(bytes), made!)).toBeUndefined();
    key.destroy();
  });
});

test('the synchronous one is done before it returns, and fills its key with zeros at the end', () => {
  const keys: Uint8Array[] = [];
  const { importKey } = syncAesGcm({
    createCipheriv(algorithm, key, nonce) {
      keys.push(key);
      return crypto.createCipheriv(algorithm, key, nonce);
    },
    createDecipheriv: crypto.createDecipheriv,
  });
  const bytes = randomBytes(32);
  const key = importKey(bytes);
  let done = false;
  key.seal(randomBytes(12), randomBytes(10), () => {
    done = true;
  });
  expect(done).toBe(true);
  expect(Buffer.from(keys[0]!).equals(bytes)).toBe(true);
  key.destroy();
  expect(keys[0]).toEqual(new Uint8Array(32));
});

test('a page without crypto.subtle is told why it cannot encrypt', () => {
  expect(() => webCryptoAesGcm(undefined).importKey(new Uint8Array(32))).toThrow(
    expect.objectContaining({ code: 'ERR_NO_AES_GCM' }),
  );
});
