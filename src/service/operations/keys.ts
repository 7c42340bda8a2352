import { base64 } from '../../base/encoding.ts';
import type { EncryptionContext } from '../../crypto/index.ts';
import { MAX_CIPHERTEXT_LENGTH } from '../../crypto/kms/key-service.ts';
import type { KeyAction, KeyCaller, LocalKeyService } from '../../kms/index.ts';
import { ApiError } from '../api-error.ts';
import { blob, integer, map, string, structure } from '../shape.ts';
import { type Call, type Operation, type OperationParts, operation } from './operation.ts';

const KEY_ID = string({ min: 1, max: 2048 });
const ENCRYPTION_CONTEXT = map(string(), string());
const SYMMETRIC = 'SYMMETRIC_DEFAULT';

/**
 * What both ends of an encrypted session call of AWS KMS (PROTOCOL.md section 8), and what its clients call around
 * that. Shapes, limits and errors are those of the API reference of KMS.
 */
export function keyOperations(
  { authorization }: OperationParts,
  keys: LocalKeyService,
): readonly Operation[] {
  const callerOf = (call: Call): KeyCaller => ({
    principal: call.principal,
    authorize: authorization.authorizerFor(call),
  });

  const generateDataKey = (name: 'GenerateDataKey' | 'GenerateDataKeyWithoutPlaintext') =>
    operation({
      api: 'kms',
      name,
      input: structure(
        { KeyId: KEY_ID },
        {
          EncryptionContext: ENCRYPTION_CONTEXT,
          KeySpec: string<keyof typeof KEY_SPECS>({ values: Object.keys(KEY_SPECS) }),
          NumberOfBytes: integer({ min: 1, max: 1024 }),
        },
      ),

      async handle({ KeyId, EncryptionContext, KeySpec, NumberOfBytes }, call) {
        if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
          throw new ApiError('ValidationException', 'Please specify either number of bytes or key spec.');
        }
        const length = NumberOfBytes ?? KEY_SPECS[KeySpec!];
        const action: KeyAction = `kms:${name}`;
        const made = await keys.generateDataKey(callerOf(call), KeyId, contextOf(EncryptionContext), {
          length,
          action,
        });
        const plaintext = name === 'GenerateDataKey' ? { Plaintext: base64(made.plaintext) } : {};
        made.plaintext.fill(0);
        return { CiphertextBlob: base64(made.ciphertext), ...plaintext, KeyId: made.keyArn };
      },
    });

  const decrypt = operation({
    api: 'kms',
    name: 'Decrypt',
    input: structure(
      { CiphertextBlob: blob({ min: 1, max: MAX_CIPHERTEXT_LENGTH }) },
      {
        EncryptionContext: ENCRYPTION_CONTEXT,
        KeyId: KEY_ID,
        EncryptionAlgorithm: string({
          values: [SYMMETRIC, 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'SM2PKE'],
        }),
      },
    ),

    async handle({ CiphertextBlob, EncryptionContext, KeyId, EncryptionAlgorithm = SYMMETRIC }, call) {
      // Every key here is symmetric.
      if (EncryptionAlgorithm !== SYMMETRIC) throw new ApiError('InvalidKeyUsageException', '');
      const { plaintext, keyArn } = await keys.decrypt(
        callerOf(call),
        CiphertextBlob,
        contextOf(EncryptionContext),
        KeyId,
      );
      const answer = { KeyId: keyArn, Plaintext: base64(plaintext), EncryptionAlgorithm };
      plaintext.fill(0);
      return answer;
    },
  });

  const describeKey = operation({
    api: 'kms',
    name: 'DescribeKey',
    input: structure({ KeyId: KEY_ID }),

    async handle({ KeyId }, call) {
      const { id, arn, created, enabled, description } = await keys.describeKey(callerOf(call), KeyId);
      return {
        KeyMetadata: {
          AWSAccountId: keys.accountId,
          KeyId: id,
          Arn: arn,
          CreationDate: created / 1000,
          Enabled: enabled,
          KeyState: enabled ? 'Enabled' : 'Disabled',
          Description: description,
          KeyManager: 'CUSTOMER',
          KeyUsage: 'ENCRYPT_DECRYPT',
          KeySpec: SYMMETRIC,
          CustomerMasterKeySpec: SYMMETRIC,
          EncryptionAlgorithms: [SYMMETRIC],
          Origin: 'AWS_KMS',
          MultiRegion: false,
        },
      };
    },
  });

  return [
    generateDataKey('GenerateDataKey'),
    generateDataKey('GenerateDataKeyWithoutPlaintext'),
    decrypt,
    describeKey,
  ];
}

/** Bytes. */
const KEY_SPECS = { AES_256: 32, AES_128: 16 } as const;

function contextOf(members: ReadonlyMap<string, string> = new Map()): EncryptionContext {
  return Object.fromEntries(members);
}
