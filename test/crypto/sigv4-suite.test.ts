import { describe, expect, it } from 'vitest';
import { sha256Digest } from '../../src/crypto/digest.ts';
import { SignatureVerifier, signRequest } from '../../src/crypto/index.ts';
import { parseAuthorization } from '../../src/crypto/sigv4/authorization.ts';
import { canonicalRequest } from '../../src/crypto/sigv4/canonical-request.ts';
import { deriveSigningKey, sha256Hex, signature, stringToSign } from '../../src/crypto/sigv4/signature.ts';
import { HeaderLines, parseHttp, type SuiteCase, suite } from './aws-suite.ts';

describe("AWS's signing suite, header form", () => {
  it('has the 38 published cases', () => {
    expect(suite).toHaveLength(38);
  });

  describe.each(suite)('$name', (testCase) => {
    const { context } = testCase;
    const request = parseHttp(testCase['header-signed-request']);
    const authorization = parseAuthorization(request.headers.get('authorization')!);

    it('has the canonical request, the string to sign and the signature that AWS states', () => {
      const canonical = canonicalRequest(
        {
          method: request.method,
          path: request.url.pathname,
          query: request.url.search,
          headers: authorization.signedHeaders.map((name) => [name, request.headers.get(name)!]),
          payloadHash: sha256Hex(request.body, sha256Digest),
        },
        context.normalize,
      );
      expect(canonical).toBe(testCase['header-canonical-request']);
      const text = stringToSign(
        canonical,
        request.headers.get('x-amz-date')!,
        authorization.scope,
        sha256Digest,
      );
      expect(text).toBe(testCase['header-string-to-sign']);
      const key = deriveSigningKey(context.credentials.secret_access_key, authorization.scope);
      expect(signature(key, text)).toBe(testCase['header-signature']);
    });

    it('is accepted', async () => {
      const record = keyRecord(testCase);
      const verifier = new SignatureVerifier({
        lookup: (id) => (id === context.credentials.access_key_id ? record : undefined),
        normalizePath: context.normalize,
      });
      await expect(verifier.verify(request, scope(testCase))).resolves.toBe(record);
    });

    it('is refused with one character of the signature changed', async () => {
      const verifier = new SignatureVerifier({
        lookup: () => keyRecord(testCase),
        normalizePath: context.normalize,
      });
      const headers = new HeaderLines(
        request.headers.lines.map(([name, value]) => [
          name,
          name === 'Authorization' ? value.replace(/.$/, (last) => (last === '0' ? '1' : '0')) : value,
        ]),
      );
      await expect(verifier.verify({ ...request, headers }, scope(testCase))).rejects.toMatchObject({
        awsCode: 'InvalidSignatureException',
      });
    });
  });

  const signable = suite.filter((testCase) => !reasonNotToSign(testCase));

  it.each(signable)('signs $name as AWS does', async (testCase) => {
    const { credentials, region, service } = testCase.context;
    const { method, url, headers, body } = parseHttp(testCase['header-signed-request']);
    const names = new Set(headers.lines.map(([name]) => name.toLowerCase()));
    const signed = await signRequest(
      {
        method,
        url: new URL(`https://${url.host}${url.pathname}${url.search}`),
        headers: Object.fromEntries([...names].map((name) => [name, headers.get(name)!])),
        ...(body.length > 0 ? { body } : {}),
      },
      {
        credentials: {
          accessKeyId: credentials.access_key_id,
          secretAccessKey: credentials.secret_access_key,
          sessionToken: credentials.token,
        },
        region,
        service,
        now: Date.parse(testCase.context.timestamp),
      },
    );
    expect(signed.authorization).toBe(headers.get('authorization'));
    expect(signed['x-amz-date']).toBe(headers.get('x-amz-date'));
    expect(signed['x-amz-security-token'] ?? null).toBe(headers.get('x-amz-security-token'));
  });

  it('leaves eleven cases unsigned, for the reasons below', () => {
    expect(signable).toHaveLength(27);
  });
});

/** Why a case cannot be put to `signRequest`, which takes a `URL` and signs what `ssm` and `ssmmessages` accept. */
function reasonNotToSign({ name, context }: SuiteCase): string | undefined {
  if (!context.normalize) return 'signing a path without normalizing it is for S3';
  if (context.omit_session_token) return 'leaving the session token unsigned is for IoT';
  if (name === 'get-header-value-multiline') return 'folded header lines are obsolete and refused';
  if (name === 'get-space-normalized' || name === 'get-utf8') return 'a URL has encoded such a path already';
  return undefined;
}

function keyRecord({ context: { credentials } }: SuiteCase) {
  return { secretAccessKey: credentials.secret_access_key, sessionToken: credentials.token };
}

function scope({ context: { region, service, timestamp } }: SuiteCase) {
  return { region, service, now: Date.parse(timestamp) };
}
