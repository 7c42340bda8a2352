import type { KeyService, KeyServiceErrorCode, LocalKeyService } from 'hawser/kms';
import { describe, expect, test } from 'vitest';
import { CONTEXT, jane, keysOf } from './world.ts';

/**
 * What every {@link KeyService} must do.
 *
 * @param open the key service of jane, over the keys that it is given
 */
export function keyServiceContract(
  name: string,
  keys: () => Promise<LocalKeyService>,
  open: (keys: LocalKeyService) => Promise<KeyService>,
): void {
  async function world() {
    const local = await keys();
    return { local, ...(await keysOf(local)), keyService: await open(local) };
  }

  async function code(call: Promise<unknown>): Promise<KeyServiceErrorCode> {
    const error = await call.then(
      () => expect.fail('The call succeeded.'),
      (error) => error,
    );
    expect(error).toMatchObject({ name: 'KeyServiceError' });
    return error.code;
  }

  describe(name, () => {
    test('gives data keys of 64 bytes, each another, and decrypts them', async () => {
      const { keyService, key } = await world();
      const one = await keyService.generateDataKey(key.arn, CONTEXT);
      const two = await keyService.generateDataKey(key.arn, CONTEXT);
      expect([one.plaintext.length, two.plaintext.length]).toEqual([64, 64]);
      expect(one.plaintext).not.toEqual(two.plaintext);
      expect(await keyService.decrypt(one.ciphertext, CONTEXT)).toEqual(one.plaintext);
      expect(await keyService.decrypt(two.ciphertext, CONTEXT, { keyId: key.arn })).toEqual(two.plaintext);
    });

    test('knows a key by id, ARN, alias and the ARN of an alias', async () => {
      const { keyService, key } = await world();
      const aliasArn = key.arn.replace(/key\/.*/, 'alias/sessions');
      for (const keyId of [key.id, key.arn, 'alias/sessions', aliasArn]) {
        const { plaintext, ciphertext } = await keyService.generateDataKey(keyId, CONTEXT);
        expect(await keyService.decrypt(ciphertext, CONTEXT, { keyId })).toEqual(plaintext);
      }
    });

    test('takes an encryption context in any order, and as none when it is empty', async () => {
      const { keyService, key } = await world();
      const { plaintext, ciphertext } = await keyService.generateDataKey(key.arn, { a: '1', b: '2', Ä: '3' });
      expect(await keyService.decrypt(ciphertext, { Ä: '3', b: '2', a: '1' })).toEqual(plaintext);
      const bare = await keyService.generateDataKey(key.arn, {});
      expect(await keyService.decrypt(bare.ciphertext, {})).toEqual(bare.plaintext);
    });

    test.each<[string, Record<string, string>]>([
      ['a value', { ...CONTEXT, 'aws:ssm:TargetId': 'mi-00000000000000000' }],
      ['the case of a value', { ...CONTEXT, 'aws:ssm:TargetId': CONTEXT['aws:ssm:TargetId'].toUpperCase() }],
      ['a member less', { 'aws:ssm:SessionId': CONTEXT['aws:ssm:SessionId'] }],
      ['a member more', { ...CONTEXT, 'aws:ssm:RandomChallenge': 'AAAA' }],
      ['nothing', {}],
    ])('decrypts with no other encryption context: %s', async (_, context) => {
      const { keyService, key } = await world();
      const { ciphertext } = await keyService.generateDataKey(key.arn, CONTEXT);
      expect(await code(keyService.decrypt(ciphertext, context))).toBe('ERR_KEY_CIPHERTEXT');
      expect(await code(keyService.decrypt(ciphertext, context, { keyId: key.arn }))).toBe(
        'ERR_KEY_CIPHERTEXT',
      );
    });

    test('decrypts nothing whose bytes were changed, or that it did not make', async () => {
      const { keyService, key } = await world();
      const { ciphertext } = await keyService.generateDataKey(key.arn, CONTEXT);
      const { length } = ciphertext;
      for (const at of [0, 1, 16, 17, 28, 29, length - 17, length - 1]) {
        const changed = ciphertext.slice();
        changed[at]! ^= 1;
        expect(await code(keyService.decrypt(changed, CONTEXT)), `byte ${at}`).toBe('ERR_KEY_CIPHERTEXT');
      }
      for (const strange of [ciphertext.subarray(1), ciphertext.subarray(0, 20), Uint8Array.of(1)]) {
        expect(await code(keyService.decrypt(strange, CONTEXT))).toBe('ERR_KEY_CIPHERTEXT');
      }
    });

    test('decrypts nothing that is under another key than the one that is named', async () => {
      const { keyService, key, other } = await world();
      const { ciphertext } = await keyService.generateDataKey(key.arn, CONTEXT);
      expect(await code(keyService.decrypt(ciphertext, CONTEXT, { keyId: other.arn }))).toBe(
        'ERR_KEY_MISMATCH',
      );
    });

    test('says when there is no such key', async () => {
      const { keyService, key } = await world();
      const { ciphertext } = await keyService.generateDataKey(key.arn, CONTEXT);
      const elsewhere = key.arn.replace('eu-central-1', 'us-east-1');
      for (const keyId of ['alias/none', '00000000-0000-4000-8000-000000000000', elsewhere]) {
        expect(await code(keyService.generateDataKey(keyId, CONTEXT))).toBe('ERR_KEY_NOT_FOUND');
        expect(await code(keyService.decrypt(ciphertext, CONTEXT, { keyId }))).toBe('ERR_KEY_NOT_FOUND');
      }
    });

    test('uses no key that is disabled, until it is enabled again', async () => {
      const { local, keyService, key } = await world();
      const { plaintext, ciphertext } = await keyService.generateDataKey(key.arn, CONTEXT);
      await local.disableKey('alias/sessions');
      expect(await code(keyService.generateDataKey(key.arn, CONTEXT))).toBe('ERR_KEY_UNUSABLE');
      expect(await code(keyService.decrypt(ciphertext, CONTEXT))).toBe('ERR_KEY_UNUSABLE');
      await local.enableKey(key.id);
      expect(await keyService.decrypt(ciphertext, CONTEXT)).toEqual(plaintext);
    });

    test('keeps to the policy of the key', async () => {
      const { keyService, onlyGenerate, nobodys } = await world();
      const { ciphertext } = await keyService.generateDataKey(onlyGenerate.arn, CONTEXT);
      expect(await code(keyService.decrypt(ciphertext, CONTEXT))).toBe('ERR_KEY_ACCESS_DENIED');
      expect(await code(keyService.generateDataKey(nobodys.arn, CONTEXT))).toBe('ERR_KEY_ACCESS_DENIED');
    });

    test('gives up when its signal fires', async () => {
      const { keyService, key } = await world();
      const signal = AbortSignal.abort(new Error('no longer'));
      await expect(keyService.generateDataKey(key.arn, CONTEXT, { signal })).rejects.toThrow('no longer');
      await expect(keyService.decrypt(new Uint8Array(100), CONTEXT, { signal })).rejects.toThrow('no longer');
    });

    test('says nothing secret in its errors, and names who asked for what', async () => {
      const { keyService, nobodys } = await world();
      const error = await keyService.generateDataKey(nobodys.arn, CONTEXT).catch((error) => error);
      expect(error.message).toContain(jane.arn);
      expect(error.message).toContain('kms:GenerateDataKey');
      expect(error.message).toContain(nobodys.arn);
    });
  });
}
