import { describe, expect, it } from 'vitest';
import { sha256Digest } from '../../src/crypto/digest.ts';
import {
  HeaderLines,
  presignRequest,
  type ReceivedRequest,
  SignatureVerifier,
  signRequest,
} from '../../src/crypto/index.ts';
import { parseAuthorization } from '../../src/crypto/sigv4/authorization.ts';
import { canonicalRequest } from '../../src/crypto/sigv4/canonical-request.ts';
import { parseQuery } from '../../src/crypto/sigv4/query.ts';
import { deriveSigningKey, sha256Hex, signature, stringToSign } from '../../src/crypto/sigv4/signature.ts';
import { findSignature } from '../../src/crypto/sigv4/signature-form.ts';
import { parseHttp, type SuiteCase, suite } from './aws-suite.ts';

it('has the 38 published cases', () => {
  expect(suite).toHaveLength(38);
});

describe.each(['header', 'query'] as const)("AWS's signing suite, %s form", (form) => {
  describe.each(suite)('$name', (testCase) => {
    const stated = testCase[form];
    const received = parseHttp(stated.signedRequest);

    it('has the canonical request, the string to sign and the signature that AWS states', () => {
      const { credentials } = testCase.context;
      const { authorization, parameters, amzDate } = findSignature(
        received,
        parseQuery(received.url.search),
        {
          forms: [form],
          signedSessionToken: !testCase.context.omit_session_token,
        },
      );
      const canonical = canonicalRequest(
        {
          method: received.method,
          path: received.url.pathname,
          query: parameters,
          headers: authorization.signedHeaders.map((name) => [name, received.headers.get(name)!]),
          payloadHash: sha256Hex(received.body, sha256Digest),
        },
        pathEncoding(testCase),
      );
      expect(canonical).toBe(stated.canonicalRequest);
      const text = stringToSign(canonical, amzDate!, authorization.scope, sha256Digest);
      expect(text).toBe(stated.stringToSign);
      const key = deriveSigningKey(credentials.secret_access_key, authorization.scope, sha256Digest);
      expect(signature(key, text, sha256Digest)).toBe(stated.signature);
      expect(authorization.signature).toBe(stated.signature);
    });

    it('is accepted', async () => {
      await expect(verify(testCase, received)).resolves.toMatchObject(keyRecord(testCase));
    });

    it('is refused with one character of the signature changed', async () => {
      const changed = stated.signature.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
      const request = parseHttp(stated.signedRequest.replaceAll(stated.signature, changed));
      await expect(verify(testCase, request)).rejects.toMatchObject({
        awsCode: 'InvalidSignatureException',
      });
    });
  });
});

describe("AWS's signing suite, signed here", () => {
  it.each(suite)('$name, header form', async (testCase) => {
    const stated = parseHttp(testCase.header.signedRequest);
    const signed = await signRequest(signable(testCase, stated), options(testCase));
    expect(parseAuthorization(signed.authorization!).signature).toBe(testCase.header.signature);
    // Lines of one name are sent as one, and folded lines unfolded; all else is as AWS sends it.
    expect(signed).toEqual(
      Object.fromEntries(
        stated.lines.map(([name]) => [name.toLowerCase(), stated.headers.get(name)!.replace(/\n +/g, ' ')]),
      ),
    );
    await expect(
      verify(testCase, { ...stated, headers: new HeaderLines(Object.entries(signed)) }),
    ).resolves.toBeDefined();
  });

  it.each(suite)('$name, query form', async (testCase) => {
    const stated = parseHttp(testCase.query.signedRequest);
    const request = signable(testCase, stated);
    const url = await presignRequest(request, {
      ...options(testCase),
      expires: testCase.context.expiration_in_seconds,
    });
    const [address, search] = url.split('?');
    expect(address).toBe(`https://${stated.url.host}${stated.url.pathname}`);
    expect(sorted(parseQuery(search!))).toEqual(sorted(parseQuery(stated.url.search)));
    await expect(
      verify(testCase, { ...stated, url: { ...stated.url, search: search! } }),
    ).resolves.toBeDefined();
  });
});

/** The request before it was signed. What the suite's signer adds beside the signature is given to ours. */
function signable({ request }: SuiteCase, stated: ReturnType<typeof parseHttp>) {
  const { method, url, lines, body } = parseHttp(request);
  const headers: Record<string, string[]> = {};
  for (const [name, value] of lines) headers[name] = [...(headers[name] ?? []), value];
  const payloadHash = stated.headers.get('x-amz-content-sha256');
  return {
    method,
    url,
    headers: { ...headers, ...(payloadHash === null ? {} : { 'x-amz-content-sha256': payloadHash }) },
    ...(body.length > 0 ? { body } : {}),
  };
}

function options(testCase: SuiteCase) {
  const { credentials, region, service, timestamp, omit_session_token = false } = testCase.context;
  return {
    credentials: {
      accessKeyId: credentials.access_key_id,
      secretAccessKey: credentials.secret_access_key,
      sessionToken: credentials.token,
    },
    region,
    service,
    now: Date.parse(timestamp),
    pathEncoding: pathEncoding(testCase),
    signedSessionToken: !omit_session_token,
  };
}

/** None of the paths that are not normalized has anything that S3 would not sign as it stands. */
function pathEncoding({ context }: SuiteCase): 'normal' | 's3' {
  return context.normalize ? 'normal' : 's3';
}

function verify(testCase: SuiteCase, request: ReceivedRequest) {
  const { access_key_id } = testCase.context.credentials;
  const verifier = new SignatureVerifier({
    lookup: (id) => (id === access_key_id ? keyRecord(testCase) : undefined),
    pathEncoding: pathEncoding(testCase),
    signedSessionToken: !testCase.context.omit_session_token,
  });
  const { region, service, timestamp } = testCase.context;
  return verifier.verify(request, { region, service, now: Date.parse(timestamp) });
}

function keyRecord({ context: { credentials } }: SuiteCase) {
  return { secretAccessKey: credentials.secret_access_key, sessionToken: credentials.token };
}

function sorted(parameters: readonly (readonly [string, string])[]): string[] {
  return parameters.map(([name, value]) => `${name}=${value}`).sort();
}
