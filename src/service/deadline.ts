import type { EndReason, SessionRecord } from './session-record.ts';
import { isOver } from './session-record.ts';

/** When a session ends unless something happens, and as what. */
export interface Deadline {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** `grace`: the agent has not reported the end in time. */
  readonly reason: EndReason | 'grace';
}

/** Milliseconds; see `ServiceTimers`. */
export interface DeadlineTimers {
  readonly connect: number;
  readonly agentLost: number;
  readonly terminateGrace: number;
}

/** The timers of CONTROL-PLANE.md section 4.3 that run for a session: the first to expire. */
export function nextDeadline(
  record: SessionRecord,
  lastActivity: number,
  timers: DeadlineTimers,
): Deadline | undefined {
  if (isOver(record)) return undefined;
  if (record.status === 'Terminating') {
    return { at: (record.terminatingAt ?? record.startDate) + timers.terminateGrace, reason: 'grace' };
  }
  const deadlines: Deadline[] = [];
  if (record.status === 'Connecting') {
    deadlines.push({ at: record.startDate + timers.connect, reason: 'ConnectTimeout' });
  } else {
    const away = record.status === 'Disconnected';
    deadlines.push({ at: lastActivity + record.idleTimeout, reason: away ? 'ResumeWindow' : 'IdleTimeout' });
    const { lostAt } = record.agent;
    if (lostAt !== undefined) deadlines.push({ at: lostAt + timers.agentLost, reason: 'TargetDisconnected' });
  }
  if (record.maxDuration !== undefined) {
    deadlines.push({ at: record.startDate + record.maxDuration, reason: 'MaxDuration' });
  }
  return deadlines.reduce((first, other) => (other.at < first.at ? other : first));
}
