import { expect, test } from 'vitest';
import { InputQueue } from '../../src/agent/input-queue.ts';

test('input that waits for its handler keeps no more memory than its own bytes', async () => {
  const input = new InputQueue(
    () => {},
    () => {},
  );
  for (let i = 0; i < 500; i++) input.push(new Uint8Array(65_536).subarray(0, 1));
  input.end();
  let large = 0;
  for await (const bytes of input) if (bytes.buffer.byteLength > 1) large++;
  expect(large).toBe(64);
});
