import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteInput, Unquoter } from '../../src/node/quoting.ts';

/** Bytes with many of the two that matter. */
const bytes = fc
  .array(fc.oneof(fc.constantFrom(0x04, 0x16), fc.integer({ min: 0, max: 255 })), { maxLength: 60 })
  .map((values) => Uint8Array.from(values));

test('what is quoted arrives, however it is cut', () => {
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 7 }), (input, size) => {
      const quoted = quoteInput(input);
      const unquoter = new Unquoter();
      const output: number[] = [];
      for (let i = 0; i < quoted.length; i += size)
        output.push(...unquoter.push(quoted.subarray(i, i + size)));
      expect(unquoter.ended).toBe(false);
      expect(output).toEqual([...input]);
    }),
  );
});

test('an end of input counts wherever it is, and nothing after it', () => {
  const unquoter = new Unquoter();
  expect([...unquoter.push(Uint8Array.of(1, 0x16, 0x04, 2, 0x04, 3))]).toEqual([1, 0x04, 2]);
  expect(unquoter.ended).toBe(true);
});

test('plain input is passed on as it is', () => {
  const plain = Uint8Array.of(1, 2, 3);
  expect(quoteInput(plain)).toBe(plain);
  expect(new Unquoter().push(plain)).toBe(plain);
});
