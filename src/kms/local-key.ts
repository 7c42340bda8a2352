import type { Authorizer } from '../policy/index.ts';

/** A KMS key of a {@link LocalKeyService}, without what is secret. */
export interface LocalKey {
  /** A UUID. */
  readonly id: string;
  /** `arn:aws:kms:<region>:<account>:key/<id>` */
  readonly arn: string;
  /** `alias/…` */
  readonly aliases: readonly string[];
  readonly description: string;
  /** A key that is not encrypts and decrypts nothing. */
  readonly enabled: boolean;
  /** Milliseconds since the epoch. */
  readonly created: number;
}

/** What a {@link LocalKeyStore} keeps of a key. */
export interface LocalKeyRecord extends Omit<LocalKey, 'arn'> {
  /** Secret: 32 bytes. */
  readonly material: Uint8Array;
  /** A document as text, or an authorizer, which only lasts as long as the process. */
  readonly policy?: string | Authorizer;
}
