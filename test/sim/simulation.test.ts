import { describe, expect, it } from 'vitest';
import { scenario } from '../../sim/scenario.ts';
import { SimulationError, simulate } from '../../sim/simulation.ts';

/** What `npm test` plays. `npm run -s sim -- --seeds 20000` plays more. */
const SEEDS = 500;

/**
 * Seeds beyond those that failed while the channel was made: peers that never acknowledge duplicates, receive
 * buffers far smaller than the window, paths slower than the first timeout.
 */
const ONCE_FAILED = [
  976, 1048, 1452, 1520, 2457, 2496, 2560, 2835, 3401, 3622, 5987, 6385, 6690, 7291, 7370, 7705, 7939, 13724,
  18496, 19156,
];

describe('a simulated session', () => {
  it('delivers every byte in order and once, whatever the network does', () => {
    let retransmissions = 0;
    for (let seed = 0; seed < SEEDS; seed++) retransmissions += simulate(scenario(seed)).retransmissions;
    expect(retransmissions).toBeGreaterThan(SEEDS);
  });

  it.each(ONCE_FAILED)('delivers every byte in seed %i, which once failed', (seed) => {
    simulate(scenario(seed));
  });

  it('repeats itself for the same seed', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { trace } = simulate(scenario(seed));
      expect(simulate(scenario(seed)).trace, `seed ${seed}`).toBe(trace);
      expect(simulate(scenario(seed + 1000)).trace).not.toBe(trace);
    }
  });

  it('notices a message that never arrives', () => {
    const firstOutput = (from: string, frame: Uint8Array) =>
      from === 'agent' && frame[115] === 1 && frame[55] === 0;
    expect(() => simulate(scenario(1), firstOutput)).toThrow(SimulationError);
  });
});
