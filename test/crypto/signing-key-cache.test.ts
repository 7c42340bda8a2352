import { expect, it } from 'vitest';
import { deriveSigningKey } from '../../src/crypto/sigv4/signature.ts';
import { SigningKeyCache } from '../../src/crypto/sigv4/signing-key-cache.ts';

const scope = { date: '20261123', region: 'eu-west-1', service: 'ssm', terminator: 'aws4_request' };

it('answers with the key of this secret and this scope', () => {
  const cache = new SigningKeyCache(10);
  for (const secret of ['a', 'b', 'a']) {
    for (const service of ['ssm', 'ssmmessages']) {
      const wanted = { ...scope, service };
      expect(cache.get('AKID', secret, wanted)).toEqual(deriveSigningKey(secret, wanted));
    }
  }
});

it('keeps as many keys as its limit and forgets the one unused for longest', () => {
  const cache = new SigningKeyCache(2);
  const first = cache.get('first', 'x', scope);
  const second = cache.get('second', 'x', scope);
  expect(cache.get('first', 'x', scope)).toBe(first);
  cache.get('third', 'x', scope);
  expect(cache.get('first', 'x', scope)).toBe(first);
  expect(cache.get('second', 'x', scope)).not.toBe(second);
});
