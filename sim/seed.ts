import { scenario } from './scenario.ts';
import { type Outcome, simulate } from './simulation.ts';
import { smuxScenario } from './smux-scenario.ts';
import { simulateSmux } from './smux-simulation.ts';

/** Plays the scenario of a seed: one in four is a port session with streams of smux. */
export function simulateSeed(seed: number): Outcome {
  return seed % 4 === 3 ? simulateSmux(smuxScenario(seed)) : simulate(scenario(seed));
}
