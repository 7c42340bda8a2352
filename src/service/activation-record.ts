import type { TokenRecord } from './token.ts';

/** An activation: what lets machines register themselves as managed nodes (CONTROL-PLANE.md section 2.8). */
export interface ActivationRecord {
  /** A lower-case UUID. */
  readonly activationId: string;
  /** The activation code, hashed, and when it expires. */
  readonly code: TokenRecord;
  /** The role of its nodes. */
  readonly iamRole: string;
  readonly description?: string;
  /** The name of its nodes. */
  readonly defaultInstanceName?: string;
  /** Of its nodes. */
  readonly tags: Readonly<Record<string, string>>;
  /** 1 to 1000. */
  readonly registrationLimit: number;
  /** The nodes that it made, those deregistered since included. */
  readonly registrations: readonly Registration[];
  /** Milliseconds since the epoch. */
  readonly createdDate: number;
}

/** One use of an activation. */
export interface Registration {
  readonly instanceId: string;
  /**
   * SHA-256 of what registered, in hex: a machine whose answer was lost asks again, and is given the same id. Absent
   * when the node has been deregistered.
   */
  readonly machine?: string;
}
