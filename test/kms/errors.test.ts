import { KMS, KMSServiceException } from '@aws-sdk/client-kms';
import { type KeyService, type KeyServiceErrorCode, kmsKeyService, sdkKeyService } from 'hawser/kms';
import { seededRandom, VirtualClock } from 'hawser/testing';
import { describe, expect, test } from 'vitest';
import { CONTEXT, JANE, REGION } from './world.ts';

/** Every exception of GenerateDataKey and Decrypt in the API reference of KMS, and what is not of theirs alone. */
const EXCEPTIONS: readonly (readonly [name: string, code: KeyServiceErrorCode])[] = [
  ['AccessDeniedException', 'ERR_KEY_ACCESS_DENIED'],
  ['NotFoundException', 'ERR_KEY_NOT_FOUND'],
  ['InvalidArnException', 'ERR_KEY_NOT_FOUND'],
  ['DisabledException', 'ERR_KEY_UNUSABLE'],
  ['KMSInvalidStateException', 'ERR_KEY_UNUSABLE'],
  ['InvalidKeyUsageException', 'ERR_KEY_UNUSABLE'],
  ['IncorrectKeyException', 'ERR_KEY_MISMATCH'],
  ['InvalidCiphertextException', 'ERR_KEY_CIPHERTEXT'],
  ['DependencyTimeoutException', 'ERR_KEY_SERVICE'],
  ['InvalidGrantTokenException', 'ERR_KEY_SERVICE'],
  ['KeyUnavailableException', 'ERR_KEY_SERVICE'],
  ['KMSInternalException', 'ERR_KEY_SERVICE'],
  ['ThrottlingException', 'ERR_KEY_SERVICE'],
  ['ValidationException', 'ERR_KEY_SERVICE'],
  ['UnrecognizedClientException', 'ERR_KEY_SERVICE'],
];

const SAID = 'User: arn:aws:iam::111122223333:user/jane may not';
const SIGNED = 'x-amz-security-token:a secret token';

function bothCalls(keyService: KeyService) {
  return [keyService.generateDataKey('alias/a', CONTEXT), keyService.decrypt(new Uint8Array(9), CONTEXT)].map(
    (call) => call.catch((error: Error & { code?: string }) => error),
  );
}

/** KMS that answers each request with what `answer` makes. */
function scripted(answer: () => Response | Promise<Response>, options: { credentials?: typeof JANE } = {}) {
  const clock = new VirtualClock();
  const requests: Request[] = [];
  const keyService = kmsKeyService({
    region: REGION,
    credentials: JANE,
    ...options,
    platform: {
      clock,
      random: seededRandom(1),
      transport: {
        connect: () => Promise.reject(new Error('KMS has no sockets.')),
        async fetch(request) {
          requests.push(request);
          return answer();
        },
      },
    },
  });
  return { clock, keyService, requests };
}

describe('kmsKeyService', () => {
  test.each(EXCEPTIONS)('%s is %s', async (name, code) => {
    const status = name === 'KMSInternalException' ? 500 : 400;
    const body = JSON.stringify({ __type: name, message: `${SAID}\n${SIGNED}` });
    const { clock, keyService } = scripted(() => new Response(body, { status }));
    for (const error of await clock.runUntil(Promise.all(bothCalls(keyService)))) {
      expect(error).toMatchObject({ name: 'KeyServiceError', code, cause: { type: name } });
      expect((error as Error).message).toContain(`was refused with ${name}: ${SAID}`);
      expect((error as Error).message).not.toContain('secret');
    }
  });

  test('tries again what may pass: throttling, errors of KMS, the network', async () => {
    const answers = [
      () => Response.json({ __type: 'ThrottlingException' }, { status: 400 }),
      () => Response.json({ __type: 'KeyUnavailableException' }, { status: 500 }),
      () => Response.json({ Plaintext: btoa('p'.repeat(64)), CiphertextBlob: btoa('c') }),
    ];
    const { clock, keyService, requests } = scripted(() => answers.shift()!());
    const { plaintext } = await clock.runUntil(keyService.generateDataKey('alias/a', CONTEXT));
    expect(plaintext).toEqual(new Uint8Array(64).fill('p'.charCodeAt(0)));
    expect(requests).toHaveLength(3);
  });

  test('a network that gives no answer is ERR_KEY_SERVICE, with its error as the cause', async () => {
    const cause = new TypeError('fetch failed');
    const { clock, keyService } = scripted(() => Promise.reject(cause));
    for (const error of await clock.runUntil(Promise.all(bothCalls(keyService)))) {
      expect(error).toMatchObject({
        code: 'ERR_KEY_SERVICE',
        cause: { code: 'ERR_REQUEST_FAILED', cause },
        message: expect.stringContaining(`kms.${REGION}.amazonaws.com`),
      });
    }
  });

  test('credentials that cannot be had are ERR_KEY_SERVICE', async () => {
    const { clock, keyService } = scripted(() => Response.json({}), {
      credentials: { accessKeyId: '', secretAccessKey: '' },
    });
    const [error] = await clock.runUntil(Promise.all(bothCalls(keyService)));
    expect(error).toMatchObject({ code: 'ERR_KEY_SERVICE', cause: { code: 'ERR_CREDENTIALS' } });
  });

  test.each([
    ['nothing', {}],
    ['no base64', { Plaintext: '*', CiphertextBlob: '*' }],
    ['32 bytes', { Plaintext: btoa('p'.repeat(32)), CiphertextBlob: btoa('c') }],
  ])('an answer of %s is no data key', async (_, answer) => {
    const { clock, keyService } = scripted(() => Response.json(answer));
    const [generated, decrypted] = await clock.runUntil(Promise.all(bothCalls(keyService)));
    expect(generated).toMatchObject({ code: 'ERR_KEY_SERVICE' });
    expect(decrypted).toMatchObject({ name: 'KeyServiceError' });
  });

  test('asks KMS of the region, and sends no credentials in the clear', () => {
    const options = { region: REGION, credentials: JANE };
    expect(() => kmsKeyService({ ...options, endpoint: 'http://kms.example' })).toThrow(
      expect.objectContaining({ code: 'ERR_ENDPOINT_INSECURE' }),
    );
    expect(() => kmsKeyService({ ...options, region: 'no region' })).toThrow(
      expect.objectContaining({ code: 'ERR_REGION_INVALID' }),
    );
  });
});

describe('sdkKeyService', () => {
  const failing = (error: unknown) =>
    sdkKeyService({ generateDataKey: () => Promise.reject(error), decrypt: () => Promise.reject(error) });

  test.each(EXCEPTIONS)('%s is %s', async (name, code) => {
    const cause = new KMSServiceException({
      name,
      $fault: 'client',
      $metadata: {},
      message: `${SAID}\n${SIGNED}`,
    });
    for (const error of await Promise.all(bothCalls(failing(cause)))) {
      expect(error).toMatchObject({ name: 'KeyServiceError', code, cause: { name, $fault: 'client' } });
      expect((error as Error).message).toContain(`was refused with ${name}: ${SAID}`);
      expect((error as Error).message).not.toContain('secret');
    }
  });

  test('what is no exception of KMS is ERR_KEY_SERVICE, and not quoted', async () => {
    const cause = Object.assign(new Error('secret words'), { name: 'NotFoundException' });
    for (const error of await Promise.all(bothCalls(failing(cause)))) {
      expect(error).toMatchObject({ code: 'ERR_KEY_SERVICE', cause });
      expect((error as Error).message).not.toContain('secret');
    }
  });

  test('a client without an answer is ERR_KEY_SERVICE', async () => {
    const empty = sdkKeyService({ generateDataKey: async () => ({}), decrypt: async () => ({}) });
    for (const error of await Promise.all(bothCalls(empty))) {
      expect(error).toMatchObject({ code: 'ERR_KEY_SERVICE' });
    }
  });

  test('an endpoint that nobody listens at is ERR_KEY_SERVICE', async () => {
    const client = new KMS({
      region: REGION,
      endpoint: 'http://127.0.0.1:1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      maxAttempts: 1,
    });
    for (const error of await Promise.all(bothCalls(sdkKeyService(client)))) {
      expect(error).toMatchObject({ code: 'ERR_KEY_SERVICE' });
    }
    client.destroy();
  });
});
