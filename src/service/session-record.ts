import type { ParameterValues } from '../core/documents/parameters.ts';
import type { SessionDocument } from '../core/documents/session-document.ts';
import type { Side } from './bus.ts';
import type { ConnectionInfo } from './connection.ts';
import type { TokenRecord } from './token.ts';

/** CONTROL-PLANE.md section 4.1. `Terminated` and `Failed` are final. */
export type SessionStatus =
  | 'Connecting'
  | 'Connected'
  | 'Disconnected'
  | 'Terminating'
  | 'Terminated'
  | 'Failed';

/** Why a session ended (CONTROL-PLANE.md section 4.1). Sent to clients as `EndReason` of `channel_closed`. */
export type EndReason =
  /** TerminateSession was called. */
  | 'UserTerminated'
  /** The client asked the agent to end, with the TerminateSession flag. */
  | 'ClientEnded'
  /** The shell or command on the node ended by itself. */
  | 'CommandExited'
  /** No stream data for the idle timeout. */
  | 'IdleTimeout'
  | 'MaxDuration'
  /** Agent or client did not open their data channel in time. */
  | 'ConnectTimeout'
  /** The client was away, and did not resume before the idle timeout. */
  | 'ResumeWindow'
  /** The agent lost its data channel and did not come back. */
  | 'TargetDisconnected'
  /** The agent reported a failure. */
  | 'AgentFailure'
  | 'ServiceShutdown'
  /** Its owner may no longer start it, or the owner's credentials are good no more. */
  | 'AccessRevoked';

/** Everything the service knows of a session. Times are milliseconds since the epoch. */
export interface SessionRecord {
  readonly sessionId: string;
  readonly target: string;
  readonly owner: SessionOwner;
  /** The request for access that was approved for it. */
  readonly accessRequestId?: string;
  readonly documentName: string;
  /** Whether the owner named the document. Absent in records from before that was kept: then it was named. */
  readonly documentNamed?: boolean;
  readonly documentContent: SessionDocument;
  /** Those that were given, as the agent takes them. */
  readonly parameters: ParameterValues;
  readonly reason?: string;
  /** The user of the operating system that the owner's tag names; empty without one. */
  readonly runAsUser: string;
  readonly startDate: number;
  /** Milliseconds without stream data after which it ends. */
  readonly idleTimeout: number;
  /** Milliseconds after `startDate` at which it ends, whatever happens. */
  readonly maxDuration?: number;

  readonly status: SessionStatus;
  readonly endDate?: number;
  readonly endReason?: EndReason;
  /** For people: the agent's own words, or why the service ended it. */
  readonly details?: string;
  /** Of the shell or command, when the agent reported it. */
  readonly exitCode?: number;
  /** Where the agent put the session log, if it did. */
  readonly output?: SessionOutput;

  readonly client: SideRecord;
  readonly agent: SideRecord;
  /** The agent said `Connected` on its data channel. */
  readonly agentReady: boolean;
  /** The client sent the TerminateSession flag. */
  readonly clientEnded: boolean;
  /** The agent's completion has been recorded. */
  readonly completed: boolean;
  /** The service ended the session, rather than the agent: the ends are told at once. */
  readonly cancelled: boolean;
  /** When it became `Terminating`. */
  readonly terminatingAt?: number;
  /** When stream data passed, noted when that is a tenth of `idleTimeout` later than what is noted. Default `startDate`. */
  readonly lastActivity?: number;
}

/** Who started it, or holds its client's channel, and how to ask again whether they may. */
export interface SessionOwner {
  readonly arn: string;
  /** `aws:userid` */
  readonly userId: string;
  /** With which they started it, or resumed it last. */
  readonly accessKeyId?: string;
  /** From where. */
  readonly connection?: ConnectionInfo;
}

/** As the agent reported it. A member is empty where it put none. */
export interface SessionOutput {
  readonly s3Bucket: string;
  readonly s3Key: string;
  readonly logGroup: string;
  readonly logStream: string;
}

/** One end of a session. */
export interface SideRecord {
  /** Opens the data channel once. */
  readonly token?: TokenRecord | undefined;
  /** Id of the open data channel. */
  readonly channel?: string | undefined;
  /** Who was given the token that opened it, of a client's. */
  readonly holder?: SessionOwner | undefined;
  /** When its data channel was lost, if it was and has not come back. */
  readonly lostAt?: number | undefined;
}

/** `Terminated` or `Failed`: nothing changes any more. */
export function isOver({ status }: SessionRecord): boolean {
  return status === 'Terminated' || status === 'Failed';
}

/** The record with some members of one side changed. */
export function withSide(record: SessionRecord, side: Side, members: SideRecord): SessionRecord {
  return { ...record, [side]: { ...record[side], ...members } };
}
