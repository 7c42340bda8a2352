import { PayloadFlag, PayloadType } from '../src/channel/constants.ts';
import type { TerminalSize } from '../src/channel/payload/terminal.ts';
import { Dice } from './dice.ts';
import { MAX_WRITE } from './ledger.ts';
import type { Conditions, Side } from './network.ts';

/** What every kind of scenario has. Plain data; times in milliseconds from its start. */
export interface Course {
  readonly seed: number;
  readonly conditions: Conditions;
  readonly outages: readonly Outage[];
  /** When the network is well again and readers read on. */
  readonly healAt: number;
}

/** Everything that happens to one simulated session. */
export interface Scenario extends Course {
  /** Whether the agent begins with a handshake. */
  readonly handshake: boolean;
  readonly encryption: Encryption;
  readonly client: EndPlan;
  readonly agent: EndPlan;
}

/** Whether the session is encrypted, and with ciphers that answer at once, or later and in any order. */
export type Encryption = 'none' | 'sync' | 'slow';

/** Who stands at an end: ours, or one that behaves like the real program, quirks included (`strangers.ts`). */
export type Program = 'hawser' | 'plugin' | 'real agent';

/** How one end's channel is made, and how its events are read. */
export interface ChannelPlan {
  readonly payloadSize: number;
  readonly sendWindow: number;
  readonly sendQueue: number;
  readonly receiveBuffer: number;
  readonly reader: ReaderPlan;
}

export interface EndPlan extends ChannelPlan {
  readonly program: Program;
  /** In order of time. */
  readonly actions: readonly Action[];
}

/** A reader that stops after some events, for some time. */
export interface ReaderPlan {
  /** The chance to stop, per event. */
  readonly stall: number;
  /** Milliseconds at most. */
  readonly stallFor: number;
}

export type Action =
  | { readonly at: number; readonly do: 'write'; readonly payloadType: number; readonly length: number }
  | { readonly at: number; readonly do: 'flag'; readonly flag: PayloadFlag }
  | { readonly at: number; readonly do: 'exitCode'; readonly exitCode: number }
  | { readonly at: number; readonly do: 'resize'; readonly size: TerminalSize }
  | { readonly at: number; readonly do: 'interrupt' };

/** A socket that is gone for a while. */
export interface Outage {
  readonly side: Side;
  readonly at: number;
  readonly until: number;
}

/** A session of two hawser ends; or one with a real program at one end, which seeds that divide by eight are. */
export function scenario(seed: number): Scenario {
  const dice = new Dice(4 * seed);
  const stranger = seed % 8 === 0 ? dice.pick(['plugin', 'real agent'] as const) : 'hawser';
  const healAt = dice.magnitude(200, 8_000);
  const handshake = dice.chance(0.5);
  return {
    seed,
    handshake,
    encryption: handshake && stranger === 'hawser' ? ENCRYPTIONS[seed % ENCRYPTIONS.length]! : 'none',
    client: endPlan(dice, healAt, 'client', stranger === 'plugin' ? stranger : 'hawser'),
    agent: endPlan(dice, healAt, 'agent', stranger === 'real agent' ? stranger : 'hawser'),
    conditions: conditions(dice, stranger),
    outages: outages(dice, healAt),
    healAt,
  };
}

/** By seed, so that the dice of older seeds fall as they did. */
const ENCRYPTIONS: readonly Encryption[] = ['slow', 'none', 'sync'];

function endPlan(dice: Dice, healAt: number, side: Side, program: Program): EndPlan {
  const hawser = program === 'hawser';
  const payloadSize = hawser ? dice.pick([16, 100, 1024, 1024, 1024, 8192, 32_768]) : 1024;
  // Some frames at least, some hundreds at most.
  const bytes = dice.magnitude(1, Math.min(300 * payloadSize, 150_000));
  return {
    program,
    payloadSize,
    sendWindow: dice.magnitude(512, 1_048_576),
    sendQueue: dice.magnitude(256, 262_144),
    receiveBuffer: dice.magnitude(512, 1_048_576),
    reader:
      hawser && dice.chance(0.5)
        ? { stall: dice.fraction() * 0.2, stallFor: dice.magnitude(1, healAt) }
        : { stall: 0, stallFor: 0 },
    actions: side === 'client' ? clientActions(dice, healAt, bytes) : agentActions(dice, healAt, bytes),
  };
}

function clientActions(dice: Dice, healAt: number, bytes: number): Action[] {
  const actions: Action[] = writes(dice, healAt, bytes, [PayloadType.Output]);
  for (let count = dice.whole(0, 4); count > 0; count--) {
    const size = { cols: dice.whole(1, 300), rows: dice.whole(1, 100) };
    actions.push({ at: moment(dice, healAt), do: 'resize', size });
  }
  for (let count = dice.whole(0, 3); count > 0; count--) {
    actions.push({ at: moment(dice, healAt), do: 'interrupt' });
  }
  for (let count = dice.whole(0, 2); count > 0; count--) {
    const flag = dice.pick([PayloadFlag.DisconnectToPort, PayloadFlag.TerminateSession]);
    actions.push({ at: moment(dice, healAt), do: 'flag', flag });
  }
  return inOrder(actions);
}

function agentActions(dice: Dice, healAt: number, bytes: number): Action[] {
  // Without a handshake the agent's first output is what makes the client speak: a prompt.
  const actions: Action[] = [{ at: 0, do: 'write', payloadType: PayloadType.Output, length: 2 }];
  actions.push(...writes(dice, healAt, bytes, [PayloadType.Output, PayloadType.Output, PayloadType.StdErr]));
  if (dice.chance(0.3)) {
    actions.push({ at: moment(dice, healAt), do: 'flag', flag: PayloadFlag.ConnectToPortError });
  }
  const ordered = inOrder(actions);
  if (dice.chance(0.5)) ordered.push({ at: healAt, do: 'exitCode', exitCode: dice.whole(0, 255) });
  return ordered;
}

/** From one keystroke to a file. */
function writes(dice: Dice, healAt: number, bytes: number, payloadTypes: readonly number[]): Action[] {
  const actions: Action[] = [];
  for (let left = bytes, count = 0; left > 0 && count < 60; count++) {
    const length = Math.min(left, dice.magnitude(1, MAX_WRITE));
    left -= length;
    actions.push({ at: moment(dice, healAt), do: 'write', payloadType: dice.pick(payloadTypes), length });
  }
  return actions;
}

export function conditions(dice: Dice, stranger: Program): Conditions {
  const evil = dice.fraction() ** 2;
  const chance = (maximum: number) => (dice.chance(0.5) ? evil * maximum * dice.fraction() : 0);
  const latency = dice.chance(0.2) ? 0 : dice.magnitude(1, 300);
  return {
    latency,
    jitter: dice.chance(0.5) ? latency * 2 * dice.fraction() : 0,
    ordered: dice.chance(0.5),
    drop: chance(0.5),
    duplicate: chance(0.5),
    // The real agent verifies no digest (PROTOCOL.md section 1.9).
    corrupt: stranger === 'real agent' ? 0 : chance(0.3),
    bandwidth: dice.magnitude(20, 100_000),
    relayHold: dice.pick([0, 16_384, 262_144]),
    publication: dice.chance(0.5),
  };
}

export function outages(dice: Dice, healAt: number): Outage[] {
  const list: Outage[] = [];
  for (const side of ['client', 'agent'] as const) {
    // Either end may come first, and neither at once.
    list.push({ side, at: 0, until: dice.chance(0.5) ? 0 : moment(dice, healAt) / 4 });
    for (let count = dice.chance(0.5) ? dice.whole(0, 4) : 0; count > 0; count--) {
      const at = moment(dice, healAt);
      list.push({ side, at, until: Math.min(healAt, at + dice.magnitude(1, healAt)) });
    }
  }
  return list;
}

export function moment(dice: Dice, healAt: number): number {
  return Math.floor(dice.fraction() * healAt);
}

function inOrder(actions: Action[]): Action[] {
  return actions.sort((a, b) => a.at - b.at);
}
