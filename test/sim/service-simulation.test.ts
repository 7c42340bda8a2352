import { describe, expect, it } from 'vitest';
import { course, restartCourse } from '../../sim/service/course.ts';
import { simulateService } from '../../sim/service/simulation.ts';

/** What `npm test` plays. `npm run -s sim -- --service --seeds 20000` plays more. */
const SEEDS = 200;

/** The same with `--restarts`. */
const RESTART_SEEDS = 100;

/**
 * Seeds that failed while the service was made, or would without the help of the relay: an agent's word of being
 * connected lost with its connection, an end that a node never heard of, acknowledges and output lost at a cut.
 */
const ONCE_FAILED = [202, 526, 544, 693, 833, 1199, 302_917];

describe('a simulated session through the service', () => {
  it('comes to its end with every byte, and nothing is left of it', { timeout: 60_000 }, async () => {
    for (let seed = 0; seed < SEEDS; seed++) await simulateService(course(seed));
  });

  it('goes on through every kill -9 of the service, and comes to its end', { timeout: 60_000 }, async () => {
    for (let seed = 0; seed < RESTART_SEEDS; seed++) await simulateService(restartCourse(seed));
  });

  it.each(ONCE_FAILED)('comes to its end in seed %i, which once failed', async (seed) => {
    await simulateService(course(seed));
  });

  it.each([5122])('comes to its end in seed %i of those with restarts, which once failed', async (seed) => {
    await simulateService(restartCourse(seed));
  });

  it('repeats itself for the same seed', async () => {
    for (let seed = 0; seed < 10; seed++) {
      const { trace } = await simulateService(course(seed));
      expect((await simulateService(course(seed))).trace, `seed ${seed}`).toBe(trace);
      expect((await simulateService(course(seed + 1000))).trace).not.toBe(trace);
    }
  });
});
