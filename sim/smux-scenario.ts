import { Dice } from './dice.ts';
import { type ChannelPlan, type Course, conditions, moment, outages } from './scenario.ts';

/** A port session: streams of smux over the channels of two hawser ends. */
export interface SmuxScenario extends Course {
  readonly version: 1 | 2;
  readonly client: SmuxEndPlan;
  readonly agent: SmuxEndPlan;
  /** In the order in which they are opened. */
  readonly streams: readonly StreamPlan[];
}

export interface SmuxEndPlan extends ChannelPlan {
  /** Bytes that the session takes ahead of the peer, for each stream; and receives before it is full. */
  readonly sendBuffer: number;
  readonly smuxBuffer: number;
  /** Bytes polled at once. */
  readonly piece: number;
}

export interface StreamPlan {
  readonly openAt: number;
  /** What either side writes, in order of time. It ends its direction behind that. */
  readonly client: readonly Write[];
  readonly agent: readonly Write[];
  /** Whether the agent ends only when the client has said everything, as a server does that replies. */
  readonly agentWaits: boolean;
  /** Readers that use nothing of what came before the network is well. */
  readonly stalled: readonly ('client' | 'agent')[];
  readonly reset?: { readonly side: 'client' | 'agent'; readonly at: number };
}

export interface Write {
  readonly at: number;
  readonly length: number;
}

export function smuxScenario(seed: number): SmuxScenario {
  const dice = new Dice(4 * seed);
  const healAt = dice.magnitude(200, 8_000);
  const client = endPlan(dice, healAt);
  const agent = endPlan(dice, healAt);
  const streams = Array.from({ length: dice.magnitude(1, 40) }, () => dice.whole(0, healAt))
    .sort((a, b) => a - b)
    .map((openAt, _, all) => streamPlan(dice, openAt, healAt, [client, agent], all.length));
  return {
    seed,
    version: dice.pick([1, 2] as const),
    client,
    agent,
    streams,
    conditions: conditions(dice, 'hawser'),
    outages: outages(dice, healAt),
    healAt,
  };
}

function endPlan(dice: Dice, healAt: number): SmuxEndPlan {
  return {
    payloadSize: dice.pick([100, 1024, 1024, 8192, 32_768, 32_768]),
    sendWindow: dice.magnitude(2_048, 1_048_576),
    sendQueue: dice.magnitude(1_024, 262_144),
    receiveBuffer: dice.magnitude(2_048, 1_048_576),
    reader: dice.chance(0.5)
      ? { stall: dice.fraction() * 0.2, stallFor: dice.magnitude(1, healAt) }
      : { stall: 0, stallFor: 0 },
    sendBuffer: dice.magnitude(1_024, 1_048_576),
    smuxBuffer: dice.magnitude(4_096, 4_194_304),
    piece: dice.magnitude(2_048, 65_536),
  };
}

function streamPlan(
  dice: Dice,
  openAt: number,
  healAt: number,
  [client, agent]: readonly [SmuxEndPlan, SmuxEndPlan],
  count: number,
): StreamPlan {
  const side = dice.pick(['client', 'agent'] as const);
  return {
    openAt,
    client: writes(dice, openAt, healAt, (300 * client.payloadSize) / count),
    agent: writes(dice, openAt, healAt, (300 * agent.payloadSize) / count),
    agentWaits: dice.chance(0.5),
    stalled: dice.chance(0.2) ? dice.pick([['client'], ['agent'], ['client', 'agent']] as const) : [],
    ...(dice.chance(0.15) && { reset: { side, at: openAt + moment(dice, healAt) } }),
  };
}

/** From nothing to more than a window. */
function writes(dice: Dice, from: number, healAt: number, most: number): Write[] {
  const list: Write[] = [];
  if (dice.chance(0.1)) return list;
  for (let left = dice.magnitude(1, Math.min(most, MAX_STREAM)); left > 0 && list.length < 20; ) {
    const length = dice.magnitude(1, left);
    left -= length;
    list.push({ at: from + moment(dice, healAt) / 4, length });
  }
  return list.sort((a, b) => a.at - b.at);
}

/** Bytes of one direction. */
const MAX_STREAM = 2_000_000;
