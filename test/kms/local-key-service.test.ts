import { callbackKeyService, type KeyServiceError } from 'hawser/kms';
import type { AuthorizationRequest } from 'hawser/policy';
import { seededRandom, VirtualClock } from 'hawser/testing';
import { describe, expect, test } from 'vitest';
import { systemKeyCipher, webKeyCipher } from '../../src/core/runtime.ts';
import { ACCOUNT, CONTEXT, jane, keyPolicy, localKeys, REGION, stranger } from './world.ts';

describe('LocalKeyService', () => {
  test('tells of its keys, with nothing secret', async () => {
    const clock = new VirtualClock();
    const keys = localKeys({ platform: { clock } });
    const key = await keys.createKey({ aliases: ['alias/a', 'alias/team/b'], description: 'one' });
    expect(key).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      arn: `arn:aws:kms:${REGION}:${ACCOUNT}:key/${key.id}`,
      aliases: ['alias/a', 'alias/team/b'],
      description: 'one',
      enabled: true,
      created: clock.now(),
    });
    const other = await keys.createKey();
    await keys.disableKey(other.arn);
    expect(await keys.listKeys()).toEqual([key, { ...other, enabled: false }]);
  });

  test.each(['sessions', 'alias/', 'alias/aws/ssm', 'alias/a b', 'alias/a:b', `alias/${'x'.repeat(251)}`])(
    '%j is no alias',
    async (alias) => {
      await expect(localKeys().createKey({ aliases: [alias] })).rejects.toMatchObject({
        code: 'ERR_KEY_ALIAS',
      });
    },
  );

  test('an alias is of one key', async () => {
    const keys = localKeys();
    const [one, two] = await Promise.allSettled([
      keys.createKey({ aliases: ['alias/a'] }),
      keys.createKey({ aliases: ['alias/b', 'alias/a'] }),
    ]);
    expect(one.status).toBe('fulfilled');
    expect(two).toMatchObject({ reason: { code: 'ERR_KEY_ALIAS' } });
    expect(await keys.listKeys()).toHaveLength(1);
  });

  test('enables and disables no key that is not there', async () => {
    const keys = localKeys();
    await expect(keys.disableKey('alias/none')).rejects.toMatchObject({ code: 'ERR_KEY_NOT_FOUND' });
    await expect(keys.enableKey('none')).rejects.toMatchObject({ code: 'ERR_KEY_NOT_FOUND' });
  });

  test('lets the account use a key without a policy, and nobody else', async () => {
    const keys = localKeys();
    const { arn } = await keys.createKey();
    const { ciphertext } = await keys.as(jane).generateDataKey(arn, CONTEXT);
    const denied = {
      code: 'ERR_KEY_ACCESS_DENIED',
      message: `User: ${stranger.arn} is not authorized to perform: kms:Decrypt on resource: ${arn} because no resource-based policy allows the kms:Decrypt action`,
    };
    await expect(keys.as(stranger).decrypt(ciphertext, CONTEXT)).rejects.toMatchObject(denied);
  });

  test('asks the policy with the encryption context, and how the key was named', async () => {
    const keys = localKeys();
    const asked: AuthorizationRequest[] = [];
    const { arn } = await keys.createKey({
      aliases: ['alias/sessions'],
      policy: (request) => {
        asked.push(request);
        return { effect: 'Allow' };
      },
    });
    const { ciphertext } = await keys.as(jane).generateDataKey('alias/sessions', CONTEXT);
    await keys.as(jane).decrypt(ciphertext, CONTEXT);
    const context = [
      ['kms:CallerAccount', ACCOUNT],
      ['kms:EncryptionContextKeys', ['aws:ssm:SessionId', 'aws:ssm:TargetId']],
      ['kms:EncryptionContext:aws:ssm:SessionId', CONTEXT['aws:ssm:SessionId']],
      ['kms:EncryptionContext:aws:ssm:TargetId', CONTEXT['aws:ssm:TargetId']],
    ] as const;
    expect(asked).toEqual([
      {
        principal: jane,
        action: 'kms:GenerateDataKey',
        resource: arn,
        context: new Map<string, unknown>([...context, ['kms:RequestAlias', 'alias/sessions']]),
      },
      { principal: jane, action: 'kms:Decrypt', resource: arn, context: new Map<string, unknown>(context) },
    ]);
  });

  test('needs a yes of both sides, and says which of them said no', async () => {
    const keys = localKeys();
    const open = await keys.createKey();
    const shut = await keys.createKey({
      policy: () => ({ effect: 'ExplicitDeny', policyType: 'resource-based policy' }),
    });
    const limited = keys.as(jane, () => ({ effect: 'ImplicitDeny', policyType: 'identity-based policy' }));
    const reason = async (keyId: string) =>
      (await limited
        .generateDataKey(keyId, CONTEXT)
        .catch((error: KeyServiceError) => error.message)) as string;
    expect(await reason(open.arn)).toMatch(/because no identity-based policy allows/);
    expect(await reason(shut.arn)).toMatch(/with an explicit deny in a resource-based policy$/);
    // Whoever may not use keys does not learn which there are.
    expect(await reason('alias/none')).toMatch(
      /not authorized.* on resource: arn:aws:kms:.*:alias\/none because/,
    );
  });

  describe('with a key policy of AWS', () => {
    const denied = { code: 'ERR_KEY_ACCESS_DENIED' };
    const no = (effect: 'ImplicitDeny' | 'ExplicitDeny') => () =>
      ({ effect, policyType: 'identity-based policy' }) as const;
    const fleet = {
      arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Fleet/mi-0123456789abcdef0`,
      userId: 'AROAFLEET:mi-0123456789abcdef0',
      accountId: ACCOUNT,
    };

    test('delegates to the account: the caller’s own side decides', async () => {
      const keys = localKeys();
      const policy = keyPolicy('Allow', `arn:aws:iam::${ACCOUNT}:root`, 'kms:*');
      const { arn } = await keys.createKey({ policy });
      await keys.as(jane).generateDataKey(arn, CONTEXT);
      await expect(keys.as(jane, no('ImplicitDeny')).generateDataKey(arn, CONTEXT)).rejects.toMatchObject(
        denied,
      );
      await expect(keys.as(stranger).generateDataKey(arn, CONTEXT)).rejects.toMatchObject(denied);
    });

    test('grants to a user or a role of its account, which its own side can only deny', async () => {
      const keys = localKeys();
      const { arn } = await keys.createKey();
      const role = keyPolicy('Allow', `arn:aws:iam::${ACCOUNT}:role/Fleet`, 'kms:GenerateDataKey');
      const granted = await keys.createKey({ policy: role });
      for (const effect of ['ImplicitDeny', 'ExplicitDeny'] as const) {
        await expect(keys.as(fleet, no(effect)).generateDataKey(arn, CONTEXT)).rejects.toMatchObject(denied);
      }
      await keys.as(fleet, no('ImplicitDeny')).generateDataKey(granted.arn, CONTEXT);
      const refused = keys.as(fleet, no('ExplicitDeny')).generateDataKey(granted.arn, CONTEXT);
      await expect(refused).rejects.toMatchObject(denied);
    });

    test('lets those of another account use it who may on both sides', async () => {
      const keys = localKeys();
      const { arn } = await keys.createKey({
        policy: keyPolicy('Allow', stranger.arn, 'kms:GenerateDataKey'),
      });
      await keys.as(stranger).generateDataKey(arn, CONTEXT);
      await expect(keys.as(stranger, no('ImplicitDeny')).generateDataKey(arn, CONTEXT)).rejects.toMatchObject(
        denied,
      );
    });

    test('looks at the encryption context', async () => {
      const keys = localKeys();
      const condition = {
        StringEquals: { 'kms:EncryptionContext:aws:ssm:TargetId': CONTEXT['aws:ssm:TargetId'] },
      };
      const { arn } = await keys.createKey({ policy: keyPolicy('Allow', jane.arn, 'kms:*', condition) });
      await keys.as(jane).generateDataKey(arn, CONTEXT);
      const another = { ...CONTEXT, 'aws:ssm:TargetId': 'mi-0fedcba9876543210' };
      await expect(keys.as(jane).generateDataKey(arn, another)).rejects.toMatchObject(denied);
      // Too long to be matched, and so not allowed; no error of the key service.
      const long = { ...CONTEXT, 'aws:ssm:TargetId': 'm'.repeat(5000) };
      await expect(keys.as(jane).generateDataKey(arn, long)).rejects.toMatchObject(denied);
    });

    test('must be one', async () => {
      const keys = localKeys();
      await expect(keys.createKey({ policy: '{' })).rejects.toMatchObject({ name: 'PolicyError' });
      await expect(keys.createKey({ policy: { Statement: [] } })).rejects.toMatchObject({
        name: 'PolicyError',
      });
      expect(await keys.listKeys()).toEqual([]);
    });
  });

  test('a policy that throws lets nobody pass', async () => {
    const keys = localKeys();
    const cause = new Error('no such table');
    const { arn } = await keys.createKey({
      policy: () => {
        throw cause;
      },
    });
    await expect(keys.as(jane).generateDataKey(arn, CONTEXT)).rejects.toMatchObject({
      code: 'ERR_KEY_SERVICE',
      cause,
    });
  });

  test('a key of the same name in another process decrypts nothing', async () => {
    const random = () => ({ ...seededRandom(1), uuid: () => '00000000-0000-4000-8000-000000000001' });
    const ours = localKeys({ platform: { random: random() } });
    const theirs = localKeys({
      platform: { random: { ...random(), bytes: (n) => new Uint8Array(n).fill(7) } },
    });
    const { arn } = await ours.createKey();
    await theirs.createKey();
    const { ciphertext } = await ours.as(jane).generateDataKey(arn, CONTEXT);
    await expect(theirs.as(jane).decrypt(ciphertext, CONTEXT)).rejects.toMatchObject({
      code: 'ERR_KEY_CIPHERTEXT',
    });
  });

  test('a data key that is none of a session is not given to one', async () => {
    const keys = localKeys();
    const { arn } = await keys.createKey();
    const caller = { principal: jane };
    const { ciphertext, plaintext } = await keys.generateDataKey(caller, arn, CONTEXT, { length: 32 });
    expect((await keys.decrypt(caller, ciphertext, CONTEXT)).plaintext).toEqual(plaintext);
    await expect(keys.as(jane).decrypt(ciphertext, CONTEXT)).rejects.toMatchObject({
      code: 'ERR_KEY_CIPHERTEXT',
    });
  });
});

// The same bytes by OpenSSL and by WebCrypto: a file of keys is good in every runtime.
test.each([
  ['OpenSSL', 'WebCrypto', systemKeyCipher(), webKeyCipher(crypto.subtle)],
  ['WebCrypto', 'OpenSSL', webKeyCipher(crypto.subtle), systemKeyCipher()],
])('what %s encrypts %s decrypts, and nothing else', async (_, __, one, two) => {
  const [key, nonce, plaintext, data] = [32, 12, 64, 100].map((n) =>
    crypto.getRandomValues(new Uint8Array(n)),
  );
  const sealed = await one.encrypt(key!, nonce!, plaintext!, data!);
  expect(sealed).toHaveLength(80);
  expect(await two.decrypt(key!, nonce!, sealed, data!)).toEqual(plaintext);
  expect(await two.decrypt(key!, nonce!, sealed, data!.subarray(1))).toBeUndefined();
  sealed[79]! ^= 1;
  expect(await two.decrypt(key!, nonce!, sealed, data!)).toBeUndefined();
});

test('a name in another case beside the right one gets nobody around a Deny', async () => {
  const everybody = { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' };
  const condition = { StringEquals: { 'kms:EncryptionContext:Purpose': 'payroll' } };
  const keys = localKeys();
  const { arn } = await keys.createKey({
    policy: { Statement: [everybody, { ...everybody, Effect: 'Deny', Condition: condition }] },
  });
  for (const context of [
    { Purpose: 'payroll' },
    { Purpose: 'payroll', purpose: 'test' },
    { purpose: 'test', Purpose: 'payroll' },
  ]) {
    await expect(keys.as(jane).generateDataKey(arn, context)).rejects.toMatchObject({
      code: 'ERR_KEY_ACCESS_DENIED',
    });
  }
});

describe('callbackKeyService', () => {
  const good = { plaintext: new Uint8Array(64), ciphertext: new Uint8Array(100) };

  test('gives each callback what the call was given', async () => {
    const calls: unknown[] = [];
    const keyService = callbackKeyService({
      async generateDataKey(...given) {
        calls.push(given);
        return good;
      },
      async decrypt(...given) {
        calls.push(given);
        return good.plaintext;
      },
    });
    const { signal } = new AbortController();
    await keyService.generateDataKey('alias/a', CONTEXT, { signal });
    await keyService.decrypt(good.ciphertext, CONTEXT, { keyId: 'alias/a', signal });
    expect(calls).toEqual([
      ['alias/a', CONTEXT, { signal }],
      [good.ciphertext, CONTEXT, { keyId: 'alias/a', signal }],
    ]);
  });

  test('says which callback was left out', async () => {
    const keyService = callbackKeyService({});
    await expect(keyService.generateDataKey('alias/a', CONTEXT)).rejects.toMatchObject({
      code: 'ERR_KEY_SERVICE',
      message: expect.stringContaining('without the callback generateDataKey'),
    });
    await expect(keyService.decrypt(good.ciphertext, CONTEXT)).rejects.toMatchObject({
      code: 'ERR_KEY_SERVICE',
      message: expect.stringContaining('without the callback decrypt'),
    });
  });

  test('keeps what a callback throws as the cause, at once or later', async () => {
    const cause = new Error('502 with secret words');
    for (const generateDataKey of [
      () => Promise.reject(cause),
      () => {
        throw cause;
      },
    ]) {
      const error = await callbackKeyService({ generateDataKey })
        .generateDataKey('alias/a', CONTEXT)
        .catch((error) => error);
      expect(error).toMatchObject({ code: 'ERR_KEY_SERVICE', cause });
      expect(error.message).not.toContain('secret');
    }
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['text', { plaintext: 'x'.repeat(64), ciphertext: 'y' }],
    ['32 bytes', { ...good, plaintext: new Uint8Array(32) }],
    ['no ciphertext', { plaintext: good.plaintext }],
    ['an empty ciphertext', { ...good, ciphertext: new Uint8Array() }],
    ['more than KMS takes', { ...good, ciphertext: new Uint8Array(6145) }],
  ])('takes %s for no data key', async (_, answer) => {
    const keyService = callbackKeyService({ generateDataKey: async () => answer as typeof good });
    await expect(keyService.generateDataKey('alias/a', CONTEXT)).rejects.toMatchObject({
      code: 'ERR_KEY_SERVICE',
    });
  });

  test('does not wait for a callback that ignores the signal', async () => {
    const keyService = callbackKeyService({ decrypt: () => new Promise(() => {}) });
    const controller = new AbortController();
    const call = keyService.decrypt(good.ciphertext, CONTEXT, { signal: controller.signal });
    controller.abort(new Error('no longer'));
    await expect(call).rejects.toThrow('no longer');
  });

  test('leaves no plaintext of an answer that it does not take', async () => {
    const key = () => new Uint8Array(64).fill(7);
    for (const answer of [
      { plaintext: key() },
      { plaintext: key(), ciphertext: new Uint8Array() },
      { plaintext: key().subarray(1), ciphertext: new Uint8Array(9) },
    ]) {
      const keyService = callbackKeyService({
        generateDataKey: async () => answer as typeof good,
      });
      await keyService.generateDataKey('alias/a', CONTEXT).catch(() => {});
      expect(Math.max(...answer.plaintext)).toBe(0);
    }
  });

  test('leaves no plaintext of an answer that comes when nobody waits any more', async () => {
    const plaintexts = [new Uint8Array(64).fill(7), new Uint8Array(64).fill(7)] as const;
    let answer = () => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const keyService = callbackKeyService({
      generateDataKey: () => asked.then(() => ({ ...good, plaintext: plaintexts[0] })),
      decrypt: () => asked.then(() => plaintexts[1]),
    });
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [
      keyService.generateDataKey('alias/a', CONTEXT, { signal }),
      keyService.decrypt(good.ciphertext, CONTEXT, { signal }),
    ];
    controller.abort();
    await Promise.allSettled(calls);
    answer();
    await new Promise((resolve) => setImmediate(resolve));
    expect(plaintexts.map((bytes) => Math.max(...bytes))).toEqual([0, 0]);
  });
});
