import { expect, it } from 'vitest';
import { HawserError } from '../../src/base/error.ts';
import { SignatureVerifier, signRequest, signWithNodeKey } from '../../src/crypto/index.ts';

const now = Date.UTC(2026, 10, 23, 12, 0, 0, 999);
const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret' };
const options = { credentials, region: 'eu-west-1', service: 'ssm', now };
const url = new URL('https://ssm.eu-west-1.amazonaws.com/');

it('gives every header to send, in lower case', async () => {
  const headers = await signRequest(
    { method: 'POST', url, headers: { 'Content-Type': 'application/x-amz-json-1.1', 'User-Agent': 'x' } },
    { ...options, credentials: { ...credentials, sessionToken: 'token' } },
  );
  expect(headers).toEqual({
    authorization: expect.stringMatching(
      /^AWS4-HMAC-SHA256 Credential=AKID\/20261123\/eu-west-1\/ssm\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
    ),
    'content-type': 'application/x-amz-json-1.1',
    host: 'ssm.eu-west-1.amazonaws.com',
    'user-agent': 'x',
    'x-amz-date': '20261123T120000Z',
    'x-amz-security-token': 'token',
  });
});

it('signs the same request at the same second the same way', async () => {
  const request = { method: 'GET', url, headers: {} };
  const first = await signRequest(request, options);
  expect(await signRequest(request, { ...options, now: now - 900 })).toEqual(first);
  expect(await signRequest(request, { ...options, now: now + 1 })).not.toEqual(first);
});

it('signs a retry afresh, without anything of the last try', async () => {
  const request = { method: 'POST', url, headers: {} };
  const last = await signRequest(request, {
    ...options,
    now: now - 60_000,
    credentials: { ...credentials, sessionToken: 'old' },
  });
  const retry = await signRequest({ ...request, headers: last }, options);
  expect(retry).toEqual(await signRequest(request, options));
});

it.each([
  'https://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/alice@example.com-0f95?role=publish_subscribe',
  'https://localhost:8443/v1/data-channel/a%20b%2Fc/../d//e/?x=1&x=0&y=a+b&z=%2B&empty=&flag',
  'wss://[::1]:8443/é?é=ü&tilde=~!*()',
  'https://localhost/?toString=1&constructor=2',
])('signs %s so that it verifies', async (address) => {
  const target = new URL(address);
  const request = { method: 'GET', url: target, headers: { 'X-Extra': '  a   b\t' } };
  const headers = new Headers(await signRequest(request, options));
  const verifier = new SignatureVerifier({ lookup: () => credentials });
  await expect(verifier.verify({ ...request, headers, body: new Uint8Array(0) }, options)).resolves.toBe(
    credentials,
  );
});

it.each([
  ['a line break in a value', { 'x-a': '1\r\nx-amz-target: evil' }],
  ['characters that HTTP sends as other bytes', { 'x-a': 'é' }],
  ['a line break in a name', { 'x-a\r\nx-b': '1' }],
  ['a line break that folds nothing', { 'x-a': '1\n \nx-amz-target: evil' }],
  ['a name in two spellings', { 'X-A': '1', 'x-a': '2' }],
])('refuses %s and keeps the value to itself', async (_, headers: Record<string, string>) => {
  const error = await signRequest({ method: 'GET', url, headers }, options).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HawserError);
  expect(error).toMatchObject({ code: 'ERR_SIGN_REQUEST' });
  expect((error as Error).message).not.toContain('evil');
  const key = { publicKey: '', sign: () => new Uint8Array(256) };
  await expect(
    signWithNodeKey({ method: 'GET', url, headers }, { ...options, instanceId: 'mi-1', key }),
  ).rejects.toMatchObject({ code: 'ERR_SIGN_REQUEST', message: (error as Error).message });
});
