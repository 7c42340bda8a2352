import { describe, expect, test } from 'vitest';
import { ProxyHandshake, type ProxyRequest } from '../../src/node/proxy-handshake.ts';

describe('SOCKS5', () => {
  const GREETING = [5, 1, 0];
  const name = [...Buffer.from('db.internal')];

  test.each([
    ['a name', [5, 1, 0, 3, name.length, ...name, 0x15, 0x38], 'db.internal', 5432],
    ['an IPv4 address', [5, 1, 0, 1, 10, 0, 0, 7, 0, 80], '10.0.0.7', 80],
    [
      'an IPv6 address',
      [5, 1, 0, 4, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 187],
      'fd00:0:0:0:0:0:0:1',
      443,
    ],
  ])('asks for %s', (_, request, host, port) => {
    const { reply, end } = talk([GREETING, request]);
    expect(reply).toEqual([5, 0]);
    expect(end).toMatchObject({ type: 'connect', destination: { host, port } });
    expect(end).toMatchObject({ accepted: Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0) });
  });

  test('may come byte by byte, and with what follows the request', () => {
    const request = [5, 1, 0, 1, 10, 0, 0, 7, 0, 80];
    const pieces = [...GREETING, ...request].map((byte) => [byte]);
    expect(talk(pieces).end).toMatchObject({ type: 'connect', destination: { host: '10.0.0.7', port: 80 } });
    const { end } = talk([GREETING, [...request, 1, 2, 3]]);
    expect(end).toMatchObject({ type: 'connect', rest: Uint8Array.of(1, 2, 3) });
  });

  test('of a client that does not wait for the first answer gets both at once', () => {
    const { reply, end } = talk([[...GREETING, 5, 1, 0, 1, 10, 0, 0, 7, 0, 80]]);
    expect(reply).toEqual([]);
    expect(end).toMatchObject({ accepted: Uint8Array.of(5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0) });
  });

  test.each([
    ['a client that insists on a password', [[5, 1, 2]], [5, 0xff]],
    ['BIND', [GREETING, [5, 2, 0, 1, 1, 1, 1, 1, 0, 80]], [5, 7]],
    ['UDP', [GREETING, [5, 3, 0, 1, 1, 1, 1, 1, 0, 80]], [5, 7]],
    ['an unknown kind of address', [GREETING, [5, 1, 0, 9, 1, 1, 1, 1, 0, 80]], [5, 8]],
    ['an empty name', [GREETING, [5, 1, 0, 3, 0, 0, 80]], [5, 8]],
    ['port 0', [GREETING, [5, 1, 0, 1, 1, 1, 1, 1, 0, 0]], [5, 1]],
    ['what is no request', [GREETING, [4, 1, 0, 1, 1]], [5, 1]],
  ])('refuses %s', (_, pieces, reply) => {
    const { end } = talk(pieces);
    expect(end.type).toBe('refused');
    expect([...(end as { reply: Uint8Array }).reply.subarray(0, 2)]).toEqual(reply);
  });
});

describe('CONNECT', () => {
  test.each([
    ['CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal:5432\r\n\r\n', 'db.internal', 5432],
    ['CONNECT [fd00::1]:443 HTTP/1.1\r\n\r\n', 'fd00::1', 443],
    ['CONNECT 10.0.0.7:80 HTTP/1.0\r\n\r\n', '10.0.0.7', 80],
  ])('%j asks for a destination', (head, host, port) => {
    const { end } = talk([[...Buffer.from(head)]]);
    expect(end).toMatchObject({ type: 'connect', destination: { host, port } });
  });

  test('may come in pieces, and with what follows the request', () => {
    const head = 'CONNECT a.b:1 HTTP/1.1\r\n\r\n';
    const pieces = [...Buffer.from(head)].map((byte) => [byte]);
    expect(talk(pieces).end.type).toBe('connect');
    expect(talk([[...Buffer.from(`${head}xyz`)]]).end).toMatchObject({
      rest: new Uint8Array(Buffer.from('xyz')),
    });
  });

  test.each([
    ['GET http://a.b/ HTTP/1.1\r\n\r\n', '405'],
    ['CONNECT a.b HTTP/1.1\r\n\r\n', '400'],
    ['CONNECT a.b:0 HTTP/1.1\r\n\r\n', '400'],
    ['CONNECT a.b:65536 HTTP/1.1\r\n\r\n', '400'],
    ['CONNECT user@a.b:80 HTTP/1.1\r\n\r\n', '400'],
    ['CONNECT a.b:80 HTTP/2\r\n\r\n', '400'],
    ['\r\n\r\n', '400'],
    [`CONNECT a.b:80 HTTP/1.1\r\n${'x: y\r\n'.repeat(2_000)}`, '431'],
  ])('refuses number %#', (head, status) => {
    const { end } = talk([[...Buffer.from(head)]]);
    expect(end.type).toBe('refused');
    expect(Buffer.from((end as { reply: Uint8Array }).reply).toString()).toContain(`HTTP/1.1 ${status} `);
  });

  test('takes no more than it may hold', () => {
    const handshake = new ProxyHandshake();
    const results = Array.from({ length: 100 }, () => handshake.push(new Uint8Array(1_000).fill(65)).type);
    expect(results.indexOf('refused')).toBeLessThan(10);
  });
});

/** What was replied before the end, and the end. */
function talk(pieces: readonly (readonly number[])[]): { reply: number[]; end: ProxyRequest } {
  const handshake = new ProxyHandshake();
  const reply: number[] = [];
  for (const piece of pieces) {
    const request = handshake.push(Uint8Array.from(piece));
    if (request.type !== 'more') return { reply, end: request };
    reply.push(...(request.reply ?? []));
  }
  throw new Error('The request has no end.');
}
