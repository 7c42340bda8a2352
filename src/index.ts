/**
 * `hawser`: AWS Systems Manager Session Manager sessions from TypeScript.
 *
 * @module
 */
export type { CancelTimer, Clock } from './base/clock.ts';
export { HawserError } from './base/error.ts';
export type { RandomSource } from './base/random.ts';
export {
  MessageError,
  type MessageErrorCode,
  PayloadFlag,
  type ReadyEvent,
  type TerminalSize,
} from './channel/index.ts';
export {
  AccessDeniedError,
  type AttachOptions,
  attach,
  type CallSignal,
  type ConnectionStatus,
  type ConnectOptions,
  CredentialsRefusedError,
  type DescribeSessionsInput,
  type DescribeSessionsOptions,
  defaultPlatform,
  EndpointError,
  type EndpointErrorCode,
  type EndpointVariant,
  InvalidDocumentError,
  type Platform,
  type Reconnecting,
  type ResumeAnswer,
  ServiceError,
  type ServiceErrorDetails,
  Session,
  type SessionAccess,
  SessionClient,
  type SessionClientOptions,
  type SessionDescription,
  type SessionEnd,
  type SessionEndReason,
  SessionError,
  type SessionErrorCode,
  type SessionEvents,
  type SessionFilters,
  SessionNotFoundError,
  type SessionOptions,
  type SessionState,
  type SessionStatus,
  type Socket,
  type SocketHandler,
  type StartSessionInput,
  type StartSessionOptions,
  TargetNotConnectedError,
  ThrottledError,
  type Transport,
  TransportError,
  type TransportErrorCode,
  type WebSocketLike,
  webSocketSocket,
} from './core/index.ts';
export { type CredentialProvider, type Credentials, CredentialsError } from './crypto/credentials.ts';
export type { PayloadDigest } from './crypto/digest.ts';
