import { describe, expect, it } from 'vitest';
import { simulateSeed } from '../../sim/seed.ts';
import { SimulationError } from '../../sim/simulation.ts';
import { smuxScenario } from '../../sim/smux-scenario.ts';
import { simulateSmux } from '../../sim/smux-simulation.ts';

/** What `npm test` plays. `npm run -s sim -- --seeds 20000` plays more. */
const SEEDS = 150;

describe('a simulated port session', () => {
  it('mixes no streams and leaves none stuck, whatever the network does', () => {
    let retransmissions = 0;
    for (let seed = 0; seed < SEEDS; seed++)
      retransmissions += simulateSmux(smuxScenario(seed)).retransmissions;
    expect(retransmissions).toBeGreaterThan(SEEDS);
  });

  it('plays both versions, resets, stalled readers and more than a window', () => {
    const scenarios = Array.from({ length: SEEDS }, (_, seed) => smuxScenario(seed));
    const streams = scenarios.flatMap((one) => one.streams);
    expect(new Set(scenarios.map(({ version }) => version))).toEqual(new Set([1, 2]));
    expect(streams.some(({ reset }) => reset?.side === 'client')).toBe(true);
    expect(streams.some(({ reset }) => reset?.side === 'agent')).toBe(true);
    expect(streams.some(({ stalled }) => stalled.length === 2)).toBe(true);
    expect(
      Math.max(...streams.map(({ agent }) => agent.reduce((sum, { length }) => sum + length, 0))),
    ).toBeGreaterThan(1_048_576);
  });

  it('ends when a reader that had stopped has seen the last of it: seed 110031, which once failed', () => {
    simulateSeed(110_031);
  });

  it('repeats itself for the same seed', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { trace } = simulateSmux(smuxScenario(seed));
      expect(simulateSmux(smuxScenario(seed)).trace, `seed ${seed}`).toBe(trace);
    }
  });

  it('is what one seed in four plays', () => {
    expect(simulateSeed(3).trace).toBe(simulateSmux(smuxScenario(3)).trace);
  });

  it('notices a message that never arrives', () => {
    const firstOutput = (from: string, frame: Uint8Array) =>
      from === 'client' && frame[115] === 1 && frame.length > 128;
    expect(() => simulateSmux(smuxScenario(2), firstOutput)).toThrow(SimulationError);
  });
});
