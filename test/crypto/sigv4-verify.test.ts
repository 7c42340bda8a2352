import { describe, expect, it } from 'vitest';
import { payloadDigest } from '../../src/crypto/digest.ts';
import {
  type KeyRecord,
  type ReceivedRequest,
  SignatureError,
  SignatureVerifier,
  sha256Digest,
  signRequest,
} from '../../src/crypto/index.ts';

const now = Date.UTC(2026, 10, 23, 12);
const scope = { region: 'eu-west-1', service: 'ssm', now };
const key = { secretAccessKey: 'the-secret-of-alice', principal: 'alice' };
const temporary = {
  secretAccessKey: 'the-secret-of-a-role',
  sessionToken: 'token/of+the/role==',
  expiration: new Date(now + 1),
};
const keys = new Map<string, KeyRecord>([
  ['AKIDALICE', key],
  ['ASIAROLE', temporary],
]);
const verifier = new SignatureVerifier({ lookup: (id) => keys.get(id) });

describe('SignatureVerifier', () => {
  it('answers with the record that was looked up', async () => {
    await expect(verifier.verify(await signed(), scope)).resolves.toBe(key);
  });

  it('passes on what the look-up throws', async () => {
    const broken = new SignatureVerifier({
      lookup: () => Promise.reject(new Error('store is down')),
    });
    await expect(broken.verify(await signed(), scope)).rejects.toThrow('store is down');
  });

  it.each(['constructor', 'toString', '__proto__'])(
    'takes a record without a secret for none: %s',
    async (id) => {
      // What a plain object finds under this name is no key record, and its secret must not read as a word.
      const plain: Record<string, KeyRecord> = { AKIDALICE: key };
      const careless = new SignatureVerifier({ lookup: (name) => plain[name] });
      const credentials = { accessKeyId: id, secretAccessKey: 'undefined' };
      await expect(careless.verify(await signed({ credentials }), scope)).rejects.toMatchObject({
        awsCode: 'UnrecognizedClientException',
      });
    },
  );

  it('hashes with the digest it is given, and derives the key of a scope once', async () => {
    let hashed = 0;
    const counting = payloadDigest((bytes) => {
      hashed += 1;
      const digest = new Uint8Array(32);
      sha256Digest.write(bytes, digest, 0);
      return digest;
    });
    const own = new SignatureVerifier({ lookup: (id) => keys.get(id), digest: counting });
    await own.verify(await signed(), scope);
    // Body and canonical request, the signature's HMAC of two, and four more of those for the signing key.
    expect(hashed).toBe(2 + 2 + 4 * 2);
    await own.verify(await signed(), scope);
    expect(hashed).toBe(12 + 2 + 2);
  });

  it('asks for a signature where there is none', async () => {
    await refused(await signed({ without: ['authorization'] }), 'MissingAuthenticationTokenException');
  });

  it('tells an unknown access key from a wrong signature, as AWS does', async () => {
    await refused(
      await signed({ credentials: { accessKeyId: 'AKIDNOBODY', secretAccessKey: 'x' } }),
      'UnrecognizedClientException',
    );
    await refused(
      await signed({ credentials: { accessKeyId: 'AKIDALICE', secretAccessKey: 'x' } }),
      'InvalidSignatureException',
    );
  });

  it('takes the host of the URL and the length of the body where the runtime hides the headers', async () => {
    const request = await signed({ headers: { 'content-length': '2' }, without: ['host', 'content-length'] });
    await expect(verifier.verify(request, scope)).resolves.toBe(key);
  });

  it('verifies under the Host header when the URL has the address behind a proxy', async () => {
    const request = await signed();
    const url = new URL('http://10.0.0.7:8080/');
    await expect(verifier.verify({ ...request, url }, scope)).resolves.toBe(key);
  });

  it('goes on with the new secret of an access key, not with a remembered one', async () => {
    const rotating = new Map([['AKIDALICE', { secretAccessKey: 'old' }]]);
    const own = new SignatureVerifier({ lookup: (id) => rotating.get(id) });
    const old = await signed({ credentials: { accessKeyId: 'AKIDALICE', secretAccessKey: 'old' } });
    await own.verify(old, scope);
    rotating.set('AKIDALICE', { secretAccessKey: 'new' });
    await expect(own.verify(old, scope)).rejects.toThrow(SignatureError);
    await own.verify(
      await signed({ credentials: { accessKeyId: 'AKIDALICE', secretAccessKey: 'new' } }),
      scope,
    );
  });

  it('says what is wrong without the signature, the token or the secret', async () => {
    const request = await signed({
      credentials: { accessKeyId: 'ASIAROLE', ...temporary },
      set: { 'x-amz-target': 'AmazonSSM.Else' },
    });
    const error = await refused(request, 'InvalidSignatureException');
    expect(error).toMatchObject({ code: 'ERR_SIGNATURE', status: 400, name: 'SignatureError' });
    expect(error.message).toMatch(/^The request signature we calculated does not match/);
    const said = JSON.stringify(error) + error.stack;
    for (const secret of [
      temporary.secretAccessKey,
      temporary.sessionToken,
      signatureOf(request),
      'AWS4-HMAC-SHA256\n',
    ]) {
      expect(said).not.toContain(secret);
    }
  });
});

describe('the signed headers', () => {
  it.each(['host', 'x-amz-date', 'x-amz-target'])('must have %s among them', async (name) => {
    const request = await signed();
    const authorization = request.headers.get('authorization')!;
    const without = authorization.replace(new RegExp(`(SignedHeaders=.*?)(;${name}|${name};)`), '$1');
    expect(without).not.toBe(authorization);
    request.headers.set('authorization', without);
    const error = await refused(request, 'InvalidSignatureException');
    expect(error.message).toContain(name);
  });

  it('need not have x-amz-target among them when the request has none', async () => {
    const request = await signed({ headers: {}, drop: ['x-amz-target'] });
    await expect(verifier.verify(request, scope)).resolves.toBe(key);
  });

  it('must all be in the request', async () => {
    const request = await signed({ headers: { 'x-extra': '1' }, without: ['x-extra'] });
    const error = await refused(request, 'InvalidSignatureException');
    expect(error.message).toContain("'x-extra'");
  });

  it('must be printable ASCII', async () => {
    const error = await refused(
      await signed({ headers: { 'x-extra': 'e' }, set: { 'x-extra': 'é' } }),
      'InvalidSignatureException',
    );
    expect(error.message).toContain('printable ASCII');
  });

  it('may differ in white space alone', async () => {
    const request = await signed({ headers: { 'x-extra': 'a b' }, set: { 'x-extra': '  a \t b ' } });
    await expect(verifier.verify(request, scope)).resolves.toBe(key);
  });
});

describe('the date', () => {
  const minutes = 5 * 60_000;

  it.each([
    [0, 'accepted'],
    [minutes, 'accepted'],
    [-minutes, 'accepted'],
    [minutes + 1, 'refused'],
    [-minutes - 1, 'refused'],
  ])('is %i ms off the clock: %s', async (offset, outcome) => {
    const verified = verifier.verify(await signed(), { ...scope, now: now + offset });
    if (outcome === 'accepted') await expect(verified).resolves.toBe(key);
    else await expect(verified).rejects.toMatchObject({ awsCode: 'InvalidSignatureException' });
  });

  it('may be off by as much as the option says', async () => {
    const strict = new SignatureVerifier({ lookup: () => key, maxClockSkew: 1000 });
    const request = await signed();
    await expect(strict.verify(request, { ...scope, now: now + 1000 })).resolves.toBe(key);
    await expect(strict.verify(request, { ...scope, now: now + 1001 })).rejects.toThrow(
      'Signature expired: 20261123T120000Z is now earlier than 20261123T120000Z (20261123T120001Z - 0.02 min.)',
    );
  });

  it('is told from the clock in the words that SDKs correct their clock by', async () => {
    const request = await signed();
    await expect(verifier.verify(request, { ...scope, now: now + 600_000 })).rejects.toThrow(
      'Signature expired: 20261123T120000Z is now earlier than 20261123T120500Z (20261123T121000Z - 5 min.)',
    );
    await expect(verifier.verify(request, { ...scope, now: now - 600_000 })).rejects.toThrow(
      'Signature not yet current: 20261123T120000Z is still later than 20261123T115500Z (20261123T115000Z + 5 min.)',
    );
  });

  it.each([
    '',
    '2026-11-23T12:00:00Z',
    '20261123T120000',
    '20260230T120000Z',
    '20261123T120000Z, 20261123T120000Z',
    '20261123T126000Z',
  ])('cannot be %j', async (date) => {
    await refused(await signed({ set: { 'x-amz-date': date } }), 'InvalidSignatureException');
  });

  it('cannot be left out for a Date header', async () => {
    await refused(
      await signed({ without: ['x-amz-date'], set: { date: 'Mon, 23 Nov 2026 12:00:00 GMT' } }),
      'InvalidSignatureException',
    );
  });
});

describe('the scope', () => {
  it.each([
    ['region', { ...scope, region: 'eu-west-2' }],
    ['service', { ...scope, service: 'ssmmessages' }],
  ])('has the %s of the service', async (word, expected) => {
    const error = await refused(await signed(), 'InvalidSignatureException', expected);
    expect(error.message).toContain(word);
  });

  it.each([
    ['20261123/', '20261122/', 'X-Amz-Date'],
    ['aws4_request', 'aws4_demand', 'terminator'],
  ])('cannot have %j as %j', async (good, bad, word) => {
    const request = await signed();
    request.headers.set('authorization', request.headers.get('authorization')!.replace(good, bad));
    const error = await refused(request, 'InvalidSignatureException');
    expect(error.message).toContain(word);
  });
});

describe('the body', () => {
  it('is hashed as received, whatever x-amz-content-sha256 says', async () => {
    const request = await signed({
      headers: { 'x-amz-content-sha256': '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a' },
    });
    await expect(verifier.verify(request, scope)).resolves.toBe(key);
    const error = await refused(
      { ...request, body: new TextEncoder().encode('[]') },
      'InvalidSignatureException',
    );
    expect(error.message).toContain('x-amz-content-sha256');
  });

  it('cannot be left unsigned', async () => {
    await refused(
      await signed({ headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }),
      'InvalidSignatureException',
    );
  });
});

describe('temporary credentials', () => {
  const credentials = { accessKeyId: 'ASIAROLE', ...temporary };

  it('are good until their end', async () => {
    const request = await signed({ credentials });
    await expect(verifier.verify(request, scope)).resolves.toBe(temporary);
    await refused(request, 'ExpiredTokenException', { ...scope, now: now + 1 });
  });

  it.each([
    ['another token', { ...credentials, sessionToken: 'token/of+the/role=!' }],
    ['a longer token', { ...credentials, sessionToken: 'token/of+the/role===' }],
    ['no token', { ...credentials, sessionToken: undefined }],
  ])('are refused with %s', async (_, wrong) => {
    await refused(await signed({ credentials: wrong }), 'UnrecognizedClientException');
  });

  it('are what a token belongs to: a user with one is refused', async () => {
    const wrong = {
      accessKeyId: 'AKIDALICE',
      secretAccessKey: key.secretAccessKey,
      sessionToken: 'made up',
    };
    await refused(await signed({ credentials: wrong }), 'UnrecognizedClientException');
  });

  it('are not called expired to somebody who has not the secret', async () => {
    await refused(
      await signed({ credentials: { ...credentials, secretAccessKey: 'guess' } }),
      'InvalidSignatureException',
      { ...scope, now: now + 1 },
    );
  });
});

interface Recipe {
  readonly credentials?: Parameters<typeof signRequest>[1]['credentials'];
  /** Headers beside `x-amz-target`, and those not to sign at all. */
  readonly headers?: Record<string, string>;
  readonly drop?: readonly string[];
  /** Changes after signing. */
  readonly set?: Record<string, string>;
  readonly without?: readonly string[];
}

async function signed(recipe: Recipe = {}): Promise<ReceivedRequest & { headers: Headers }> {
  const url = new URL('https://ssm.eu-west-1.amazonaws.com/');
  const body = new TextEncoder().encode('{}');
  const given: Record<string, string> = { 'x-amz-target': 'AmazonSSM.StartSession', ...recipe.headers };
  for (const name of recipe.drop ?? []) delete given[name];
  const headers = new Headers(
    await signRequest(
      { method: 'POST', url, headers: given, body },
      {
        credentials: recipe.credentials ?? { accessKeyId: 'AKIDALICE', ...key },
        region: 'eu-west-1',
        service: 'ssm',
        now,
      },
    ),
  );
  for (const [name, value] of Object.entries(recipe.set ?? {})) headers.set(name, value);
  for (const name of recipe.without ?? []) headers.delete(name);
  return { method: 'POST', url, headers, body };
}

async function refused(
  request: ReceivedRequest,
  awsCode: SignatureError['awsCode'],
  expected = scope,
): Promise<SignatureError> {
  const error = await verifier.verify(request, expected).then(
    () => expect.unreachable('the request was accepted'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SignatureError);
  expect((error as SignatureError).awsCode).toBe(awsCode);
  return error as SignatureError;
}

function signatureOf(request: ReceivedRequest): string {
  return /Signature=(\w+)/.exec(request.headers.get('authorization')!)![1]!;
}
