/**
 * The Session API: what `hawser` itself exports, and what the floors above build on.
 *
 * @module
 */
export { type AttachOptions, attach } from './attach.ts';
export { ChannelDriver, type ChannelDriverHandler } from './channel-driver.ts';
export {
  type CallSignal,
  type DescribeSessionsOptions,
  type ForwardOptions,
  type ResumeSessionOptions,
  SessionClient,
  type SessionClientOptions,
  type StartForwardPoolOptions,
  type StartSessionOptions,
} from './client.ts';
export type { CopyOptions, CopyProgress } from './copy.ts';
export { CopyError, type CopyErrorCode } from './copy-error.ts';
export type { CopiedPart, CopyFromOptions, RemoteFile } from './copy-from.ts';
export type { CopiedFile, CopySource, CopyStream, CopyToOptions } from './copy-to.ts';
export { DocumentError, type DocumentErrorCode } from './documents/error.ts';
export { parseSessionDocument } from './documents/parse.ts';
export type { DocumentParameter, ParameterType, SessionDocument } from './documents/session-document.ts';
export {
  checkStreamUrl,
  type EndpointService,
  type EndpointVariant,
  endpointOf,
  PARTITIONS,
  type Partition,
  parseEndpoint,
  partitionOf,
  type StreamHosts,
} from './endpoints.ts';
export {
  EndpointError,
  type EndpointErrorCode,
  SessionError,
  type SessionErrorCode,
  TransportError,
  type TransportErrorCode,
} from './errors.ts';
export { type ExecCommand, type ExecOptions, ExecResult, Execution } from './exec.ts';
export { ExecError, type ExecErrorCode } from './exec-error.ts';
export type { Platform } from './platform.ts';
export { type Connection, join } from './port/connection.ts';
export { PortError, type PortErrorCode } from './port/error.ts';
export { FORWARD_EXTENSIONS, Forward } from './port/forward.ts';
export { ForwardPool, type ForwardPoolOptions } from './port/forward-pool.ts';
export type { PortSessionOptions } from './port/port-session.ts';
export type { Reconnecting } from './reconnector.ts';
export type { ResumeAnswer } from './resumption.ts';
export { defaultPlatform, platformWith } from './runtime.ts';
export {
  AccessDeniedError,
  CredentialsRefusedError,
  FingerprintError,
  InvalidActivationError,
  InvalidDocumentError,
  InvalidParametersError,
  ServiceError,
  type ServiceErrorDetails,
  SessionNotFoundError,
  TargetNotConnectedError,
  ThrottledError,
} from './service-error.ts';
export {
  Session,
  type SessionEvents,
  type SessionLink,
  type SessionOptions,
  type SessionState,
} from './session.ts';
export type {
  ConnectionStatus,
  DescribeSessionsInput,
  SessionAccess,
  SessionDescription,
  SessionFilters,
  SessionStatus,
  StartSessionInput,
} from './session-api.ts';
export type { SessionEnd, SessionEndReason, ToldEnd } from './session-end.ts';
export type { ConnectOptions, Socket, SocketHandler, Transport } from './socket.ts';
export { type WebSocketLike, webSocketSocket } from './web-socket.ts';
