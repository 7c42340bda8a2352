import { expect, test } from 'vitest';
import { sha256Digest } from '../../src/crypto/index.ts';
import { pageOf } from '../../src/service/operations/page.ts';
import { seededRandom, VirtualClock } from '../../src/testing/index.ts';

interface Item {
  readonly date: number;
  readonly id: string;
}

test.each([1, 2, 7, 50, 199, 200])('pages of %i are the sorted list, cut', (size) => {
  const random = seededRandom(size);
  const context = { clock: new VirtualClock(), digest: sha256Digest };
  // Many of the same date, in no order.
  const all = Array.from({ length: 200 }, (_, n): Item => {
    const [byte = 0] = random.bytes(1);
    return { date: byte % 20, id: `${(n * 79) % 200}` };
  });
  const sorted = [...all].sort((a, b) => b.date - a.date || (a.id < b.id ? -1 : 1));
  const pages: Item[] = [];
  let token: string | undefined;
  for (let count = 0; count < Math.ceil(200 / size); count++) {
    const { items, next } = pageOf(all, (item) => item, { size, token, query: 'q' }, context);
    expect(items.length).toBeLessThanOrEqual(size);
    pages.push(...items);
    token = next.NextToken;
  }
  expect(token).toBeUndefined();
  expect(pages).toEqual(sorted);
});
