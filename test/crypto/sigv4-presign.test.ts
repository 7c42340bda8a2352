import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { HawserError } from '../../src/base/error.ts';
import {
  HeaderLines,
  isSigned,
  type KeyRecord,
  payloadDigest,
  presignRequest,
  SignatureError,
  SignatureVerifier,
  type SignatureVerifierOptions,
  signRequest,
} from '../../src/crypto/index.ts';

const now = Date.UTC(2026, 10, 23, 12);
const scope = { region: 'eu-west-1', service: 'ssm', now };
const key = { secretAccessKey: 'the-secret-of-alice' };
const role = { secretAccessKey: 'the-secret-of-a-role', sessionToken: 'token/of+the/role==' };
const records: Record<string, KeyRecord> = { AKIDALICE: key, ASIAROLE: role };
const alice = { accessKeyId: 'AKIDALICE', ...key };
const url = new URL('https://ssm.eu-west-1.amazonaws.com/');
const headers = { 'x-amz-target': 'AmazonSSM.DescribeSessions' };
const body = new TextEncoder().encode('{"State":"Active"}');
const request = { method: 'POST', url, headers, body };
const options = { credentials: alice, ...scope, expires: 60 };

type Changes = Partial<{ url: string; headers: Record<string, string>; body: Uint8Array; now: number }>;

function verify(
  presigned: string,
  { headers: more = {}, body: sent = body, now: time = now }: Changes = {},
  {
    forms,
    ...extra
  }: Partial<SignatureVerifierOptions<KeyRecord>> & {
    forms?: readonly ('header' | 'query')[];
  } = {},
) {
  const verifier = new SignatureVerifier({ lookup: (id) => records[id], ...extra });
  return verifier.verify(
    {
      method: 'POST',
      url: new URL(presigned),
      headers: new Headers({ host: url.host, ...headers, ...more }),
      body: sent,
    },
    { ...scope, now: time, ...(forms ? { forms } : {}) },
  );
}

describe('presignRequest', () => {
  it('gives the URL with all that it takes to check it, each once', async () => {
    const presigned = new URL(await presignRequest(request, options));
    expect(presigned.origin + presigned.pathname).toBe(url.href);
    expect(Object.fromEntries(presigned.searchParams)).toEqual({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': 'AKIDALICE/20261123/eu-west-1/ssm/aws4_request',
      'X-Amz-Date': '20261123T120000Z',
      'X-Amz-Expires': '60',
      'X-Amz-SignedHeaders': 'host;x-amz-target',
      'X-Amz-Signature': expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await expect(verify(presigned.href)).resolves.toBe(key);
  });

  it('keeps what the URL has as it is spelled', async () => {
    const spelled = new URL('https://host.example/v1/a%20b?x=1&x=0&y=a+b&z=%2b&flag');
    const presigned = await presignRequest({ method: 'GET', url: spelled, headers: {} }, options);
    expect(presigned.startsWith(`${spelled.href}&X-Amz-`)).toBe(true);
  });

  it('puts the session token into the query, signed unless asked otherwise', async () => {
    const credentials = { accessKeyId: 'ASIAROLE', ...role };
    const signed = await presignRequest(request, { ...options, credentials });
    const unsigned = await presignRequest(request, { ...options, credentials, signedSessionToken: false });
    expect(new URL(signed).searchParams.get('X-Amz-Security-Token')).toBe(role.sessionToken);
    expect(new URL(unsigned).searchParams.get('X-Amz-Security-Token')).toBe(role.sessionToken);
    await expect(verify(signed)).resolves.toBe(role);
    await expect(verify(unsigned)).rejects.toThrow('does not match');
    await expect(verify(unsigned, {}, { signedSessionToken: false })).resolves.toBe(role);
    const wrong = unsigned.replace('token%2F', 'taken%2F');
    await expect(verify(wrong, {}, { signedSessionToken: false })).rejects.toMatchObject({
      awsCode: 'UnrecognizedClientException',
    });
  });

  it('leaves the body unsigned where asked, which says so and must be allowed', async () => {
    const presigned = await presignRequest(request, { ...options, unsignedPayload: true });
    expect(new URL(presigned).searchParams.get('X-Amz-Content-Sha256')).toBe('UNSIGNED-PAYLOAD');
    const other = { body: new TextEncoder().encode('{}') };
    await expect(verify(presigned, other, { unsignedPayload: true })).resolves.toBe(key);
    await expect(verify(presigned)).rejects.toThrow('must be signed here');
    // Where it is allowed, a body that is signed is checked all the same.
    const signed = await presignRequest(request, options);
    await expect(verify(signed, {}, { unsignedPayload: true })).resolves.toBe(key);
    await expect(verify(signed, other, { unsignedPayload: true })).rejects.toThrow(SignatureError);
  });

  it('signs the same with any SHA-256', async () => {
    const digest = payloadDigest((bytes) => createHash('sha256').update(bytes).digest());
    expect(await presignRequest(request, { ...options, digest })).toBe(
      await presignRequest(request, options),
    );
    expect(await signRequest(request, { ...options, digest })).toEqual(await signRequest(request, options));
  });

  it.each([0, -1, 1.5, 604_801, Number.NaN, Number.POSITIVE_INFINITY])(
    'cannot be good for %d s',
    async (expires) => {
      const error = await presignRequest(request, { ...options, expires }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(HawserError);
      expect(error).toMatchObject({ code: 'ERR_SIGN_REQUEST', message: expect.stringContaining('604800') });
    },
  );

  it.each([
    ['what is presigned', 'https://host.example/?x-amz-signature=0'],
    ['a query that is not UTF-8', 'https://host.example/?a=%ff'],
  ])('does not sign %s, nor does signRequest', async (_, address) => {
    const unfit = { ...request, url: new URL(address) };
    const refusal = { code: 'ERR_SIGN_REQUEST' };
    await expect(presignRequest(unfit, options)).rejects.toMatchObject(refusal);
    await expect(signRequest(unfit, options)).rejects.toMatchObject(refusal);
  });

  it.each(['no-slash', '/a?b', '/a#b', '/a\nb', '/\ud800'])('does not sign the path %j', async (pathname) => {
    const unfit = { ...request, url: { protocol: 'https:', host: 'host.example', pathname, search: '' } };
    await expect(presignRequest(unfit, options)).rejects.toMatchObject({ code: 'ERR_SIGN_REQUEST' });
  });
});

describe('a presigned request', () => {
  const minutes = 60_000;

  it.each([
    [60_000, 60, 'accepted'],
    [60_001, 60, 'refused'],
    [5 * minutes + 1, 3600, 'accepted'],
    [604_800_000, 604_800, 'accepted'],
    [604_800_001, 604_800, 'refused'],
    [-5 * minutes, 60, 'accepted'],
    [-5 * minutes - 1, 60, 'refused'],
  ])('%i ms after its date, good for %i s: %s', async (offset, expires, outcome) => {
    const verified = verify(await presignRequest(request, { ...options, expires }), { now: now + offset });
    if (outcome === 'accepted') await expect(verified).resolves.toBe(key);
    else await expect(verified).rejects.toMatchObject({ awsCode: 'InvalidSignatureException' });
  });

  it('has expired in the words of AWS', async () => {
    const presigned = await presignRequest(request, options);
    await expect(verify(presigned, { now: now + 120_000 })).rejects.toThrow(
      'Signature expired: 20261123T120000Z is now earlier than 20261123T120100Z (20261123T120200Z - 1 min.)',
    );
    await expect(verify(presigned, { now: now - 600_000 })).rejects.toThrow(
      'Signature not yet current: 20261123T120000Z is still later than 20261123T115500Z (20261123T115000Z + 5 min.)',
    );
  });

  it('cannot have an Authorization header, too', async () => {
    const presigned = await presignRequest(request, options);
    const signed = await signRequest(request, options);
    for (const authorization of [signed.authorization!, 'Bearer abc']) {
      await expect(verify(presigned, { headers: { ...signed, authorization } })).rejects.toMatchObject({
        awsCode: 'InvalidSignatureException',
        message: "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
      });
    }
  });

  it.each(['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Signature'])(
    'must have X-Amz-%s, once and so spelled',
    async (name) => {
      const presigned = new URL(await presignRequest(request, options));
      const [whole] = new RegExp(`X-Amz-${name}=[^&]*`).exec(presigned.href)!;
      const edits: Record<string, string> = {
        missing: presigned.href.replace(whole, 'x=1'),
        empty: presigned.href.replace(whole, `X-Amz-${name}=`),
        twice: `${presigned.href}&${whole}`,
        'twice, another way': `${presigned.href}&${whole.toLowerCase()}`,
        'in another spelling': presigned.href.replace(whole, whole.replace('X-Amz', 'x-amz')),
        'not in UTF-8': presigned.href.replace(whole, `${whole}%ff`),
      };
      for (const [edit, href] of Object.entries(edits)) {
        const error = await verify(href).catch((reason: unknown) => reason);
        expect(error, edit).toMatchObject({ awsCode: 'IncompleteSignatureException' });
        expect((error as Error).message, edit).toContain(`X-Amz-${name}'`);
      }
    },
  );

  it('has its token in the query alone', async () => {
    const credentials = { accessKeyId: 'ASIAROLE', ...role };
    const presigned = await presignRequest(request, { ...options, credentials });
    const twice = { headers: { 'x-amz-security-token': role.sessionToken } };
    await expect(verify(presigned, twice)).rejects.toMatchObject({ awsCode: 'IncompleteSignatureException' });
  });

  it('is taken only where presigned requests are', async () => {
    const presigned = await presignRequest(request, options);
    await expect(verify(presigned, {}, { forms: ['header'] })).rejects.toMatchObject({
      awsCode: 'MissingAuthenticationTokenException',
    });
    const signed = await signRequest(request, options);
    await expect(verify(url.href, { headers: signed }, { forms: ['query'] })).rejects.toMatchObject({
      awsCode: 'MissingAuthenticationTokenException',
    });
    await expect(verify(url.href, { headers: signed }, { forms: ['header'] })).resolves.toBe(key);
  });

  it('says what is wrong without signature, token or secret', async () => {
    const credentials = { accessKeyId: 'ASIAROLE', ...role };
    const presigned = new URL(await presignRequest(request, { ...options, credentials }));
    const signature = presigned.searchParams.get('X-Amz-Signature')!;
    for (const change of [
      { now: now + 3_600_000 },
      { body: new Uint8Array(0) },
      { headers: { authorization: 'Basic abc' } },
      { headers: { 'x-amz-content-sha256': '0' } },
    ]) {
      const error = await verify(presigned.href, change).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SignatureError);
      const said = JSON.stringify(error) + (error as Error).stack;
      for (const secret of [
        signature,
        role.sessionToken,
        role.secretAccessKey,
        encodeURIComponent(role.sessionToken),
      ]) {
        expect(said).not.toContain(secret);
      }
    }
  });
});

describe('what is not taken', () => {
  it.each([
    ['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'whole'],
    ['x-amz-content-sha256', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'whole'],
    ['content-encoding', 'gzip, AWS-chunked', 'whole'],
    ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD', 'must be signed here'],
  ])('is a body with %s: %s', async (name, value, said) => {
    const signed = await signRequest({ ...request, headers: { ...headers, [name]: value } }, options);
    await expect(verify(url.href, { headers: signed })).rejects.toMatchObject({
      awsCode: 'InvalidSignatureException',
      message: expect.stringContaining(said),
    });
  });

  it('is a key for all regions (SigV4A), in either form', async () => {
    const refusal = {
      awsCode: 'IncompleteSignatureException',
      message: expect.stringContaining('Signature Version 4A'),
    };
    const signed = await signRequest(request, options);
    const authorization = signed.authorization!.replace('HMAC-SHA256', 'ECDSA-P256-SHA256');
    await expect(verify(url.href, { headers: { ...signed, authorization } })).rejects.toMatchObject(refusal);
    const presigned = (await presignRequest(request, options)).replace('HMAC-SHA256', 'ECDSA-P256-SHA256');
    await expect(verify(presigned)).rejects.toMatchObject(refusal);
  });

  it('comes near neither look-up nor signing keys when its scope is made up', async () => {
    const asked: string[] = [];
    const lookup = (id: string) => {
      asked.push(id);
      return records[id];
    };
    const presigned = await presignRequest(request, options);
    for (const hostile of ['20261122', '19700101', 'us-east-1', 'iam', 'x'.repeat(64)]) {
      for (const part of ['20261123', 'eu-west-1', 'ssm']) {
        const href = presigned.replace(`%2F${part}%2F`, `%2F${hostile}%2F`);
        await expect(verify(href, {}, { lookup })).rejects.toThrow(SignatureError);
      }
    }
    expect(asked).toEqual([]);
  });
});

describe('S3', () => {
  const s3 = { ...options, service: 's3', pathEncoding: 's3' } as const;
  const object = {
    protocol: 'https:',
    host: 'bucket.s3.amazonaws.com',
    pathname: '/a b/../c//d',
    search: '',
  };
  const verifyAt = (
    received: Partial<Parameters<SignatureVerifier['verify']>[0]>,
    unsignedPayload: boolean,
  ) =>
    new SignatureVerifier({ lookup: () => key, pathEncoding: 's3', unsignedPayload }).verify(
      {
        method: 'GET',
        url: object,
        headers: new Headers({ host: object.host }),
        body: new Uint8Array(0),
        ...received,
      },
      { ...scope, service: 's3' },
    );

  it('gets the hash of the body, which it wants, and the path as it is', async () => {
    const signed = await signRequest({ method: 'GET', url: object, headers: {} }, s3);
    expect(signed['x-amz-content-sha256']).toMatch(/^e3b0c442/);
    await expect(verifyAt({ headers: new Headers(signed) }, false)).resolves.toBe(key);
    const resolved = { ...object, pathname: '/c/d' };
    await expect(verifyAt({ headers: new Headers(signed), url: resolved }, false)).rejects.toThrow(
      'does not match',
    );
  });

  it('takes a presigned body that is stated to be unsigned, where that is allowed', async () => {
    const presigned = await presignRequest(
      { method: 'GET', url: object, headers: {} },
      { ...s3, unsignedPayload: true },
    );
    const received = { url: { ...object, search: presigned.slice(presigned.indexOf('?')) }, body };
    await expect(verifyAt(received, true)).resolves.toBe(key);
    await expect(verifyAt(received, false)).rejects.toThrow('must be signed here');
  });
});

describe('repeated headers', () => {
  it('are signed line by line and sent as one', async () => {
    const signed = await signRequest(
      { ...request, headers: { ...headers, 'X-A': [' 1 ', '2,3', ''] } },
      options,
    );
    expect(signed['x-a']).toBe('1,2,3,');
    const { 'x-a': _, ...others } = signed;
    const lines = [...Object.entries(others), ['X-A', '1'], ['x-a', '\t2,3'], ['x-A', '']] as const;
    const verifier = new SignatureVerifier({ lookup: () => key });
    const received = { method: 'POST', url, body };
    const moved = [...lines.slice(0, -2), lines.at(-1)!, lines.at(-2)!];
    await expect(verifier.verify({ ...received, headers: new HeaderLines(lines) }, scope)).resolves.toBe(key);
    await expect(verifier.verify({ ...received, headers: new HeaderLines(moved) }, scope)).rejects.toThrow(
      'does not match',
    );
  });
});

it.each([
  ['https://host.example/', {}, false],
  ['https://host.example/?x=X-Amz-Signature', {}, false],
  ['https://host.example/', { authorization: 'Basic abc' }, true],
  ['https://host.example/?X-Amz-Algorithm=x', {}, true],
  ['https://host.example/?a&X-Amz-Signature', {}, true],
  ['https://host.example/?X-Amz%2DSignature=1', {}, true],
])('%s with %j is signed: %s', (address, given, answer) => {
  expect(isSigned({ url: new URL(address), headers: new Headers(given) })).toBe(answer);
});
