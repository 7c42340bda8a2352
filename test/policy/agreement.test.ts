import { describe, expect, it } from 'vitest';
import { compareSeed } from '../../sim/policy/compare.ts';
import type { Decision } from '../../src/policy/index.ts';
import { outcomesOf } from './changes.ts';

describe('the second evaluator', () => {
  // `npm run -s sim -- --policy --seeds 250000` is the long run: a million requests.
  it('agrees about 20,000 requests, and about the statements that match', () => {
    const counts = new Map<Decision['effect'], number>();
    for (let seed = 0; seed < 5_000; seed++) {
      for (const effect of compareSeed(seed)) counts.set(effect, (counts.get(effect) ?? 0) + 1);
    }
    // Not by all saying no.
    for (const effect of ['Allow', 'ImplicitDeny', 'ExplicitDeny'] as const) {
      expect(counts.get(effect)).toBeGreaterThan(1_500);
    }
  }, 60_000);
});

describe('properties of decisions', () => {
  const SEEDS = 600;

  it('adding a Deny never allows more', () => {
    const { allowed, denied } = outcomesOf('add Deny', SEEDS);
    expect(allowed).toBe(0);
    expect(denied).toBeGreaterThan(20);
  });

  it('adding an Allow never denies more', () => {
    const { allowed, denied } = outcomesOf('add Allow', SEEDS);
    expect(denied).toBe(0);
    expect(allowed).toBeGreaterThan(20);
  });

  it.each(['reverse statements', 'split policies', 'change case'] as const)(
    'to %s changes nothing',
    (change) => {
      const { asked, ...changed } = outcomesOf(change, SEEDS);
      expect(asked).toBeGreaterThan(SEEDS);
      expect(changed).toEqual({ allowed: 0, denied: 0, other: 0 });
    },
  );
});
