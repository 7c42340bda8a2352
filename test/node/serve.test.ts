import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { type ServeOptions, serve, type WebService } from 'hawser/node';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { deferred } from '../../src/base/deferred.ts';
import type { ConnectionInfo } from '../../src/service/index.ts';

async function served(service: Partial<WebService>, options?: ServeOptions) {
  const server = await serve(
    {
      fetch: async () => new Response('fetched'),
      upgrade: async () => new Response('no', { status: 404 }),
      ...service,
    },
    options,
  );
  onTestFinished(() => server.close());
  return server;
}

/** What comes back for bytes sent as they are. */
async function raw(url: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end(text);
  let answer = '';
  for await (const bytes of socket) answer += bytes;
  return answer;
}

test('a request arrives as it was sent, and the response goes back', async () => {
  let seen: { method: string; url: string; header: string | null; body: string } | undefined;
  const { url } = await served({
    async fetch(request) {
      const { method, url, headers } = request;
      seen = { method, url, header: headers.get('x-two'), body: await request.text() };
      return new Response('créé', { status: 201, headers: { 'content-type': 'text/xml', 'x-own': 'yes' } });
    },
  });
  const response = await fetch(`${url}/v1/a%40b?c=%20d`, {
    method: 'POST',
    headers: [
      ['x-two', 'one'],
      ['x-two', 'two'],
    ],
    body: 'body',
  });
  expect(seen).toEqual({ method: 'POST', url: `${url}/v1/a%40b?c=%20d`, header: 'one, two', body: 'body' });
  expect(response.status).toBe(201);
  expect(response.headers.get('x-own')).toBe('yes');
  expect(response.headers.get('content-length')).toBe('6');
  expect(await response.text()).toBe('créé');
});

test('a request whose client goes away is aborted', async () => {
  const asked = deferred<AbortSignal>();
  const { url } = await served({
    async fetch({ signal }) {
      asked.resolve(signal);
      await once(signal, 'abort');
      return new Response('');
    },
  });
  const client = new AbortController();
  const answer = fetch(url, { signal: client.signal });
  const signal = await asked.promise;
  expect(signal.aborted).toBe(false);
  const aborted = once(signal, 'abort');
  client.abort();
  await expect(answer).rejects.toThrow();
  await aborted;
});

/** What a service hears of the connections of its calls. */
async function listening(options?: ServeOptions) {
  const seen: ConnectionInfo[] = [];
  const server = await served(
    {
      async fetch(_, connection) {
        seen.push(connection);
        return new Response();
      },
    },
    options,
  );
  return { seen, port: Number(new URL(server.url).port) };
}

test('an IPv4 peer has its IPv4 address, also where both families are listened for', async () => {
  const { seen, port } = await listening({ host: '::ffff:127.0.0.1', allowInsecure: true });
  await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-forwarded-for': '192.0.2.1' } });
  expect(seen).toEqual([{ remoteAddress: '127.0.0.1', secure: false }]);
});

test('a request whose peer has no address any more is not heard: who denies an address would let it pass', async () => {
  const { seen, port } = await listening();
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('POST / HTTP/1.1\r\nhost: gone\r\ncontent-length: 2\r\n\r\n{}');
  socket.resetAndDestroy();
  await fetch(`http://127.0.0.1:${port}/`);
  expect(seen).toEqual([{ remoteAddress: '127.0.0.1', secure: false }]);
});

test('a body of the limit is taken, one byte more is answered 413', async () => {
  let length = 0;
  const { url } = await served(
    {
      async fetch(request) {
        length = (await request.arrayBuffer()).byteLength;
        return new Response('');
      },
    },
    { maxBody: 100_000 },
  );
  const post = (size: number) => fetch(url, { method: 'POST', body: new Uint8Array(size) });
  expect((await post(100_000)).status).toBe(200);
  expect(length).toBe(100_000);
  expect((await post(100_001)).status).toBe(413);
  expect((await post(3_000_000)).status).toBe(413);
});

test.each([
  [
    'a target that names another host',
    'GET //evil.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    200,
  ],
  [
    'a target that is a URL',
    'GET http://evil.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    400,
  ],
  ['no host', 'GET / HTTP/1.0\r\n\r\n', 400],
  ['a host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 400],
])('%s does not change the host', async (_, text, status) => {
  let host: string | undefined;
  const { url } = await served({
    async fetch(request) {
      host = new URL(request.url).host;
      return new Response('');
    },
  });
  expect(await raw(url, text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(host).toBe(status === 200 ? 'x' : undefined);
});

test('an upgrade can be refused with a response', async () => {
  const { url } = await served({
    upgrade: async () => new Response('not you', { status: 403, headers: { 'x-why': 'because' } }),
  });
  const socket = new WebSocket(url.replace('http', 'ws'));
  const [, response] = await once(socket, 'unexpected-response');
  expect(response.statusCode).toBe(403);
  expect(response.headers['x-why']).toBe('because');
  let body = '';
  for await (const bytes of response) body += bytes;
  expect(body).toBe('not you');
});

test('a refused upgrade leaves no connection behind, also when the other side keeps its half open', async () => {
  const { url } = await served({});
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  socket.resume();
  await once(socket, 'end');
  // What is written now is refused, once there is nobody there.
  const gone = once(socket, 'error');
  const write = () => socket.write('more', (error) => error ?? setImmediate(write));
  write();
  expect((await gone)[0].code).toMatch(/EPIPE|ECONNRESET/);
});

test('an upgrade that is accepted is a socket for messages up to the limit', async () => {
  const { url } = await served(
    {
      upgrade: async () => (socket) => {
        socket.handler = { message: (data) => socket.send(data), closed: () => {} };
      },
    },
    { maxMessage: 1000 },
  );
  const socket = new WebSocket(url.replace('http', 'ws'));
  await once(socket, 'open');
  expect(socket.extensions).toBe('');
  socket.send(new Uint8Array(1000));
  const [data] = await once(socket, 'message');
  expect(data.length).toBe(1000);
  socket.send(new Uint8Array(1001));
  const [code] = await once(socket, 'close');
  expect(code).toBe(1009);
});

test('a service that breaks its contract costs the connection, not the process', async () => {
  const { url } = await served({
    fetch: () => Promise.reject(new Error('broken')),
    upgrade: () => Promise.reject(new Error('broken')),
  });
  await expect(fetch(url)).rejects.toThrow();
  const socket = new WebSocket(url.replace('http', 'ws'));
  await once(socket, 'error');
});

test('close() drops every connection, also those that wait for an answer', async () => {
  const asked: (() => void)[] = [];
  const server = await served({
    fetch: () => new Promise(() => asked.shift()?.()),
    upgrade: async () => (socket) => {
      socket.handler = { message: () => {}, closed: () => {} };
    },
  });
  const waiting = new Promise<void>((resolve) => asked.push(resolve));
  const failed = once(request(server.url).end(), 'error');
  await waiting;
  const socket = new WebSocket(server.url.replace('http', 'ws'));
  await once(socket, 'open');
  const closed = once(socket, 'close');
  await server.close();
  expect((await closed)[0]).toBe(1006);
  expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
});

test('a port that is taken is an error', async () => {
  const { url } = await served({});
  await expect(served({}, { port: Number(new URL(url).port) })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('plain HTTP is spoken on this machine alone, unless that is asked for', async () => {
  const refused = { code: 'ERR_SERVE_INSECURE' };
  await expect(served({}, { host: '0.0.0.0' })).rejects.toMatchObject(refused);
  await expect(served({}, { host: '::' })).rejects.toMatchObject(refused);
  const { url } = await served({}, { host: '0.0.0.0', allowInsecure: true });
  expect(await (await fetch(url)).text()).toBe('fetched');
  for (const host of ['localhost', '127.0.0.2']) await served({}, { host });
});

test('a certificate is of no use to a plain server, and it says so', async () => {
  const server = await served({});
  expect(() => server.setTls({ key: '', cert: '' })).toThrow(
    expect.objectContaining({ code: 'ERR_SERVE_INSECURE' }),
  );
});
