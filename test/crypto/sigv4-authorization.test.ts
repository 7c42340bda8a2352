import { describe, expect, it } from 'vitest';
import {
  MAX_AUTHORIZATION_LENGTH,
  MAX_SIGNED_HEADERS,
  parseAuthorization,
} from '../../src/crypto/sigv4/authorization.ts';
import { SignatureError } from '../../src/crypto/sigv4/error.ts';

const credential = 'Credential=AKIDEXAMPLE/20261123/eu-west-1/ssm/aws4_request';
const signedHeaders = 'SignedHeaders=host;x-amz-date';
const signature = `Signature=${'0'.repeat(64)}`;

describe('parseAuthorization', () => {
  it.each([
    ['as AWS writes it', `AWS4-HMAC-SHA256 ${credential}, ${signedHeaders}, ${signature}`],
    ['without spaces', `AWS4-HMAC-SHA256 ${credential},${signedHeaders},${signature}`],
    ['in another order', `AWS4-HMAC-SHA256  ${signature},\t${credential} , ${signedHeaders}`],
  ])('reads the header %s', (_, header) => {
    expect(parseAuthorization(header)).toEqual({
      accessKeyId: 'AKIDEXAMPLE',
      scope: { date: '20261123', region: 'eu-west-1', service: 'ssm', terminator: 'aws4_request' },
      signedHeaders: ['host', 'x-amz-date'],
      signature: '0'.repeat(64),
    });
  });

  it('keeps a signature in base64 whole', () => {
    const header = `AWS4-HMAC-SHA256 ${credential}, ${signedHeaders}, Signature=q+/w==`;
    expect(parseAuthorization(header).signature).toBe('q+/w==');
  });

  it.each([
    ['another scheme', 'Bearer abc'],
    ['the scheme alone', 'AWS4-HMAC-SHA256'],
    ['another algorithm', `AWS4-ECDSA-P256-SHA256 ${credential}, ${signedHeaders}, ${signature}`],
    ['no credential', `AWS4-HMAC-SHA256 ${signedHeaders}, ${signature}`],
    ['an empty signature', `AWS4-HMAC-SHA256 ${credential}, ${signedHeaders}, Signature=`],
    ['a parameter twice', `AWS4-HMAC-SHA256 ${credential}, ${signedHeaders}, ${signature}, ${signature}`],
    ['a parameter more', `AWS4-HMAC-SHA256 ${credential}, ${signedHeaders}, ${signature}, Else=1`],
    ['a parameter named __proto__', `AWS4-HMAC-SHA256 ${credential}, ${signedHeaders}, __proto__=1`],
    ['something without a name', `AWS4-HMAC-SHA256 ${credential}, ${signedHeaders}, ${signature}, x`],
    [
      'a scope of four parts',
      `AWS4-HMAC-SHA256 Credential=A/20261123/ssm/aws4_request, ${signedHeaders}, ${signature}`,
    ],
    ['a scope of six parts', `AWS4-HMAC-SHA256 ${credential}/x, ${signedHeaders}, ${signature}`],
    [
      'an empty access key',
      `AWS4-HMAC-SHA256 Credential=/20261123/r/ssm/aws4_request, ${signedHeaders}, ${signature}`,
    ],
    ['upper-case headers', `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=Host;x-amz-date, ${signature}`],
    ['unordered headers', `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=x-amz-date;host, ${signature}`],
    ['a header twice', `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host;host, ${signature}`],
    ['an empty header name', `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=;host, ${signature}`],
    ['a header name with a colon', `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host;x:y, ${signature}`],
    [
      'two headers in one',
      `AWS4-HMAC-SHA256 ${credential}, ${signedHeaders}, ${signature}, AWS4-HMAC-SHA256 ${credential}`,
    ],
  ])('refuses %s', (_, header) => {
    expect(() => parseAuthorization(header)).toThrow(SignatureError);
    expect(() => parseAuthorization(header)).toThrow(
      expect.objectContaining({ awsCode: 'IncompleteSignatureException' }),
    );
  });

  it('takes as many signed headers as the limit, and no more', () => {
    const list = (count: number) =>
      `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${Array.from({ length: count }, (_, i) => `x${1000 + i}`).join(';')}, ${signature}`;
    expect(parseAuthorization(list(MAX_SIGNED_HEADERS)).signedHeaders).toHaveLength(MAX_SIGNED_HEADERS);
    expect(() => parseAuthorization(list(MAX_SIGNED_HEADERS + 1))).toThrow(`more than ${MAX_SIGNED_HEADERS}`);
  });

  it('takes as many characters as the limit, and no more', () => {
    const start = `AWS4-HMAC-SHA256 ${credential}, ${signedHeaders}, Signature=`;
    const long = start.padEnd(MAX_AUTHORIZATION_LENGTH, '0');
    expect(parseAuthorization(long).signature).toHaveLength(MAX_AUTHORIZATION_LENGTH - start.length);
    expect(() => parseAuthorization(`${long}0`)).toThrow('longer than');
  });
});
