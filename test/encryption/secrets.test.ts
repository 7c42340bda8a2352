import { randomBytes } from 'node:crypto';
import { KMS } from '@aws-sdk/client-kms';
import { attach, SessionClient } from 'hawser';
import { callbackKeyService, kmsKeyService, sdkKeyService } from 'hawser/kms';
import { memoryTransport } from 'hawser/testing';
import { describe, expect, test } from 'vitest';
import { Secrets } from '../support/secrets.ts';
import { AGENT_FAILURES, type AttemptOptions, attempt, CLIENT_FAILURES } from './attempts.ts';
import { type EncryptedWorld, encryptedWorld, INSTANCE_ID, NODE, USER } from './world.ts';

/** Issue 5: no key, token, challenge or signature ever appears in a log, an error, an event or a thrown object. */
describe('nothing that the library says or throws has a secret in it', () => {
  test.each<readonly [string, string, AttemptOptions]>([
    ['all goes well', 'no error', {}],
    ['the session is in the clear', 'no error', { encrypted: false }],
    [
      'encryption is demanded and not offered',
      'ERR_ENCRYPTION_REQUIRED',
      { encrypted: false, start: { requireEncryption: true } },
    ],
    ['the agent has no key service', 'no error', { agentKeys: () => undefined }],
    ['the service hosts the key', 'no error', { hosted: true }],
    ...CLIENT_FAILURES,
    ...AGENT_FAILURES,
    ...[...CLIENT_FAILURES, ...AGENT_FAILURES]
      .filter(([, code]) => code.startsWith('ERR_KEY_'))
      .map(([what, code, world]) => [`${what}, at the service`, code, { ...world, hosted: true }] as const),
  ])('when a session meets this: %s (%s)', async (_, code, options) => {
    const { said, secrets, world } = await overhear(options);
    expect(secrets.count('stream token')).toBeGreaterThan(1);
    expect(secrets.count('signature')).toBeGreaterThan(1);
    if (code === 'no error' && options.encrypted !== false && !options.agentKeys) {
      for (const name of ['data key', 'half of the data key', 'random challenge', 'encryption challenge']) {
        expect(secrets.count(name), name).toBeGreaterThan(0);
      }
    }
    expect(said.length).toBeGreaterThan(5);
    for (const thing of said) expect(secrets.foundIn(thing)).toEqual([]);
    // Not what the library says, but what people print.
    for (const object of [world.client, world.agent, world.service, world.local, world.key]) {
      expect(secrets.foundIn(object)).toEqual([]);
    }
  });

  test('when a call fails', async () => {
    const secrets = new Secrets();
    const world = await encryptedWorld({ handlers: {}, secrets });
    const transport = memoryTransport(world.tap.service, { clock: world.clock });
    const options = {
      region: 'eu-central-1',
      endpoint: 'http://service.localhost',
      platform: { clock: world.clock, transport },
    };
    const client = new SessionClient({ ...options, credentials: USER });
    const wrong = { ...USER, secretAccessKey: 'another-secret-of-the-user' };
    secrets.add('wrong secret access key', wrong.secretAccessKey);
    const access = await world.clock.runUntil(client.startAccess({ target: INSTANCE_ID }));
    const elsewhere = { ...access, streamUrl: `wss://elsewhere.example/?token=${access.tokenValue}` };
    const nowhere = { ...access, streamUrl: `not a URL but ${access.tokenValue}` };
    const calls: (() => unknown)[] = [
      () => new SessionClient({ ...options, credentials: wrong }).startAccess({ target: INSTANCE_ID }),
      () => client.startAccess({ target: 'mi-00000000000000000' }),
      () => client.startAccess({ target: INSTANCE_ID, documentName: 'None' }),
      () => client.resumeSession('none-0123456789abcdef0'),
      () => attach(elsewhere, options),
      () => attach(nowhere, options),
      () =>
        new SessionClient({
          ...options,
          endpoint: `http://${USER.sessionToken}@localhost`,
          credentials: USER,
        }),
      () =>
        new SessionClient({ ...options, credentials: { ...USER, accessKeyId: '' } }).startAccess({
          target: INSTANCE_ID,
        }),
    ];
    const failures: unknown[] = [];
    for (const call of calls) {
      failures.push(
        await world.clock.runUntil(Promise.resolve().then(call)).catch((error: unknown) => error),
      );
    }
    learn(secrets, world);
    expect(failures.map((failure) => failure instanceof Error)).toEqual(calls.map(() => true));
    for (const failure of failures) expect(secrets.foundIn(failure)).toEqual([]);
  });

  test('when KMS quotes the request that it refuses', async () => {
    const secrets = new Secrets();
    secrets.add('secret access key', USER.secretAccessKey);
    secrets.add('session token', USER.sessionToken);
    const said = (headers: Headers) => {
      secrets.add('signature', /Signature=(\w+)/.exec(headers.get('authorization')!)![1]!);
      return JSON.stringify({
        __type: 'InvalidSignatureException',
        message: `The signature does not match.\n\nx-amz-security-token:${headers.get('x-amz-security-token')}\n${headers.get('authorization')}`,
      });
    };
    const refuse = async ({ headers }: Request) =>
      new Response(said(headers), { status: 400, headers: { 'content-type': 'application/x-amz-json-1.1' } });
    const ours = kmsKeyService({
      region: 'eu-central-1',
      credentials: USER,
      platform: { transport: { fetch: refuse, connect: () => Promise.reject(new Error()) } },
    });
    const client = new KMS({
      region: 'eu-central-1',
      credentials: USER,
      requestHandler: {
        async handle({ headers }: { headers: Record<string, string> }) {
          const response = await refuse({ headers: new Headers(headers) } as Request);
          const { HttpResponse } = await import('@smithy/core/protocols');
          return {
            response: new HttpResponse({
              statusCode: 400,
              headers: { 'content-type': 'application/x-amz-json-1.1' },
              body: response.body,
            }),
          };
        },
      },
    });
    for (const keys of [ours, sdkKeyService(client)]) {
      const context = { purpose: 'test' };
      for (const call of [
        keys.generateDataKey('alias/a', context),
        keys.decrypt(randomBytes(100), context),
      ]) {
        const error = await call.catch((error: unknown) => error);
        expect(error).toMatchObject({
          name: 'KeyServiceError',
          message: expect.stringContaining('does not match'),
        });
        expect(secrets.foundIn(error)).toEqual([]);
      }
    }
    expect(secrets.count('signature')).toBeGreaterThan(3);
  });

  test('when a key service gives what is no data key', async () => {
    const secrets = new Secrets();
    const plaintext = randomBytes(63);
    secrets.add('data key', plaintext);
    const ciphertext = randomBytes(100);
    const keys = callbackKeyService({
      generateDataKey: async () => ({ plaintext, ciphertext }),
      decrypt: async () => plaintext,
    });
    for (const call of [() => keys.generateDataKey('a', {}), () => keys.decrypt(ciphertext, {})]) {
      expect(secrets.foundIn(await call().catch((error: unknown) => error))).toEqual([]);
    }
  });
});

describe('a secret would be found', () => {
  const key = randomBytes(32);
  const secrets = new Secrets();
  secrets.add('key', key);

  test.each<[string, unknown]>([
    ['as bytes', { key }],
    ['within other bytes', [Buffer.concat([randomBytes(5), key, randomBytes(5)])]],
    ['in hex', key.toString('hex')],
    ['in base64', `key: ${key.toString('base64')}`],
    ['in base64 that begins before', Buffer.concat([randomBytes(7), key]).toString('base64')],
    ['in base64url', key.toString('base64url')],
    ['in JSON', JSON.stringify({ key: new Uint8Array(key) })],
    ['in a message', new Error(`no ${key.toString('hex')}`)],
    ['in the cause of a cause', new Error('a', { cause: new Error('b', { cause: { key } }) })],
    ['in what is hidden', Object.defineProperty({}, 'key', { value: key, enumerable: false })],
    ['in a map', new Map([['a', new Set([key])]])],
    ['as a name', { [key.toString('hex')]: true }],
  ])('%s', (_, value) => {
    expect(secrets.foundIn(value)).toEqual(['key']);
  });

  test('and nothing else is', () => {
    expect(secrets.foundIn({ other: randomBytes(1000), text: randomBytes(1000).toString('hex') })).toEqual(
      [],
    );
  });
});

/** One session, everything that was said of it at all three places, and every secret that came up. */
async function overhear(options: AttemptOptions) {
  const secrets = new Secrets();
  const said: unknown[] = [];
  const hear = (...thing: unknown[]) => {
    said.push(thing);
  };
  let world: EncryptedWorld | undefined;
  const outcome = await attempt({
    ...options,
    secrets,
    onEvent: hear,
    watch(made, session) {
      world = made;
      for (const emitter of [session, made.agent]) {
        const emit = emitter.emit.bind(emitter) as (...event: unknown[]) => boolean;
        Object.assign(emitter, {
          emit(...event: unknown[]) {
            hear(...event);
            return emit(...event);
          },
        });
      }
      session.ready.then(hear, hear);
      session.ended.then(hear);
      session.stdin.getWriter = ((getWriter) => () => {
        const writer = getWriter();
        writer.closed.catch(hear);
        writer.ready.catch(hear);
        return writer;
      })(session.stdin.getWriter.bind(session.stdin));
      hear(session);
    },
  });
  hear(outcome.end, outcome.outcome);
  learn(secrets, world!);
  return { said, secrets, world: world! };
}

/** Adds credentials, tokens and signatures, which the tap has heard. */
function learn(secrets: Secrets, { tap }: EncryptedWorld): void {
  for (const { secretAccessKey, sessionToken } of [USER, NODE]) {
    secrets.add('secret access key', secretAccessKey);
    secrets.add('session token', sessionToken);
  }
  for (const [, token] of tap.heard().matchAll(/"?TokenValue"?[:>]"?([^"<]+)/g))
    secrets.add('stream token', token!);
  for (const [, signature] of tap.heard().matchAll(/Signature=(\w+)/g)) secrets.add('signature', signature!);
}
