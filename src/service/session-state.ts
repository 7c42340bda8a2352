import type { Side } from './bus.ts';
import type { EndReason, SessionOutput, SessionRecord, SessionStatus, SideRecord } from './session-record.ts';
import { isOver, withSide } from './session-record.ts';

/**
 * The states of a session (CONTROL-PLANE.md section 4.1), as pure functions from record to record. `undefined`
 * says that nothing changes: a late, repeated or stale report.
 */
type Next = SessionRecord | undefined;

/** A data channel was opened, and takes the place of the one before it. */
export function channelOpened(record: SessionRecord, side: Side, channel: string): SessionRecord {
  const { holder } = record[side].token ?? {};
  return connected(withSide(record, side, { token: undefined, channel, holder, lostAt: undefined }));
}

export function channelClosed(record: SessionRecord, side: Side, channel: string, now: number): Next {
  if (record[side].channel !== channel) return undefined;
  return connected(withSide(record, side, { channel: undefined, lostAt: now }));
}

/**
 * The service came back after its process had ended, and every channel with it. What either end had to do by a time it
 * could not do meanwhile, so that time begins again.
 */
export function serviceResumed(record: SessionRecord, now: number): Next {
  if (isOver(record)) return undefined;
  const lost = ({ channel, lostAt }: SideRecord): SideRecord =>
    channel === undefined && lostAt === undefined ? {} : { channel: undefined, lostAt: now };
  const alone = withSide(withSide(record, 'client', lost(record.client)), 'agent', lost(record.agent));
  return connected(record.status === 'Terminating' ? { ...alone, terminatingAt: now } : alone);
}

/** Stream data passed at this time. */
export function active(record: SessionRecord, at: number): Next {
  return isOver(record) || at <= (record.lastActivity ?? record.startDate)
    ? undefined
    : { ...record, lastActivity: at };
}

/** `agent_session_state`. */
export function agentReported(record: SessionRecord, state: string, now: number): Next {
  if (isOver(record) || record.status === 'Terminating') return undefined;
  if (state === 'Connected')
    return record.agentReady ? undefined : connected({ ...record, agentReady: true });
  if (state === 'Terminating') return { ...record, status: 'Terminating', terminatingAt: now };
  return undefined;
}

/** The client sent the TerminateSession flag; the agent will end the session. */
export function clientEnded(record: SessionRecord): Next {
  return isOver(record) || record.clientEnded ? undefined : { ...record, clientEnded: true };
}

/** From `agent_task_complete`. */
export interface Completion {
  /** `Success`, `Failed`, `Cancelled`, `TimedOut`. */
  readonly finalTaskStatus: string;
  readonly output: string;
  readonly exitCode?: number;
  readonly s3Bucket: string;
  readonly s3UrlSuffix: string;
  readonly cwlGroup: string;
  readonly cwlStream: string;
}

export function completed(record: SessionRecord, completion: Completion, now: number): Next {
  if (record.completed) return undefined;
  const { finalTaskStatus, output: words, exitCode } = completion;
  const output = sessionOutput(completion);
  const told = {
    ...record,
    completed: true,
    ...(exitCode !== undefined && { exitCode }),
    ...(output && { output }),
  };
  if (isOver(record)) return told;
  // A command that was cancelled counts as failed with some agents; here it did what it was told.
  const failed = !record.cancelled && finalTaskStatus !== 'Success' && finalTaskStatus !== 'Cancelled';
  const details = record.details ?? words;
  return over(
    { ...told, ...(details !== '' && { details }) },
    failed ? 'Failed' : 'Terminated',
    failed ? 'AgentFailure' : endedByItself(record),
    now,
  );
}

/** `undefined` where there is no log, or its place has a name longer than the API could say. */
function sessionOutput({
  s3Bucket,
  s3UrlSuffix,
  cwlGroup,
  cwlStream,
}: Completion): SessionOutput | undefined {
  const output = { s3Bucket, s3Key: s3UrlSuffix, logGroup: cwlGroup, logStream: cwlStream };
  const length = Object.values(output).join('').length;
  return length === 0 || length > MAX_OUTPUT ? undefined : output;
}

/** Characters: of an output URL in the API model. */
const MAX_OUTPUT = 2083;

/** A timer of the session has run out. Nothing happens when the session has left the state it was for. */
export function expired(record: SessionRecord, reason: EndReason | 'grace', now: number): Next {
  switch (reason) {
    case 'grace':
      if (record.status !== 'Terminating') return undefined;
      return over(record, 'Terminated', endedByItself(record), now);
    case 'ConnectTimeout':
      return record.status === 'Connecting' ? cancelled(record, reason, now) : undefined;
    case 'ResumeWindow':
      return record.status === 'Disconnected' ? cancelled(record, reason, now) : undefined;
    case 'TargetDisconnected':
      return record.agent.lostAt !== undefined ? cancelled(record, reason, now) : undefined;
    default:
      return cancelled(record, reason, now);
  }
}

/** The service ends the session. Where the agent is likely to be there, it has a while to report the end. */
export function cancelled(record: SessionRecord, reason: EndReason, now: number): Next {
  if (isOver(record) || (record.cancelled && reason !== 'ServiceShutdown')) return undefined;
  const details = record.details ?? CANCEL_DETAILS[reason];
  const next = { ...record, cancelled: true, ...(details && { details }) };
  if (reason === 'ConnectTimeout' || reason === 'TargetDisconnected')
    return over(next, 'Failed', reason, now);
  if (reason === 'ServiceShutdown') return over(next, 'Terminated', reason, now);
  return {
    ...next,
    status: 'Terminating',
    terminatingAt: record.terminatingAt ?? now,
    endReason: record.endReason ?? reason,
  };
}

/** What clients show to people. The first text is AWS's (PROTOCOL.md section 5, life cycle); those that are absent stay empty, as AWS's. */
const CANCEL_DETAILS: Readonly<Partial<Record<EndReason, string>>> = {
  IdleTimeout: 'Your session timed out due to inactivity and has been terminated.',
  ResumeWindow: 'Your session was not resumed in time and has been terminated.',
  MaxDuration: 'Your session reached its maximum duration and has been terminated.',
  ConnectTimeout: 'The managed node or the client did not connect to the session in time.',
  TargetDisconnected: 'The managed node lost its connection to the session and did not come back.',
  AccessRevoked: 'Your access has ended, and your session has been terminated.',
  ServiceShutdown: 'The service is shutting down.',
};

/** The status that follows from the channels, in a session that has not begun to end. */
function connected(record: SessionRecord): SessionRecord {
  if (isOver(record) || record.status === 'Terminating') return record;
  const clientThere = record.client.channel !== undefined;
  if (record.status === 'Connecting') {
    return clientThere && record.agentReady ? { ...record, status: 'Connected' } : record;
  }
  return { ...record, status: clientThere ? 'Connected' : 'Disconnected' };
}

function over(record: SessionRecord, status: SessionStatus, reason: EndReason, now: number): SessionRecord {
  const { token, ...agent } = record.agent;
  return {
    ...record,
    status,
    endReason: record.endReason ?? reason,
    endDate: now,
    // One that has asked for a token has the session, and may have to be told of its end.
    agent: token && agent.channel === undefined ? { ...agent, lostAt: agent.lostAt ?? now } : agent,
  };
}

function endedByItself(record: SessionRecord): EndReason {
  return record.clientEnded ? 'ClientEnded' : 'CommandExited';
}
