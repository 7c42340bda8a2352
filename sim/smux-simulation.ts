import { SMUX_INITIAL_WINDOW } from '../src/channel/smux/limits.ts';
import { Dice } from './dice.ts';
import type { Loss, Side } from './network.ts';
import { type Outcome, play } from './simulation.ts';
import { SmuxEnd } from './smux-end.ts';
import type { SmuxScenario } from './smux-scenario.ts';
import { StreamRecord } from './smux-streams.ts';

/**
 * Plays a port session to its end, as {@link simulate} does: every stream opened, written, read, ended or reset.
 *
 * @throws {SimulationError} when streams are mixed, lose bytes or get stuck, or a bound is passed
 */
export function simulateSmux(scenario: SmuxScenario, lose?: Loss): Outcome {
  const { seed, version, client, agent } = scenario;
  const streams = scenario.streams.map((plan, index) => new StreamRecord(plan, index));
  return play(
    {
      course: scenario,
      ends: (schedule, network) => {
        const common = { version, streams, schedule, network };
        return {
          client: new SmuxEnd({
            ...common,
            side: 'client',
            plan: client,
            peerPlan: agent,
            dice: new Dice(4 * seed + 2),
          }),
          agent: new SmuxEnd({
            ...common,
            side: 'agent',
            plan: agent,
            peerPlan: client,
            dice: new Dice(4 * seed + 3),
          }),
        };
      },
      settled: () => {
        for (const stream of streams) stream.check(version);
        return true;
      },
      patience: patience(scenario),
    },
    lose,
  );
}

/** What windows, round trips and bandwidth ask for, and a minute. */
function patience({ client, agent, streams, conditions }: SmuxScenario): number {
  const roundTrip = 2 * (conditions.latency + conditions.jitter) + 5;
  return 60_000 + duration('client') + duration('agent');

  function duration(side: Side): number {
    const [from, to] = side === 'client' ? [client, agent] : [agent, client];
    const bytes = streams.reduce(
      (sum, plan) => sum + plan[side].reduce((own, { length }) => own + length + 100, 100),
      0,
    );
    const frames = Math.ceil(bytes / from.payloadSize) + 2 * streams.length;
    const frameLength = from.payloadSize + 200;
    const window = Math.max(1, Math.floor(Math.min(from.sendWindow, to.receiveBuffer) / frameLength));
    // Where the receiver can store less than the window it has to drop the rest, which is then sent one by one.
    const oneByOne = from.sendWindow > 2 * to.receiveBuffer ? frames * (2 * roundTrip + 200) : 0;
    const windows = Math.ceil(bytes / Math.min(from.sendBuffer, to.smuxBuffer, SMUX_INITIAL_WINDOW));
    return (
      4 * (frames / window + windows) * roundTrip +
      oneByOne +
      (8 * frames * frameLength) / conditions.bandwidth
    );
  }
}
