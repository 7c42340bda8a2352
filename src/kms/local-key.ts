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
  readonly policy?: KeyPolicy;
}

/**
 * Who may use a key: asked with `kms:GenerateDataKey`, `kms:GenerateDataKeyWithoutPlaintext`, `kms:Decrypt` or
 * `kms:DescribeKey`, the ARN of the key, and the context keys `kms:EncryptionContext:<name>`,
 * `kms:EncryptionContextKeys`, `kms:CallerAccount`, and `kms:RequestAlias` when the key was named by an alias
 * (POLICY.md section 6).
 */
export type KeyPolicy = Authorizer;
