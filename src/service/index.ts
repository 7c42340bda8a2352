/**
 * `hawser/service`: Session Manager as a service, to embed.
 *
 * @module
 */
export type {
  DocumentParameter,
  ParameterType,
  SessionDocument,
} from '../core/documents/session-document.ts';
export type {
  AccessCredentials,
  AccessDecision,
  AccessRequest,
  AccessRequestRecord,
  AccessRequestStatus,
} from './access-request-record.ts';
export type { ActivationRecord, Registration } from './activation-record.ts';
export type { Bus, BusMessage, BusSignal, Side } from './bus.ts';
export type { ConnectionInfo } from './connection.ts';
export type {
  DocumentContentRecord,
  DocumentFormat,
  DocumentRecord,
  DocumentVersionRecord,
  SharedVersion,
} from './document-record.ts';
export type { DocumentRegistration } from './documents.ts';
export type { ServiceEvent } from './event.ts';
export type {
  AccessKeyDocument,
  FederatedUserDocument,
  GroupDocument,
  IamDocument,
  PolicySource,
  RoleDocument,
  RoleSessionDocument,
  TagDocument,
  UserDocument,
} from './iam/document.ts';
export { IamDirectoryError, type IamDirectoryProblem } from './iam/error.ts';
export { type IamDirectory, iamDirectory } from './iam/iam-directory.ts';
export { memoryBus } from './memory-bus.ts';
export { memoryStore } from './memory-store.ts';
export type { NodeInformation, NodeRecord, NodeRegistration, SourceType } from './node-record.ts';
export type { Target, TargetRegistration } from './nodes.ts';
export type {
  CallerRecord,
  ServiceLimits,
  ServiceTimers,
  SessionManagerServiceOptions,
} from './options.ts';
export type { ParameterStore, StoredParameter } from './parameter-store.ts';
export { AWS_RATES, type ServiceRates } from './rates.ts';
export type { RoleCredentialsRecord } from './role-credentials-record.ts';
export { type CloseOptions, SessionManagerService } from './service.ts';
export type {
  EndReason,
  SessionOutput,
  SessionOwner,
  SessionRecord,
  SessionStatus,
  SideRecord,
} from './session-record.ts';
export type { SettingRecord } from './setting-record.ts';
export type { ActivationTier } from './settings.ts';
export type { StartPermission } from './start-decisions.ts';
export { type Entry, RECORD_KINDS, type RecordKind, type RecordStore, type Store, storeOf } from './store.ts';
export type { TokenRecord } from './token.ts';
