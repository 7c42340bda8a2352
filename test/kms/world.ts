import { type LocalKey, LocalKeyService, type LocalKeyServiceOptions } from 'hawser/kms';
import type { Principal } from 'hawser/policy';
import { ACCOUNT, jane, NODE, REGION } from '../service/world.ts';

export { ACCOUNT, JANE, jane, NODE, REGION } from '../service/world.ts';

/** Of another account. */
export const stranger: Principal = {
  arn: 'arn:aws:iam::444455556666:user/mallory',
  userId: 'AIDAMALLORY',
  accountId: '444455556666',
};

export const CONTEXT = {
  'aws:ssm:SessionId': 'jane-6ed77938fb387c6d5',
  'aws:ssm:TargetId': NODE,
} as const;

export function localKeys(options: Partial<LocalKeyServiceOptions> = {}): LocalKeyService {
  return new LocalKeyService({ region: REGION, accountId: ACCOUNT, ...options });
}

export interface Keys {
  /** Of everybody in the account, and `alias/sessions`. */
  readonly key: LocalKey;
  readonly other: LocalKey;
  /** Jane may ask for data keys, and decrypt none. */
  readonly onlyGenerate: LocalKey;
  readonly nobodys: LocalKey;
}

export async function keysOf(local: LocalKeyService): Promise<Keys> {
  return {
    key: await local.createKey({ aliases: ['alias/sessions'], description: 'of sessions' }),
    other: await local.createKey(),
    onlyGenerate: await local.createKey({ policy: keyPolicy('Allow', jane.arn, 'kms:GenerateDataKey') }),
    nobodys: await local.createKey({ policy: keyPolicy('Deny', '*', 'kms:*') }),
  };
}

/** A key policy of one statement. */
export function keyPolicy(effect: 'Allow' | 'Deny', aws: string, action: string, condition = {}) {
  return {
    Version: '2012-10-17',
    Statement: {
      Effect: effect,
      Principal: { AWS: aws },
      Action: action,
      Resource: '*',
      Condition: condition,
    },
  };
}
