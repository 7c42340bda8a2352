import type { ConnectionInfo } from './connection.ts';

export type AccessDecision = 'Approved' | 'Rejected';

/** As GetAccessToken tells it (CONTROL-PLANE.md section 2.9). */
export type AccessRequestStatus = AccessDecision | 'Pending' | 'Revoked' | 'Expired';

/** Somebody asks for access to nodes, for a while. Times are milliseconds since the epoch. */
export interface AccessRequest {
  /** `oi-0123456789ab` */
  readonly accessRequestId: string;
  /** The words of who asks. */
  readonly reason: string;
  /** Ids of managed nodes. */
  readonly targets: readonly string[];
  /** ARN of who asks. */
  readonly requester: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly created: number;
  /** When it is too late to decide. */
  readonly expires: number;
}

/** What is kept of it. Once access has been taken it holds a secret, as whoever checks a SigV4 signature needs it. */
export interface AccessRequestRecord extends Omit<AccessRequest, 'requester'> {
  readonly requester: {
    readonly arn: string;
    readonly userId: string;
    readonly accessKeyId: string;
    readonly connection: ConnectionInfo;
  };
  readonly status: AccessRequestStatus;
  /** When it was approved, and until when that gives access. */
  readonly decided?: number;
  readonly accessUntil?: number;
  readonly credentials?: AccessCredentials;
}

export interface AccessCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly issued: number;
}
