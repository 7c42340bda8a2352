import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultPlatform } from '../../src/core/runtime.ts';
import { sha256Digest } from '../../src/crypto/digest.ts';

const digests = { "the runtime's": defaultPlatform().digest, 'the portable': sha256Digest };

for (const [name, digest] of Object.entries(digests)) {
  test(`${name} digest is SHA-256, written in place`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat(40), (payload, offset) => {
        const target = new Uint8Array(80).fill(0xaa);
        digest.write(payload, target, offset);
        const expected = new Uint8Array(80).fill(0xaa);
        expected.set(createHash('sha256').update(payload).digest(), offset);
        expect(target).toEqual(expected);
        expect(digest.matches(payload, target, offset)).toBe(true);
      }),
    );
  });

  test(`${name} digest sees every changed bit`, () => {
    const payload = Uint8Array.of(1, 2, 3);
    for (let bit = 0; bit < 256; bit++) {
      const target = new Uint8Array(40);
      digest.write(payload, target, 4);
      target[4 + (bit >> 3)]! ^= 1 << (bit & 7);
      expect(digest.matches(payload, target, 4)).toBe(false);
    }
  });
}
