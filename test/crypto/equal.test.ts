import { expect, it } from 'vitest';
import { equalBytes } from '../../src/crypto/equal.ts';

const signature = Uint8Array.from({ length: 64 }, (_, i) => i);

it('tells equal bytes from others', () => {
  expect(equalBytes(signature, signature.slice())).toBe(true);
  expect(equalBytes(signature, signature.subarray(1))).toBe(false);
  expect(equalBytes(new Uint8Array(0), new Uint8Array(0))).toBe(true);
  for (let i = 0; i < signature.length; i++) {
    const other = signature.slice();
    other[i]! ^= 0x80;
    expect(equalBytes(signature, other)).toBe(false);
  }
});

it.each([0, 31, 63])('reads every byte, also when byte %i differs', (at) => {
  const other = signature.slice();
  other[at]! ^= 1;
  const read: string[] = [];
  const watched = new Proxy(other, {
    get(target, property) {
      if (property !== 'length') read.push(String(property));
      return Reflect.get(target, property, target);
    },
  });
  equalBytes(signature, watched);
  expect(read).toEqual(Array.from(signature, (_, i) => String(i)));
});
