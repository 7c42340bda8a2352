/**
 * The protocol core: AgentMessage codec, payloads, and the data channel as a state machine without IO.
 *
 * @module
 */

export type { AgentHandshakeOptions, SessionEncryption } from './agent-handshake.ts';
export {
  AGENT_VERSION,
  CLIENT_VERSION,
  MessageFlags,
  MessageType,
  PayloadFlag,
  PayloadType,
} from './constants.ts';
export { DataChannel } from './data-channel.ts';
export type { ChannelEncryption, ChannelStats, DataChannelOptions } from './data-channel-options.ts';
export { decodeMessage, peekMessageType } from './decode.ts';
export { encodeMessage, frameLength, type MessageFields } from './encode.ts';
export { EncryptionError, type EncryptionErrorCode } from './encryption/error.ts';
export { MessageError, type MessageErrorCode } from './error.ts';
export type { ChannelEvent, DataKeyEvent, ReadyEvent } from './events.ts';
export { type AgentMessage, FRAME_OVERHEAD, HEADER_LENGTH, SHORT_HEADER_LENGTH } from './message.ts';
export { type Acknowledge, formatAcknowledge, parseAcknowledge } from './payload/acknowledge.ts';
export { type ChannelClosed, formatChannelClosed, parseChannelClosed } from './payload/channel-closed.ts';
export {
  formatEncryptionChallenge,
  type KmsEncryptionRequest,
  type KmsEncryptionResponse,
  kmsEncryptionRequest,
  kmsEncryptionResponse,
  parseEncryptionChallenge,
  parseKmsEncryptionRequest,
  parseKmsEncryptionResponse,
} from './payload/encryption.ts';
export {
  ActionStatus,
  type ClientAction,
  ClientActionType,
  formatHandshakeComplete,
  formatHandshakeRequest,
  formatHandshakeResponse,
  type HandshakeComplete,
  type HandshakeExtensions,
  type HandshakeRequest,
  type HandshakeResponse,
  type ProcessedClientAction,
  parseHandshakeComplete,
  parseHandshakeRequest,
  parseHandshakeResponse,
  parseSessionTypeParameters,
  type SessionTypeParameters,
} from './payload/handshake.ts';
export {
  type AgentJob,
  type AgentJobAck,
  type AgentJobReply,
  type AgentJobReplyAck,
  formatAgentJob,
  formatAgentJobAck,
  formatAgentJobReply,
  formatAgentJobReplyAck,
  parseAgentJob,
  parseAgentJobAck,
  parseAgentJobReply,
  parseAgentJobReplyAck,
} from './payload/job.ts';
export {
  formatOpenControlChannel,
  formatOpenDataChannel,
  type OpenControlChannel,
  type OpenDataChannel,
  parseOpenControlChannel,
  parseOpenDataChannel,
} from './payload/open-channel.ts';
export { formatPublication, type Publication, parsePublication } from './payload/publication.ts';
export {
  type AgentSessionState,
  formatSessionState,
  parseSessionState,
  type SessionState,
} from './payload/session-state.ts';
export {
  type AgentTaskAcknowledge,
  type AgentTaskComplete,
  formatAgentTaskAcknowledge,
  formatAgentTaskComplete,
  formatStartSessionTask,
  parseAgentTaskAcknowledge,
  parseAgentTaskComplete,
  parseStartSessionTask,
  type StartSessionTask,
} from './payload/task.ts';
export {
  formatExitCode,
  formatFlag,
  formatSize,
  isTerminalSize,
  parseExitCode,
  parseFlag,
  parseSize,
  type TerminalSize,
} from './payload/terminal.ts';
export {
  SmuxError,
  type SmuxErrorCode,
  type SmuxEvent,
  type SmuxReset,
  SmuxSession,
  type SmuxSessionOptions,
} from './smux/index.ts';
