import { expect, it } from 'vitest';
import { seededRandom } from '../../src/testing/index.ts';

const draws = (seed: number) => {
  const random = seededRandom(seed);
  return [random.random(), random.random(), random.uuid(), ...random.bytes(7)];
};

it('repeats itself for the same seed and for no other', () => {
  expect(draws(7)).toEqual(draws(7));
  const seeds = [0, 1, 2, 7, -1, 2 ** 32, 2 ** 32 + 7, 2 ** 40 + 7];
  expect(new Set(seeds.map((seed) => JSON.stringify(draws(seed)))).size).toBe(seeds.length);
});

it('draws evenly from [0, 1)', () => {
  const { random } = seededRandom(1);
  const buckets = new Array<number>(16).fill(0);
  for (let i = 0; i < 16_000; i++) {
    const drawn = random();
    buckets[Math.floor(drawn * 16)]!++;
  }
  expect(buckets).toHaveLength(16);
  for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

it('keeps its sequence: a change would void every seed ever reported', () => {
  expect([...seededRandom(0).bytes(8)]).toEqual([32, 55, 176, 106, 158, 52, 174, 2]);
});

it('makes version 4 UUIDs in lower case', () => {
  const random = seededRandom(3);
  const uuids = Array.from({ length: 100 }, () => random.uuid());
  for (const uuid of uuids) {
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  expect(new Set(uuids).size).toBe(100);
});
