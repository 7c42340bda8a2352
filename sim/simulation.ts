import { MessageType } from '../src/channel/constants.ts';
import { formatChannelClosed } from '../src/channel/payload/channel-closed.ts';
import type { TerminalSize } from '../src/channel/payload/terminal.ts';
import { Dice } from './dice.ts';
import { End } from './end.ts';
import { Ledger } from './ledger.ts';
import { FrameEvent, type Loss, Network, relayMessage, type Side } from './network.ts';
import type { Course, EndPlan, Scenario } from './scenario.ts';
import { Schedule } from './schedule.ts';

export interface Outcome {
  /** Follows from everything that happened, and when. */
  readonly trace: number;
  /** Milliseconds until both sides had everything, and knew it. */
  readonly settledAt: number;
  readonly frames: number;
  readonly retransmissions: number;
}

/** What went wrong, and in which scenario. */
export class SimulationError extends Error {
  readonly seed: number;

  constructor(seed: number, message: string, cause?: unknown) {
    super(`seed ${seed}: ${message}`, { cause });
    this.name = 'SimulationError';
    this.seed = seed;
  }
}

/** What the simulation asks of an end. */
export interface SimulatedEnd {
  /** Whether everything planned was done here, and everything the other end did has been seen here. */
  readonly settled: boolean;
  /** Whether it has been told of the close. */
  readonly closed: boolean;
  readonly retransmissions: number;
  /** For the report of a failure. */
  readonly state: string;
  handleFrame(frame: Uint8Array): void;
  /** The socket opened or went. */
  handleSocket(connected: boolean): void;
  /** From now on it reads whatever comes, at once. */
  readOn(): void;
  /** @throws when anything is left over once all is settled */
  checkEmpty(): void;
}

/** How a kind of scenario is played. */
export interface Play {
  readonly course: Course;
  readonly ends: (schedule: Schedule, network: Network) => Record<Side, SimulatedEnd>;
  /** Whether nothing more is to come, beyond what the ends know. */
  readonly settled?: () => boolean;
  /** Milliseconds that the healed network may take. */
  readonly patience: number;
}

/**
 * Plays one scenario to its end: the plan of both sides under the faults of the network, then the healed
 * network until both sides have everything, then the service's channel_closed, then silence.
 *
 * @param lose frames that the network loses beside those of its dice, for the loss of a certain one
 * @throws {SimulationError} when bytes differ, a bound is passed, or the session does not come to its end
 */
export function simulate(scenario: Scenario, lose?: Loss): Outcome {
  const { seed, client, agent, handshake, encryption } = scenario;
  const [input, output] = [new Ledger(1), new Ledger(30_000)];
  let ends!: Record<Side, End>;
  return play(
    {
      course: scenario,
      ends: (schedule, network) => {
        const common = { schedule, network, handshake, encryption };
        ends = {
          client: new End({
            ...common,
            side: 'client',
            plan: client,
            peerPlan: agent,
            outgoing: input,
            incoming: output,
            dice: new Dice(4 * seed + 2),
          }),
          agent: new End({
            ...common,
            side: 'agent',
            plan: agent,
            peerPlan: client,
            outgoing: output,
            incoming: input,
            dice: new Dice(4 * seed + 3),
          }),
        };
        return ends;
      },
      settled: () => {
        const { set } = ends.client.sizes;
        if (set && !sameSize(set, ends.agent.sizes.seen)) return false;
        // The plugin does not acknowledge again what it has processed, so an agent may never know of the last.
        return client.program === 'plugin' || SIDES.every((side) => ends[side].channel.acknowledged);
      },
      patience: patience(scenario),
    },
    lose,
  );
}

/** @throws {SimulationError} */
export function play(how: Play, lose?: Loss): Outcome {
  const simulation = new Simulation(how, lose);
  try {
    return simulation.run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new SimulationError(how.course.seed, `${message}\n${simulation.state}`, error);
  }
}

class Simulation {
  readonly #how: Play;
  readonly #schedule = new Schedule();
  readonly #network: Network;
  readonly #ends: Record<Side, SimulatedEnd>;
  #trace = 0x811c9dc5;
  #sent = 0;
  #steps = 0;
  #healed = false;

  constructor(how: Play, lose?: Loss) {
    this.#how = how;
    const { seed, conditions, outages, healAt } = how.course;
    const schedule = this.#schedule;
    const network = new Network(
      schedule,
      new Dice(4 * seed + 1),
      conditions,
      {
        frame: (side, frame) => this.#ends[side].handleFrame(frame),
        changed: (side) => this.#ends[side].handleSocket(network.connected(side)),
        trace: (what, side, frame) => this.#note(what, side, frame),
      },
      lose,
    );
    this.#network = network;
    this.#ends = how.ends(schedule, network);
    for (const { side, at, until } of outages) {
      schedule.at(at, () => this.#healed || network.disconnect(side));
      schedule.at(until, () => network.connect(side));
    }
    schedule.at(healAt, () => this.#heal());
  }

  /** For the report of a failure. */
  get state(): string {
    const { client, agent } = this.#ends;
    const { conditions, healAt } = this.#how.course;
    const facts = JSON.stringify({ healAt, ...conditions });
    return `  at ${this.#schedule.now.toFixed(3)} ms\n  ${facts}\n  ${client.state}\n  ${agent.state}`;
  }

  run(): Outcome {
    const { client, agent } = this.#ends;
    const deadline = this.#how.course.healAt + this.#how.patience;
    this.#runUntil(() => this.#settled, deadline, 'both sides having everything');
    const settledAt = this.#schedule.now;
    for (const side of SIDES) this.#ends[side].checkEmpty();
    this.#heal();

    for (const side of SIDES) this.#network.sendFromRelay(side, CHANNEL_CLOSED);
    this.#runUntil(
      () => client.closed && agent.closed,
      this.#schedule.now + 10_000,
      'both sides being told of the close',
    );
    const sent = this.#sent;
    // The plan itself may have entries up to the time at which the network would have been well.
    const idle = Math.max(this.#schedule.now, this.#how.course.healAt) + 60_000;
    this.#runUntil(() => this.#schedule.empty, idle, 'the last timer of a closed channel');
    if (this.#sent > sent) throw new Error('a closed channel goes on sending');
    const retransmissions = client.retransmissions + agent.retransmissions;
    return { trace: this.#trace >>> 0, settledAt, frames: this.#sent, retransmissions };
  }

  #heal(): void {
    this.#healed = true;
    this.#network.heal();
    for (const side of SIDES) this.#network.connect(side);
    for (const side of SIDES) this.#ends[side].readOn();
  }

  get #settled(): boolean {
    return SIDES.every((side) => this.#ends[side].settled) && (this.#how.settled?.() ?? true);
  }

  #runUntil(done: () => boolean, deadline: number, what: string): void {
    const schedule = this.#schedule;
    while (!done()) {
      if (schedule.empty) throw new Error(`everything stands still before ${what}`);
      schedule.step();
      if (schedule.now > deadline) throw new Error(`no end of waiting for ${what}`);
      if (++this.#steps > MAX_STEPS) throw new Error(`no end of steps for ${what}`);
    }
  }

  #note(what: number, side: Side, frame: Uint8Array): void {
    if (what === FrameEvent.Sent) this.#sent++;
    const { now } = this.#schedule;
    for (const word of [
      what,
      side.length,
      frame.length,
      now,
      (now % 1) * 2 ** 32,
      frame[55] ?? 0,
      frame.at(-1) ?? 0,
    ]) {
      this.#trace = Math.imul(this.#trace ^ word, 0x01000193);
    }
  }
}

const SIDES = ['client', 'agent'] as const;

/** More than any scenario needs. */
const MAX_STEPS = 1_000_000;

const CHANNEL_CLOSED = relayMessage(
  MessageType.ChannelClosed,
  formatChannelClosed({
    messageId: '00000000-0000-4000-8000-000000000001',
    destinationId: 'mi-1',
    sessionId: 'session',
    createdDate: '2026-01-01T00:00:00.000Z',
    output: '',
  }),
);

/** How long the healed network may take: what windows, round trips and bandwidth ask for, and half a minute. */
function patience({ client, agent, conditions }: Scenario): number {
  const roundTrip = 2 * (conditions.latency + conditions.jitter);
  return 30_000 + duration(client, agent) + duration(agent, client);

  function duration(from: EndPlan, to: EndPlan): number {
    const bytes = from.actions.reduce((sum, action) => sum + (action.do === 'write' ? action.length : 0), 0);
    const frames = Math.ceil(bytes / from.payloadSize) + from.actions.length;
    const frameLength = from.payloadSize + 200;
    const window = Math.max(1, Math.floor(Math.min(from.sendWindow, to.receiveBuffer) / frameLength));
    const trips = (frames / window) * (roundTrip + 5);
    // A real program resends one message at a time, 200 ms after the last. So may ours, where the receiver can
    // store less than the window and has to drop the rest.
    const oneByOne = from.program !== 'hawser' || from.sendWindow > 2 * to.receiveBuffer;
    const resends = oneByOne ? frames * (2 * roundTrip + 200) : 0;
    return 2 * trips + resends + (4 * frames * frameLength) / conditions.bandwidth;
  }
}

function sameSize(a: TerminalSize | undefined, b: TerminalSize | undefined): boolean {
  return a?.cols === b?.cols && a?.rows === b?.rows;
}
