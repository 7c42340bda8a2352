import type { AccessRequestStatus } from './access-request-record.ts';
import type { EndReason, SessionStatus } from './session-record.ts';

/**
 * What the service tells its host, for audit and logs. Times are milliseconds since the epoch. Events carry no
 * token, no credential and no session data.
 */
export type ServiceEvent =
  /** A session changed its status. `endReason` comes with the last change, or the one that ends it. */
  | {
      readonly type: 'session';
      readonly time: number;
      readonly sessionId: string;
      readonly target: string;
      /** ARN of who started it. */
      readonly owner: string;
      readonly documentName: string;
      /** Absent when the session was just started. */
      readonly previousStatus?: SessionStatus;
      readonly status: SessionStatus;
      readonly endReason?: EndReason;
    }
  /** An API call was answered. */
  | {
      readonly type: 'call';
      readonly time: number;
      readonly requestId: string;
      /** Absent when the request did not get so far. */
      readonly operation?: string;
      /** ARN of the caller, when the signature was good. */
      readonly caller?: string;
      /** For example `AccessDeniedException`. Absent for success. */
      readonly errorCode?: string;
    }
  /** A managed node opened or lost its control channel. */
  | { readonly type: 'node'; readonly time: number; readonly id: string; readonly connected: boolean }
  /** A machine registered itself as managed node with an activation. */
  | {
      readonly type: 'activation';
      readonly time: number;
      readonly activationId: string;
      /** Of the new node. */
      readonly id: string;
      /** How often it has been used by now, and may be used. */
      readonly registrations: number;
      readonly registrationLimit: number;
    }
  /** A managed node came to be by an activation, or was deregistered. */
  | {
      readonly type: 'registration';
      readonly time: number;
      readonly id: string;
      readonly registered: boolean;
    }
  /** A hybrid node was given temporary credentials. */
  | {
      readonly type: 'roleToken';
      readonly time: number;
      readonly id: string;
      readonly accessKeyId: string;
      readonly expires: number;
    }
  /** A hybrid node used a new key for the first time: the one before is good no more. */
  | { readonly type: 'nodeKey'; readonly time: number; readonly id: string }
  /** Somebody asked for access to nodes, or that was decided. */
  | {
      readonly type: 'accessRequest';
      readonly time: number;
      readonly accessRequestId: string;
      /** ARN of who asked. */
      readonly requester: string;
      readonly targets: readonly string[];
      readonly status: AccessRequestStatus;
    }
  /** Something in the service itself broke: the store, a hook, a bug. Callers only learn that it did. */
  | { readonly type: 'error'; readonly time: number; readonly error: unknown };
