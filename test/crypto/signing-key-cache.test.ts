import { expect, it } from 'vitest';
import { sha256Digest } from '../../src/crypto/digest.ts';
import { deriveSigningKey } from '../../src/crypto/sigv4/signature.ts';
import { SigningKeyCache } from '../../src/crypto/sigv4/signing-key-cache.ts';

const scope = { date: '20261123', region: 'eu-west-1', service: 'ssm', terminator: 'aws4_request' };

it('answers with the key of this secret and this scope', () => {
  const cache = new SigningKeyCache(10, sha256Digest);
  for (const secret of ['a', 'b', 'a']) {
    for (const service of ['ssm', 'ssmmessages']) {
      const wanted = { ...scope, service };
      expect(cache.get('AKID', secret, wanted)).toEqual(deriveSigningKey(secret, wanted, sha256Digest));
    }
  }
});

it('keeps as many keys as its limit and forgets the one unused for longest', () => {
  const cache = new SigningKeyCache(2, sha256Digest);
  const first = cache.get('first', 'x', scope);
  const second = cache.get('second', 'x', scope);
  expect(cache.get('first', 'x', scope)).toBe(first);
  cache.get('third', 'x', scope);
  expect(cache.get('first', 'x', scope)).toBe(first);
  expect(cache.get('second', 'x', scope)).not.toBe(second);
});

it.each([0, Number.NaN])('never grows without bound: a limit of %d', (limit) => {
  const cache = new SigningKeyCache(limit, sha256Digest);
  const first = cache.get('first', 'x', scope);
  expect(cache.get('first', 'x', scope)).not.toBe(first);
});
