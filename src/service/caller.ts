import type { Policy, Principal } from '../policy/index.ts';
import type { ConnectionInfo } from './connection.ts';
import type { CallerRecord } from './options.ts';

/** Who calls, and with which credentials: all that policies are asked with. */
export interface Caller {
  readonly principal: Principal;
  /** Absent where nobody signed with one. */
  readonly accessKeyId?: string;
  /** The managed node whose agent calls, if one does. */
  readonly targetId?: string;
  /** What the credentials are limited to: one policy of each list must allow. */
  readonly sessionPolicies: readonly (readonly Policy<'session'>[])[];
  /** Milliseconds since the epoch; of temporary credentials. */
  readonly issued?: number;
  /** Absent where nobody knows, as with long-term keys. */
  readonly mfa?: boolean;
  /** They were given for a request for access that was approved. */
  readonly access?: ApprovedAccess;
  readonly connection: ConnectionInfo;
}

/** Somebody approved a request for access. */
export interface ApprovedAccess {
  readonly accessRequestId: string;
  /** What the approval allows, in the place of an identity-based policy. */
  readonly grant: Policy<'identity'>;
}

/** A caller without its connection: what follows from the credentials alone. */
export type Credentialed = Omit<Caller, 'connection'>;

/** Somebody with an access key. */
export function credentialed(
  accessKeyId: string | undefined,
  { principal, targetId, sessionPolicies, issued, mfaAuthenticated }: Omit<CallerRecord, 'secretAccessKey'>,
): Credentialed {
  return {
    principal,
    ...(accessKeyId !== undefined && { accessKeyId }),
    ...(targetId !== undefined && { targetId }),
    sessionPolicies: sessionPolicies ? [sessionPolicies] : [],
    ...(issued && { issued: issued.getTime() }),
    ...(mfaAuthenticated !== undefined && { mfa: mfaAuthenticated }),
  };
}
