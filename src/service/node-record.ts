import type { TokenRecord } from './token.ts';

/** A managed node that was registered with the service. */
export interface NodeRecord {
  /** `mi-…`, `i-…`, or any other id of 1 to 400 characters (CONTROL-PLANE.md section 5.1). */
  readonly id: string;
  /** For policies: `ssm:resourceTag/<key>`. */
  readonly tags: Readonly<Record<string, string>>;
  /** What the agent said of itself when it connected last. */
  readonly agentVersion?: string;
  readonly platformType?: string;
  /** Opens the control channel once. */
  readonly token?: TokenRecord | undefined;
  /** Id of the open control channel. */
  readonly channel?: string | undefined;
}
