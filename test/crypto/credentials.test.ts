import { expect, it } from 'vitest';
import { CredentialsError, resolveCredentials } from '../../src/crypto/index.ts';

const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret' };

it('gives credentials as they are and asks a provider', async () => {
  await expect(resolveCredentials(credentials)).resolves.toBe(credentials);
  await expect(resolveCredentials(async () => credentials)).resolves.toBe(credentials);
});

it.each([
  ['rejects', () => Promise.reject(new Error('no profile'))],
  [
    'throws',
    () => {
      throw new Error('no profile');
    },
  ],
])('keeps the cause when the provider %s', async (_, provider) => {
  const error = await resolveCredentials(provider).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CredentialsError);
  expect(error).toMatchObject({ code: 'ERR_CREDENTIALS', cause: new Error('no profile') });
});

it.each([
  { ...credentials, secretAccessKey: '' },
  { ...credentials, accessKeyId: '' },
])('refuses credentials without a key, and says neither', async (partial) => {
  const error = await resolveCredentials(async () => partial).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CredentialsError);
  expect((error as Error).message).not.toContain('AKID');
});

it('refuses a provider that gives nothing', async () => {
  await expect(resolveCredentials(async () => undefined as never)).rejects.toThrow(CredentialsError);
});
