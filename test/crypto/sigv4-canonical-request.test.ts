import { describe, expect, it } from 'vitest';
import { canonicalRequest, type PathEncoding } from '../../src/crypto/sigv4/canonical-request.ts';
import { parseQuery } from '../../src/crypto/sigv4/query.ts';

describe('the canonical path', () => {
  it.each([
    ['', '/'],
    ['/a%20b', '/a%2520b'],
    ['/v1/data-channel/bob@example.com-0e3', '/v1/data-channel/bob%40example.com-0e3'],
    ['/v1/data-channel/bob%40example.com-0e3', '/v1/data-channel/bob%2540example.com-0e3'],
    ['/a/../../b', '/b'],
    ['/a//b/./', '/a/b/'],
  ])('of %j is %j', (path, canonical) => {
    expect(lines({ path })[1]).toBe(canonical);
  });
});

describe('the canonical path of S3', () => {
  it.each([
    ['', '/'],
    ['/a%20b', '/a%20b'],
    ['/a b', '/a%20b'],
    ['/a+b', '/a%2Bb'],
    ['/%7Ea/%c3%a9', '/~a/%C3%A9'],
    ['/é', '/%C3%A9'],
    ['/a%2fb', '/a%2Fb'],
    ['/a%', '/a%25'],
    ['/a/../../b', '/a/../../b'],
    ['//a//b/./', '//a//b/./'],
  ])('of %j is %j', (path, canonical) => {
    expect(lines({ path }, 's3')[1]).toBe(canonical);
  });
});

describe('the canonical query', () => {
  it.each([
    ['?role=publish_subscribe', 'role=publish_subscribe'],
    ['b=2&a=1', 'a=1&b=2'],
    ['a=2&a=10&a=1', 'a=1&a=10&a=2'],
    ['a-b=1&a=2', 'a=2&a-b=1'],
    ['B=1&a=1', 'B=1&a=1'],
    ['flag', 'flag='],
    ['flag=&&', 'flag='],
    ['a=b=c', 'a=b%3Dc'],
    ['a=%7e%2a%2A*', 'a=~%2A%2A%2A'],
    ['a=b+c%20d%2be', 'a=b%20c%20d%2Be'],
    ['a=%ff%FE', 'a=%FF%FE'],
    ['a=100%&b=%4', 'a=100%25&b=%254'],
    ['cell-number=AAEB/w==', 'cell-number=AAEB%2Fw%3D%3D'],
  ])('of %j is %j', (query, canonical) => {
    expect(lines({ query: parseQuery(query) })[2]).toBe(canonical);
  });
});

describe('the canonical headers', () => {
  it('never get a line from a value', () => {
    const headers = [['x-a', '1\nx-amz-target:evil\r\n\r\n2']] as const;
    expect(lines({ headers })[3]).toBe('x-a:1 x-amz-target:evil 2');
  });
});

function lines(part: Partial<Parameters<typeof canonicalRequest>[0]>, pathEncoding?: PathEncoding): string[] {
  const request = {
    method: 'GET',
    path: '/',
    query: [],
    headers: [['host', 'example.com']] as const,
    payloadHash: '',
  };
  return canonicalRequest({ ...request, ...part }, pathEncoding).split('\n');
}
