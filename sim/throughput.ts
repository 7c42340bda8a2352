import { PayloadType } from '../src/channel/constants.ts';
import { FRAME_OVERHEAD } from '../src/channel/message.ts';
import { MAX_WRITE } from './ledger.ts';
import type { Loss } from './network.ts';
import type { Action, EndPlan, Program } from './scenario.ts';
import { simulate } from './simulation.ts';

export interface StreamOptions {
  /** Milliseconds, there and back. */
  readonly roundTrip: number;
  /** The chance of a frame to be lost, either way. */
  readonly loss: number;
  /** Bytes of frames. */
  readonly window: number;
  readonly payloadSize: number;
  /** Bytes that the agent sends. */
  readonly bytes: number;
  readonly seed?: number;
  /** Who reads. Default `hawser`. */
  readonly client?: Program;
  readonly lose?: Loss;
}

export interface StreamOutcome {
  /** Milliseconds until everything had arrived. */
  readonly time: number;
  /** Bytes per millisecond. */
  readonly rate: number;
  /** What one window per round trip allows. */
  readonly allowed: number;
  readonly retransmissions: number;
}

/** An agent that sends as fast as it may to a client that reads at once, over a network whose only limit is the window. */
export function stream(options: StreamOptions): StreamOutcome {
  const { roundTrip, loss, window, payloadSize, bytes, seed = 1, client = 'hawser', lose } = options;
  const outcome = simulate(
    {
      seed,
      handshake: false,
      encryption: 'none',
      client: endPlan({ program: client }),
      agent: endPlan({ payloadSize, sendWindow: window, actions: writes(bytes) }),
      conditions: {
        latency: roundTrip / 2,
        jitter: 0,
        ordered: true,
        drop: loss,
        duplicate: 0,
        corrupt: 0,
        bandwidth: 1_000_000,
        relayHold: 0,
        publication: false,
      },
      outages: (['client', 'agent'] as const).map((side) => ({ side, at: 0, until: 0 })),
      healAt: 600_000,
    },
    lose,
  );
  const { settledAt: time, retransmissions } = outcome;
  // The last frame may reach over the edge of the window.
  const frames = Math.ceil(window / (FRAME_OVERHEAD + payloadSize));
  return { time, rate: bytes / time, allowed: (frames * payloadSize) / roundTrip, retransmissions };
}

function endPlan(changes: Partial<EndPlan>): EndPlan {
  return {
    program: 'hawser',
    payloadSize: 1024,
    sendWindow: 1_048_576,
    sendQueue: 262_144,
    receiveBuffer: 1_048_576,
    reader: { stall: 0, stallFor: 0 },
    actions: [],
    ...changes,
  };
}

function writes(bytes: number): Action[] {
  const actions: Action[] = [];
  for (let left = bytes; left > 0; left -= MAX_WRITE) {
    actions.push({ at: 0, do: 'write', payloadType: PayloadType.Output, length: Math.min(left, MAX_WRITE) });
  }
  return actions;
}
