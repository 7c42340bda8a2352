/**
 * The words of the wire (PROTOCOL.md section 2).
 *
 * Const objects with a type of the same name instead of enums: they erase, and an unknown value from the
 * network stays a plain string or number.
 */

export const MessageType = {
  // data channel
  InputStreamData: 'input_stream_data',
  OutputStreamData: 'output_stream_data',
  Acknowledge: 'acknowledge',
  AgentSessionState: 'agent_session_state',
  StartPublication: 'start_publication',
  PausePublication: 'pause_publication',
  // both channels
  ChannelClosed: 'channel_closed',
  // control channel
  InteractiveShell: 'interactive_shell',
  AgentTaskComplete: 'agent_task_complete',
  AgentTaskAcknowledge: 'agent_task_acknowledge',
  AgentJob: 'agent_job',
  AgentJobAck: 'agent_job_ack',
  AgentJobReply: 'agent_job_reply',
  AgentJobReplyAck: 'agent_job_reply_ack',
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

export const PayloadType = {
  /** Messages that are not stream data. */
  None: 0,
  Output: 1,
  Error: 2,
  Size: 3,
  Parameter: 4,
  HandshakeRequest: 5,
  HandshakeResponse: 6,
  HandshakeComplete: 7,
  EncChallengeRequest: 8,
  EncChallengeResponse: 9,
  Flag: 10,
  StdErr: 11,
  ExitCode: 12,
} as const;
export type PayloadType = (typeof PayloadType)[keyof typeof PayloadType];

/** The 4-byte big-endian value of a {@link PayloadType.Flag} payload. */
export const PayloadFlag = {
  DisconnectToPort: 1,
  TerminateSession: 2,
  ConnectToPortError: 3,
} as const;
export type PayloadFlag = (typeof PayloadFlag)[keyof typeof PayloadFlag];

/** The header's Flags field, as the real programs set it: SYN on the agent's first stream message. */
export const MessageFlags = { None: 0, Syn: 1, Fin: 2, SynFin: 3 } as const;

/**
 * The versions that hawser's ends report, in the four parts that the real programs compare (PROTOCOL.md section
 * 7): new enough for every feature of the other side.
 */
export const CLIENT_VERSION = '1.2.707.0';
export const AGENT_VERSION = '3.3.0.0';
