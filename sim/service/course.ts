import type { ServiceLimits, ServiceTimers } from '../../src/service/options.ts';
import { Dice } from '../dice.ts';
import type { ApplicationPlan } from './application.ts';

/** Bytes written so many milliseconds after the application started. */
export interface Write {
  readonly at: number;
  readonly length: number;
}

/** Which sockets: `control` and `agent` are the node's two channels, the networks all of a machine. */
export type Victim = 'client' | 'agent' | 'control' | 'client network' | 'node network';

/** Sockets that break, so many milliseconds after the session was asked for. */
export interface Interruption {
  readonly at: number;
  readonly victim: Victim;
  /** Milliseconds for which nothing gets through; 0: the sockets are cut, no more. */
  readonly duration: number;
}

/** What ends the session before its time. */
export type Violence =
  | 'TerminateSession'
  /** The program is killed and does not come back. */
  | 'client dies'
  | 'node dies'
  /** Nobody writes any more. */
  | 'silence'
  | 'service closes';

/** A kill -9 of the service; another one on its store takes calls `downtime` later. */
export interface Restart {
  readonly at: number;
  readonly downtime: number;
}

/** What happens in one simulated session, from its seed. Times in milliseconds. */
export interface Course extends ApplicationPlan {
  readonly seed: number;
  readonly client: 'hawser' | 'plugin';
  readonly agent: 'hawser' | 'stock';
  readonly kind: 'shell' | 'command' | 'port';
  /** Two relays over one store and one bus, rather than one. */
  readonly relays: 1 | 2;
  /** One way between a program and its relay. */
  readonly latency: number;
  /** Bytes that a socket holds before its `bufferedAmount` grows. */
  readonly capacity: number;
  readonly limits: Partial<ServiceLimits>;
  readonly timers: Partial<ServiceTimers>;
  readonly interruptions: readonly Interruption[];
  /** A period in which the agent's data channels are accepted and closed at once. */
  readonly closing: { readonly at: number; readonly duration: number } | undefined;
  /** Counts of frames sent to the client after which its connection is cut, while some are under way. */
  readonly cutClientAfter: readonly number[];
  /** Control messages after which the control channel breaks, before they arrive: each once. */
  readonly lostControl: readonly string[];
  /** How often a control message comes twice. */
  readonly doubled: number;
  /** How often an upgrade takes longer than a short-lived token lives. */
  readonly slowUpgrade: number;
  /** Milliseconds at most for which one end of a cut connection does not notice. */
  readonly unnoticed: number;
  /** See `StockStreamOptions.lateBuffer`. */
  readonly lateBuffer: number;
  readonly violence: { readonly at: number; readonly what: Violence } | undefined;
  /** Of a service that is alone. */
  readonly restarts: readonly Restart[];
}

export function course(seed: number): Course {
  const dice = new Dice(seed);
  const client = dice.chance(0.6) ? 'plugin' : 'hawser';
  const agent = dice.chance(0.6) ? 'stock' : 'hawser';
  const violent = dice.chance(0.35);
  const span = dice.magnitude(500, 5000);
  const what: Violence = dice.pick([
    'TerminateSession',
    'TerminateSession',
    'client dies',
    'node dies',
    'silence',
    'service closes',
  ]);
  const shortToken = dice.chance(0.2);
  return {
    seed,
    client,
    agent,
    kind: dice.pick(['shell', 'command', 'port']),
    relays: dice.chance(0.25) ? 2 : 1,
    latency: dice.pick([0, 0, 1, 5, dice.magnitude(1, 120)]),
    capacity: dice.pick([262_144, 16_384, 4096]),
    limits: limits(dice),
    timers: {
      token: shortToken ? 1500 : 60_000,
      open: 5000,
      connect: 60_000,
      idle: idleTimeout(client, agent, violent),
      agentLost: violent ? 15_000 : 60_000,
      terminateGrace: dice.pick([3000, 10_000]),
      stall: 10_000,
      history: 3_600_000,
    },
    input: writes(dice, span),
    output: [{ at: 0, length: dice.whole(1, 40) }, ...writes(dice, span)],
    lastWords: dice.chance(0.7) ? dice.magnitude(1, 5000) : 0,
    interruptions: interruptions(dice, span + 3000, violent),
    closing: dice.chance(0.15) ? { at: dice.whole(0, span), duration: dice.whole(50, 1000) } : undefined,
    cutClientAfter: dice.chance(0.3) ? [dice.whole(3, 10), dice.whole(11, 30)] : [],
    lostControl: CONTROL_MESSAGES.filter(() => dice.chance(0.12)),
    doubled: dice.chance(0.4) ? dice.fraction() : 0,
    slowUpgrade: shortToken ? 0.2 : 0,
    unnoticed: dice.chance(0.3) ? dice.magnitude(1, 2000) : 0,
    lateBuffer: dice.pick([0, 0.02, 0.2]),
    violence: violent ? { at: dice.whole(0, span + 2000), what } : undefined,
    restarts: [],
  };
}

/** The course of the same seed, through a service that is killed one to three times. */
export function restartCourse(seed: number): Course {
  const { violence, ...calm } = course(seed);
  const dice = new Dice(0x5eed + seed);
  const lastWrite = Math.max(0, ...[...calm.input, ...calm.output].map(({ at }) => at));
  // All together shorter than what the plugin's tries last.
  const restarts = Array.from({ length: dice.whole(1, 3) }, () => ({
    at: dice.whole(0, lastWrite + 3000),
    downtime: dice.chance(0.3) ? 0 : dice.magnitude(1, 700),
  }));
  return {
    ...calm,
    relays: 1,
    interruptions: calm.interruptions.map((interruption) => ({ ...interruption, duration: 0 })),
    violence: violence?.what === 'service closes' ? { ...violence, what: 'TerminateSession' } : violence,
    restarts: restarts.sort((a, b) => a.at - b.at),
  };
}

/** In the order of a session. */
const CONTROL_MESSAGES = [
  'interactive_shell',
  'channel_closed',
  'agent_task_complete',
  'agent_task_acknowledge',
];

/**
 * Long enough for the session to end by itself first. Hawser's agent gives its last output five minutes; an acknowledge
 * that was lost on its way from the plugin to the relay nobody gives again (PROTOCOL.md section 1.3).
 */
function idleTimeout(client: Course['client'], agent: Course['agent'], violent: boolean): number {
  if (violent) return 20_000;
  return client === 'plugin' && agent === 'hawser' ? 400_000 : 90_000;
}

/** Small enough that each acts in some sessions. */
function limits(dice: Dice): Partial<ServiceLimits> {
  const highWater = dice.pick([2048, 16_384, 262_144]);
  return {
    frame: dice.pick([2048, 8192, 1_048_576]),
    heldFrames: dice.pick([0, 2048, 16_384, 262_144]),
    highWater,
    hardBound: highWater * dice.pick([2, 4, 16]),
    openingChannels: dice.pick([3, 1000]),
    sessionsPerTarget: dice.pick([4, 1000]),
    history: dice.pick([1, 10_000]),
  };
}

/** From one keystroke to a page. */
function writes(dice: Dice, span: number): Write[] {
  const list: Write[] = [];
  for (let count = dice.whole(0, 12), left = dice.magnitude(10, 20_000); count > 0 && left > 0; count--) {
    const length = Math.min(left, dice.magnitude(1, 8000));
    left -= length;
    list.push({ at: Math.floor(dice.fraction() * span), length });
  }
  return list;
}

function interruptions(dice: Dice, span: number, violent: boolean): Interruption[] {
  const list: Interruption[] = [];
  // All together longer than two and a half seconds, and the real programs may give up (PROTOCOL.md section 5).
  let left = violent ? 15_000 : 2500;
  for (let count = dice.chance(0.2) ? 0 : dice.whole(1, 5); count > 0; count--) {
    const duration = dice.chance(0.6) ? 0 : Math.min(left, dice.magnitude(10, violent ? 15_000 : 1500));
    left -= duration;
    list.push({
      at: Math.floor(dice.fraction() * span),
      victim: dice.pick(['client', 'client', 'agent', 'agent', 'control', 'client network', 'node network']),
      duration,
    });
  }
  return list;
}
