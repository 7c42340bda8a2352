/** Temporary credentials of a managed node. In clear: whoever checks a SigV4 signature must know the secret. */
export interface RoleCredentialsRecord {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly instanceId: string;
  /** What they act as. */
  readonly iamRole: string;
  /** Milliseconds since the epoch. */
  readonly issued: number;
  /** Milliseconds since the epoch; good before that time. */
  readonly expires: number;
}
