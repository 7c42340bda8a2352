import type { ChannelClosed } from '../channel/payload/channel-closed.ts';

/**
 * Why a session ended. hawser's own service says so; AWS's gives a text or nothing, and hawser tells what can
 * be told from that.
 */
export type SessionEndReason =
  /** The shell or the command ended. */
  | 'CommandExited'
  /** This client closed or terminated it. */
  | 'ClientEnded'
  /** Somebody called TerminateSession. */
  | 'UserTerminated'
  | 'IdleTimeout'
  | 'MaxDuration'
  /** The agent or the client never connected. */
  | 'ConnectTimeout'
  /** The client was away for too long. */
  | 'ResumeWindow'
  /** The managed node lost its connection to the service. */
  | 'TargetDisconnected'
  /** The agent could not start the session, or failed in it. `message` says how. */
  | 'AgentFailure'
  | 'ServiceShutdown'
  /** Whoever started it may do so no more. Service of hawser only. */
  | 'AccessRevoked'
  /** This client lost its connection and could not resume in time. */
  | 'ConnectionLost'
  /** The handshake failed, or the other end fell silent. */
  | 'ChannelFailed'
  /**
   * The session had to be encrypted and could not be, or something between client and node tampered with it. `error` is
   * an `EncryptionError` that says which.
   */
  | 'EncryptionFailed'
  /** The `signal` given to the session fired. */
  | 'Aborted'
  /** It is over, and nobody said why. What AWS's service reports of a plain `exit`. */
  | 'Ended';

export interface SessionEnd {
  readonly reason: SessionEndReason;
  /**
   * Exit status of the command, where the agent reports one. AWS's agent does for NonInteractiveCommands. Of an encrypted
   * session it comes from the agent, encrypted, or not at all.
   */
  readonly exitCode?: number;
  /** For people. Empty for a plain end. */
  readonly message: string;
  readonly error?: Error;
}

/** What a service tells of an end, in `channel_closed` or to a client that comes later. */
export type ToldEnd = Pick<ChannelClosed, 'output' | 'exitCode' | 'endReason'>;

/** What a client knows of its session beside that. */
export interface EndContext {
  /** From an ExitCode payload. */
  readonly exitCode: number | undefined;
  /** Whether this client had asked for the end. */
  readonly asked: boolean;
  /** Whether the service is not to know the exit status: then it cannot tell it, and whatever it says is made up. */
  readonly secret: boolean;
}

/** What it means. */
export function endOf(closed: ToldEnd, { exitCode, asked, secret }: EndContext): SessionEnd {
  const status = secret ? exitCode : (closed.exitCode ?? exitCode);
  return {
    reason: reasonOf(closed, status, asked),
    message: closed.output.trim(),
    ...(status !== undefined && { exitCode: status }),
  };
}

const SERVICE_REASONS: ReadonlySet<string> = new Set<SessionEndReason>([
  'CommandExited',
  'ClientEnded',
  'UserTerminated',
  'IdleTimeout',
  'MaxDuration',
  'ConnectTimeout',
  'ResumeWindow',
  'TargetDisconnected',
  'AgentFailure',
  'ServiceShutdown',
  'AccessRevoked',
]);

function reasonOf(closed: ToldEnd, status: number | undefined, asked: boolean): SessionEndReason {
  const { endReason = '', output } = closed;
  // The service cannot know whose TerminateSession it was.
  if (asked && (endReason === 'UserTerminated' || endReason === '') && status === undefined)
    return 'ClientEnded';
  if (SERVICE_REASONS.has(endReason)) return endReason as SessionEndReason;
  if (status !== undefined) return 'CommandExited';
  // Texts of AWS's service and agent (PROTOCOL.md section 5, CONTROL-PLANE.md section 4.4).
  if (output.includes('timed out due to inactivity')) return 'IdleTimeout';
  if (output.includes('----------ERROR-------')) return 'AgentFailure';
  return 'Ended';
}
