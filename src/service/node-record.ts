import type { TokenRecord } from './token.ts';

/** A managed node that was registered with the service. */
export interface NodeRecord {
  /** `mi-…`, `i-…`, or any other id of 1 to 400 characters (CONTROL-PLANE.md section 5.1). */
  readonly id: string;
  /** For policies: `ssm:resourceTag/<key>`. */
  readonly tags: Readonly<Record<string, string>>;
  /** Where the machine comes from, when its id does not say. */
  readonly sourceType?: SourceType;
  /** Of a node that registered itself with an activation. */
  readonly registration?: NodeRegistration;
  /** From UpdateInstanceInformation. */
  readonly information?: NodeInformation;
  /** When UpdateInstanceInformation came last, in milliseconds since the epoch. */
  readonly lastPing?: number;
  /** What the agent said of itself when it connected last. */
  readonly agentVersion?: string;
  readonly platformType?: string;
  /** Opens the control channel once. */
  readonly token?: TokenRecord | undefined;
  /** Id of the open control channel. */
  readonly channel?: string | undefined;
}

export type SourceType = 'AWS::EC2::Instance' | 'AWS::IoT::Thing' | 'AWS::SSM::ManagedInstance';

/** What makes a hybrid node of a machine (CONTROL-PLANE.md section 2.8). */
export interface NodeRegistration {
  readonly activationId: string;
  /** The role that its credentials act as. */
  readonly iamRole: string;
  /** The activation's `DefaultInstanceName`. */
  readonly name?: string;
  /** Milliseconds since the epoch. */
  readonly date: number;
  /** Of the machine: a role token is given to no other. */
  readonly fingerprint: string;
  /** Its requests for role tokens are signed with it: base64 of the DER SubjectPublicKeyInfo. */
  readonly publicKey: string;
  /** Takes the place of `publicKey` when it has signed something. Until then both are good. */
  readonly nextPublicKey?: string | undefined;
  /** Since when `publicKey` has been in use, in milliseconds since the epoch. */
  readonly keyDate: number;
  /** The host asked for another key. */
  readonly rotate?: boolean | undefined;
  /** The access key that was issued last. */
  readonly accessKeyId?: string;
}

/** What the agent says of its machine, the members of UpdateInstanceInformation. Each of 256 characters at most. */
export interface NodeInformation {
  readonly agentName?: string;
  readonly agentStatus?: string;
  readonly agentVersion?: string;
  readonly availabilityZone?: string;
  readonly availabilityZoneId?: string;
  readonly computerName?: string;
  readonly ipAddress?: string;
  readonly platformName?: string;
  readonly platformType?: string;
  readonly platformVersion?: string;
  readonly ssmConnectionChannel?: string;
}
