import type { ChannelStats } from '../src/channel/data-channel-options.ts';
import type { ChannelPlan } from './scenario.ts';

/** The documented bounds of `DataChannelOptions`, plus the one message that may always pass. Bytes. */
export interface Limits {
  readonly queued: number;
  readonly unacknowledged: number;
  readonly received: number;
  /** Taken from one application and not given to the other. */
  readonly accepted: number;
}

export function limitsOf(plan: ChannelPlan, peer: ChannelPlan): Limits {
  const message = Math.max(plan.payloadSize, peer.payloadSize) + 256;
  const flags = 64;
  // Messages that seem never to be acknowledged again may fill the window once more.
  const window = plan.sendWindow + Math.max(plan.sendWindow, 65_536) + message;
  return {
    queued: plan.sendQueue + flags,
    unacknowledged: window,
    received: 4 * plan.receiveBuffer + message,
    // What the peer's driver has been acknowledged but not polled is in its receive buffer.
    accepted: plan.sendQueue + window + 4 * peer.receiveBuffer + message,
  };
}

export function checkStats(stats: ChannelStats, { queued, unacknowledged, received }: Limits): void {
  bounded('queuedBytes', stats.queuedBytes, queued);
  bounded('unacknowledgedBytes', stats.unacknowledgedBytes, unacknowledged);
  bounded('receivedBytes', stats.receivedBytes, received);
}

export function bounded(what: string, value: number, limit: number): void {
  if (value > limit) throw new Error(`${what} is ${value}, its bound is ${limit}`);
}
