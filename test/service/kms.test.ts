/** KMS at the service, on the wire. What its clients see of it is in test/kms. */
import { LocalKeyService } from 'hawser/kms';
import { describe, expect, test } from 'vitest';
import { systemKeyCipher } from '../../src/core/runtime.ts';
import { type Credentials, signRequest } from '../../src/crypto/index.ts';
import type { Authorizer } from '../../src/policy/index.ts';
import { SessionManagerService } from '../../src/service/index.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { readRecording } from '../support/recording.ts';
import { activate, Machine } from './machine.ts';
import {
  ACCOUNT,
  type Answer,
  ENDPOINT,
  JANE,
  jane,
  NODE,
  nodeCredentials,
  REGION,
  type World,
  type WorldOptions,
  world,
} from './world.ts';

const OTHER_NODE = 'mi-0fedcba9876543210';

interface KeyWorld extends World {
  readonly keys: LocalKeyService;
  /** ARN of a key of everybody in the account. */
  readonly arn: string;
  kms(operation: string, input: object, credentials?: Credentials, service?: string): Promise<Answer>;
  /** The ciphertext of a data key for a session on a node. */
  dataKey(target?: string): Promise<DataKeyAnswer>;
}

interface DataKeyAnswer {
  readonly CiphertextBlob: string;
  readonly Plaintext: string;
  readonly KeyId: string;
}

async function keyWorld(options: WorldOptions = {}): Promise<KeyWorld> {
  const keys = new LocalKeyService({ region: REGION, accountId: ACCOUNT });
  const { arn } = await keys.createKey({ aliases: ['alias/sessions'], description: 'of sessions' });
  const w = world({ keys, ...options });
  const kms: KeyWorld['kms'] = async (operation, input, credentials = JANE, service = 'kms') => {
    const url = new URL('/', ENDPOINT);
    const body = new TextEncoder().encode(JSON.stringify(input));
    const target = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `TrentService.${operation}`,
    };
    const headers = await signRequest(
      { method: 'POST', url, headers: target, body },
      { credentials, region: REGION, service, now: w.clock.now() },
    );
    const response = await w.clock.runUntil(
      w.transport.fetch(new Request(url, { method: 'POST', headers, body })),
    );
    const answer = (await response.json()) as Record<string, unknown>;
    return { status: response.status, headers: response.headers, body: answer };
  };
  const dataKey = async (target = NODE) => {
    const input = { KeyId: arn, NumberOfBytes: 64, EncryptionContext: contextOf(target) };
    return (await kms('GenerateDataKey', input)).body as unknown as DataKeyAnswer;
  };
  return { ...w, keys, arn, kms, dataKey };
}

function contextOf(target: string) {
  return { 'aws:ssm:SessionId': 'jane-6ed77938fb387c6d5', 'aws:ssm:TargetId': target };
}

function refusal({ status, body }: Answer) {
  return { status, type: body.__type, text: body.message ?? '' };
}

describe('the calls that were recorded of AWS’s programs', () => {
  const recorded = readRecording('07-kms-shell').filter(({ kind }) => kind === 'http');
  const requestOf = (op: string) => {
    const line = recorded.find((line) => 'op' in line && line.op === `TrentService.${op}`);
    return (line as { request: Record<string, unknown> }).request;
  };

  test('are answered, with the members that were answered there', async () => {
    const { kms, arn } = await keyWorld();
    const generated = await kms('GenerateDataKey', { ...requestOf('GenerateDataKey'), KeyId: arn });
    expect(generated.status).toBe(200);
    expect(generated.body).toEqual({
      CiphertextBlob: expect.stringMatching(/^[\w+/]{100,}=*$/),
      Plaintext: expect.stringMatching(/^[\w+/]{86}==$/),
      KeyId: arn,
    });
    const { CiphertextBlob, Plaintext } = generated.body;
    const credentials = nodeCredentials(NODE);
    const decrypted = await kms(
      'Decrypt',
      { ...requestOf('Decrypt'), KeyId: arn, CiphertextBlob },
      credentials,
    );
    expect(decrypted.status).toBe(200);
    expect(decrypted.body).toEqual({ KeyId: arn, Plaintext, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
  });
});

describe('GenerateDataKey', () => {
  test.each([
    [{ NumberOfBytes: 1 }, 1],
    [{ NumberOfBytes: 1024 }, 1024],
    [{ KeySpec: 'AES_256' }, 32],
    [{ KeySpec: 'AES_128' }, 16],
  ])('%j gives %i bytes', async (input, length) => {
    const { kms, arn } = await keyWorld();
    const { body } = await kms('GenerateDataKey', { KeyId: 'alias/sessions', ...input });
    expect(body.KeyId).toBe(arn);
    expect(atob(body.Plaintext as string)).toHaveLength(length);
    const { Plaintext } = (await kms('Decrypt', { CiphertextBlob: body.CiphertextBlob })).body;
    expect(Plaintext).toBe(body.Plaintext);
  });

  test('WithoutPlaintext gives none', async () => {
    const { kms, arn } = await keyWorld();
    const { body } = await kms('GenerateDataKeyWithoutPlaintext', { KeyId: arn, NumberOfBytes: 64 });
    expect(body).toEqual({ CiphertextBlob: expect.any(String), KeyId: arn });
    const { Plaintext } = (await kms('Decrypt', { CiphertextBlob: body.CiphertextBlob })).body;
    expect(atob(Plaintext as string)).toHaveLength(64);
  });

  test.each<[object, string, string | RegExp]>([
    [{}, 'ValidationException', 'Please specify either number of bytes or key spec.'],
    [
      { NumberOfBytes: 64, KeySpec: 'AES_256' },
      'ValidationException',
      'Please specify either number of bytes or key spec.',
    ],
    [
      { NumberOfBytes: 0 },
      'ValidationException',
      "1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ],
    [{ NumberOfBytes: 1025 }, 'ValidationException', /less than or equal to 1024$/],
    [{ KeySpec: 'AES_512' }, 'ValidationException', /enum value set: \[AES_256, AES_128\]$/],
    [{ NumberOfBytes: 64, KeyId: '' }, 'ValidationException', /'keyId' .* greater than or equal to 1$/],
    [{ NumberOfBytes: 64, KeyId: 'k'.repeat(2049) }, 'ValidationException', /less than or equal to 2048$/],
    [{ NumberOfBytes: 64, KeyId: null }, 'ValidationException', /'keyId' .* Member must not be null$/],
    [{ NumberOfBytes: '64' }, 'SerializationException', /numberOfBytes/],
    [{ NumberOfBytes: 64, EncryptionContext: { a: 1 } }, 'SerializationException', /encryptionContext/],
  ])('%j is refused', async (input, type, text) => {
    const { kms, arn } = await keyWorld();
    const refused = refusal(await kms('GenerateDataKey', { KeyId: arn, ...input }));
    expect(refused).toEqual({ status: 400, type, text: expect.stringMatching(text) });
  });
});

describe('Decrypt', () => {
  test.each<[string, (answer: DataKeyAnswer) => object, string, RegExp]>([
    [
      'an empty ciphertext',
      () => ({ CiphertextBlob: '' }),
      'ValidationException',
      /^1 validation error detected: Value at 'ciphertextBlob' failed to satisfy constraint: Member must have length greater than or equal to 1$/,
    ],
    ['6145 bytes', () => ({ CiphertextBlob: btoa('x'.repeat(6145)) }), 'ValidationException', /6144$/],
    ['what is not base64', () => ({ CiphertextBlob: '*' }), 'SerializationException', /base64/],
    [
      'a ciphertext of somebody else',
      () => ({ CiphertextBlob: btoa('x'.repeat(100)) }),
      'InvalidCiphertextException',
      /^$/,
    ],
    [
      'another context',
      (made) => ({ ...made, EncryptionContext: { a: 'b' } }),
      'InvalidCiphertextException',
      /^$/,
    ],
    [
      'another algorithm',
      (made) => ({ ...made, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }),
      'InvalidKeyUsageException',
      /^$/,
    ],
  ])('%s is refused', async (_, input, type, text) => {
    const { kms, dataKey } = await keyWorld();
    const { CiphertextBlob } = await dataKey();
    const refused = await kms('Decrypt', {
      EncryptionContext: contextOf(NODE),
      ...input({ CiphertextBlob } as DataKeyAnswer),
    });
    expect(refusal(refused)).toEqual({ status: 400, type, text: expect.stringMatching(text) });
  });

  test('keys that are missing, disabled or not the right one are told in the words of KMS', async () => {
    const { kms, keys, arn, dataKey } = await keyWorld();
    const other = await keys.createKey();
    const { CiphertextBlob } = await dataKey();
    const input = { CiphertextBlob, EncryptionContext: contextOf(NODE) };
    const refused = async (KeyId: string) => refusal(await kms('Decrypt', { ...input, KeyId }));
    expect(await refused(other.arn)).toMatchObject({
      type: 'IncorrectKeyException',
      text: 'The key ID in the request does not identify a CMK that can perform this operation.',
    });
    expect(await refused('alias/none')).toMatchObject({
      type: 'NotFoundException',
      text: `Alias arn:aws:kms:${REGION}:${ACCOUNT}:alias/none is not found.`,
    });
    const missing = '00000000-0000-4000-8000-000000000000';
    expect(await refused(missing)).toMatchObject({
      type: 'NotFoundException',
      text: `Key 'arn:aws:kms:${REGION}:${ACCOUNT}:key/${missing}' does not exist`,
    });
    await keys.disableKey(arn);
    expect(await refused(arn)).toMatchObject({ type: 'DisabledException', text: `${arn} is disabled.` });
  });
});

test('DescribeKey tells of a key', async () => {
  const { kms, keys, arn } = await keyWorld();
  const [key] = await keys.listKeys();
  expect((await kms('DescribeKey', { KeyId: 'alias/sessions' })).body).toEqual({
    KeyMetadata: expect.objectContaining({
      AWSAccountId: ACCOUNT,
      Arn: arn,
      KeyId: key!.id,
      CreationDate: key!.created / 1000,
      Description: 'of sessions',
      Enabled: true,
      KeyState: 'Enabled',
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyUsage: 'ENCRYPT_DECRYPT',
    }),
  });
});

describe('a node', () => {
  test('decrypts the data keys of its own sessions, and does nothing else', async () => {
    const { kms, arn, dataKey } = await keyWorld();
    const credentials = nodeCredentials(NODE);
    const own = await dataKey();
    const decrypt = (CiphertextBlob: string, EncryptionContext: object) =>
      kms('Decrypt', { CiphertextBlob, EncryptionContext, KeyId: arn }, credentials);
    expect((await decrypt(own.CiphertextBlob, contextOf(NODE))).body.Plaintext).toBe(own.Plaintext);

    const others = await dataKey(OTHER_NODE);
    const denied = refusal(await decrypt(others.CiphertextBlob, contextOf(OTHER_NODE)));
    expect(denied).toMatchObject({
      type: 'AccessDeniedException',
      text: expect.stringMatching(
        /^User: \S+ is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:\S+ /,
      ),
    });
    // It cannot pass another's for its own either.
    expect(refusal(await decrypt(others.CiphertextBlob, contextOf(NODE))).type).toBe(
      'InvalidCiphertextException',
    );
    for (const [operation, input] of [
      ['GenerateDataKey', { KeyId: arn, NumberOfBytes: 64, EncryptionContext: contextOf(NODE) }],
      [
        'GenerateDataKeyWithoutPlaintext',
        { KeyId: arn, NumberOfBytes: 64, EncryptionContext: contextOf(NODE) },
      ],
      ['DescribeKey', { KeyId: arn }],
      ['DescribeKey', { KeyId: 'alias/none' }],
      ['Decrypt', { CiphertextBlob: own.CiphertextBlob, KeyId: arn }],
    ] as const) {
      expect(refusal(await kms(operation, input, credentials)).type).toBe('AccessDeniedException');
    }
  });

  test('that registered itself does so with the credentials that the service gave it', async () => {
    const w = await keyWorld();
    const machine = await new Machine(w).register(await activate(w));
    const { credentials } = await machine.roleToken();
    const { CiphertextBlob, Plaintext } = await w.dataKey(machine.id);
    const input = { CiphertextBlob, KeyId: w.arn, EncryptionContext: contextOf(machine.id) };
    expect((await w.kms('Decrypt', input, credentials)).body.Plaintext).toBe(Plaintext);
  });
});

describe('policies', () => {
  const onlyJane: Authorizer = ({ principal }) =>
    principal.arn === jane.arn
      ? { effect: 'Allow' }
      : { effect: 'ImplicitDeny', policyType: 'identity-based policy' };

  test('an authorizer of one’s own is asked about nodes as well', async () => {
    const { kms, dataKey } = await keyWorld({ authorize: onlyJane });
    const { CiphertextBlob } = await dataKey();
    const input = { CiphertextBlob, EncryptionContext: contextOf(NODE) };
    expect(refusal(await kms('Decrypt', input, nodeCredentials(NODE)))).toMatchObject({
      type: 'AccessDeniedException',
      text: expect.stringMatching(/because no identity-based policy allows the kms:Decrypt action$/),
    });
  });

  test('the policy of the key can name who may use it, nodes as well', async () => {
    const { kms, keys } = await keyWorld({ authorize: onlyJane });
    const Principal = { AWS: `arn:aws:iam::${ACCOUNT}:role/Node` };
    const account = { AWS: `arn:aws:iam::${ACCOUNT}:root` };
    const { arn } = await keys.createKey({
      policy: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: account, Action: 'kms:*', Resource: '*' },
          { Effect: 'Allow', Principal, Action: 'kms:Decrypt', Resource: '*' },
        ],
      },
    });
    const EncryptionContext = contextOf(NODE);
    const made = await kms('GenerateDataKey', { KeyId: arn, NumberOfBytes: 64, EncryptionContext });
    const { CiphertextBlob, Plaintext } = made.body;
    const input = { CiphertextBlob, EncryptionContext };
    expect((await kms('Decrypt', input, nodeCredentials(NODE))).body.Plaintext).toBe(Plaintext);
  });

  test('the policy of the key is asked even in the same account', async () => {
    const { kms, keys } = await keyWorld();
    const { arn } = await keys.createKey({
      policy: ({ action }) =>
        action === 'kms:Decrypt'
          ? { effect: 'Allow' }
          : { effect: 'ImplicitDeny', policyType: 'resource-based policy' },
    });
    expect(refusal(await kms('GenerateDataKey', { KeyId: arn, NumberOfBytes: 64 }))).toEqual({
      status: 400,
      type: 'AccessDeniedException',
      text: `User: ${jane.arn} is not authorized to perform: kms:GenerateDataKey on resource: ${arn} because no resource-based policy allows the kms:GenerateDataKey action`,
    });
  });
});

describe('the signature', () => {
  test.each(['ssm', 'ssmmessages', 'ec2messages'])('of %s is no good for KMS', async (service) => {
    const { kms, arn } = await keyWorld();
    const refused = await kms('GenerateDataKey', { KeyId: arn, NumberOfBytes: 64 }, JANE, service);
    expect(refusal(refused).type).toBe('InvalidSignatureException');
  });

  test('must be there', async () => {
    const { service } = await keyWorld();
    const headers = { 'x-amz-target': 'TrentService.Decrypt' };
    const response = await service.fetch(new Request(ENDPOINT, { method: 'POST', headers, body: '{}' }));
    expect(await response.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
  });
});

test('a service without keys, and calls that are not here, are unknown operations', async () => {
  const { keys: _, ...without } = await keyWorld();
  expect(refusal(await without.kms('Encrypt', {})).type).toBe('UnknownOperationException');
  const bare = await keyWorld({ keys: undefined as never });
  expect(refusal(await bare.kms('Decrypt', {})).type).toBe('UnknownOperationException');
});

test('a store of keys that breaks is the service’s own error, and the host is told', async () => {
  const error = new Error('the disk is gone');
  const fail = () => Promise.reject(error);
  const keys = new LocalKeyService({
    region: REGION,
    accountId: ACCOUNT,
    store: { list: fail, change: fail },
  });
  const { kms, events } = await keyWorld({ keys });
  const refused = await kms('Decrypt', { CiphertextBlob: 'AAAA', KeyId: 'alias/a' });
  expect(refusal(refused)).toMatchObject({ status: 500, type: 'InternalServerError' });
  expect(events).toContainEqual(expect.objectContaining({ type: 'error', error }));
});

test('plaintexts are filled with zeros when they have been answered', async () => {
  const owned: Uint8Array[] = [];
  const kept = (bytes: Uint8Array) => {
    if (bytes.length === 64) owned.push(bytes);
    return bytes;
  };
  const random = seededRandom(1);
  const cipher = systemKeyCipher();
  const keys = new LocalKeyService({
    region: REGION,
    accountId: ACCOUNT,
    platform: {
      random: { ...random, uuid: () => random.uuid(), bytes: (length) => kept(random.bytes(length)) },
    },
    cipher: { ...cipher, decrypt: async (...given) => kept((await cipher.decrypt(...given))!) },
  });
  const { arn } = await keys.createKey();
  const { kms } = await keyWorld({ keys });
  const made = await kms('GenerateDataKey', { KeyId: arn, NumberOfBytes: 64 });
  await kms('GenerateDataKeyWithoutPlaintext', { KeyId: arn, NumberOfBytes: 64 });
  const { CiphertextBlob, Plaintext } = made.body;
  expect((await kms('Decrypt', { CiphertextBlob })).body.Plaintext).toBe(Plaintext);
  expect(owned).toEqual([new Uint8Array(64), new Uint8Array(64), new Uint8Array(64)]);
});

test('events tell who called what, and nothing secret', async () => {
  const { kms, events, dataKey, arn } = await keyWorld();
  const { CiphertextBlob, Plaintext } = await dataKey();
  await kms('Decrypt', { CiphertextBlob, KeyId: arn });
  expect(events).toMatchObject([
    { type: 'call', operation: 'GenerateDataKey', caller: jane.arn },
    { type: 'call', operation: 'Decrypt', caller: jane.arn, errorCode: 'InvalidCiphertextException' },
  ]);
  const text = JSON.stringify(events);
  expect([text.includes(CiphertextBlob), text.includes(Plaintext)]).toEqual([false, false]);
});

test.each([
  ['region', { region: 'us-east-1' }],
  ['account', { accountId: '444455556666' }],
])('keys of another %s are refused', (_, elsewhere) => {
  const keys = new LocalKeyService({ region: REGION, accountId: ACCOUNT, ...elsewhere });
  const options = { region: REGION, accountId: ACCOUNT, credentials: () => undefined, keys };
  expect(() => new SessionManagerService(options)).toThrow(
    expect.objectContaining({ code: 'ERR_KEYS_ELSEWHERE' }),
  );
});
