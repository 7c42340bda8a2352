import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { deferred } from '../../src/base/deferred.ts';
import { bound, connectTo, destination, listening, portWorld, readAll, sha256 } from './port-world.ts';

describe('connections through one forward', () => {
  test('a server that speaks first is heard, and an answer follows a question', async () => {
    const { forward } = await portWorld();
    const port = await destination((socket) => {
      socket.write('220 ready\n');
      socket.on('data', (data) => socket.write(data.toString().toUpperCase()));
    });
    const listener = await listening(await forward(port));
    const socket = await connectTo(listener.port!);
    const [greeting] = await once(socket, 'data');
    expect(greeting.toString()).toBe('220 ready\n');
    socket.write('hello\n');
    const [answer] = await once(socket, 'data');
    expect(answer.toString()).toBe('HELLO\n');
    socket.destroy();
  });

  test('a client that ends its direction first still gets the whole reply', async () => {
    const { forward } = await portWorld();
    const port = await destination((socket) => {
      const hash = createHash('sha256');
      socket.on('data', (data) => hash.update(data));
      socket.on('end', () => socket.end(hash.digest('hex')));
    });
    const listener = await listening(await forward(port));
    const socket = await connectTo(listener.port!);
    const data = randomBytes(3_000_000);
    socket.end(data);
    expect((await readAll(socket)).toString()).toBe(sha256(data));
  });

  test('a server that ends its direction first still gets everything that the client sends', async () => {
    const { forward } = await portWorld();
    let received: Promise<Buffer> | undefined;
    const port = await destination((socket) => {
      socket.end('go on');
      received = readAll(socket);
    });
    const listener = await listening(await forward(port));
    const socket = await connectTo(listener.port!);
    expect((await readAll(socket)).toString()).toBe('go on');
    const data = randomBytes(1_000_000);
    socket.end(data);
    expect((await received!).equals(data)).toBe(true);
  });

  test('a thousand at one time each get their own bytes back', async () => {
    const { forward } = await portWorld();
    const port = await destination((socket) => socket.pipe(socket));
    const listener = await listening(await forward(port));
    const sockets = await Promise.all(Array.from({ length: 1000 }, () => connectTo(listener.port!)));
    const echoes = await Promise.all(
      sockets.map(async (socket, i) => {
        const all = readAll(socket);
        socket.end(`connection ${i} `.repeat(100));
        return (await all).toString();
      }),
    );
    expect(echoes).toEqual(sockets.map((_, i) => `connection ${i} `.repeat(100)));
  }, 60_000);

  test('a page with 200 assets loads over the six connections of a browser', async () => {
    const { forward } = await portWorld();
    const assets = new Map(Array.from({ length: 200 }, (_, i) => [`/${i}`, randomBytes((i * 997) % 50_000)]));
    const server = createServer((request, response) => response.end(assets.get(request.url!)));
    const listener = await listening(await forward((await bound(server)).port));
    const agent = new Agent({ keepAlive: true, maxSockets: 6 });
    const load = async (path: string) => {
      const request = get({ port: listener.port, host: '127.0.0.1', path, agent });
      const [response] = await once(request, 'response');
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part);
      return Buffer.concat(parts);
    };
    for (const [path, loaded] of await Promise.all(
      [...assets.keys()].map(async (path) => [path, await load(path)] as const),
    ))
      expect(loaded.equals(assets.get(path)!)).toBe(true);
    agent.destroy();
  });

  test('a destination that resets its connection resets the client’s', async () => {
    const { forward } = await portWorld();
    const port = await destination((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const listener = await listening(await forward(port));
    const socket = await connectTo(listener.port!);
    socket.write('x');
    await expect(readAll(socket)).rejects.toThrow();
  });

  test('a client that resets its connection resets the destination’s', async () => {
    const { forward } = await portWorld();
    let failure: Promise<Error> | undefined;
    const port = await destination((socket) => {
      failure = new Promise((resolve) => socket.on('error', resolve));
      socket.on('data', () => socket.write('heard'));
    });
    const listener = await listening(await forward(port));
    const socket = await connectTo(listener.port!);
    socket.write('x');
    await once(socket, 'data');
    socket.resetAndDestroy();
    expect(await failure).toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('what cannot be connected', () => {
  test('one connection fails with its reason while the others go on', async () => {
    const { forward } = await portWorld();
    const server = createTcpServer((socket) => socket.on('error', () => {}).pipe(socket));
    const { port } = await bound(server);
    const both = await forward(port);
    const open = await both.open();
    const writer = open.writable.getWriter();
    const reader = open.readable.getReader();
    await writer.write(utf8('here'));
    expect(fromUtf8((await reader.read()).value!)).toBe('here');
    server.close(); // takes no more connections, and keeps those it has
    const refused = await both.open();
    await expect(refused.readable.getReader().read()).rejects.toMatchObject({
      code: 'ERR_PORT_REFUSED',
      reason: 'ECONNREFUSED',
    });
    await writer.write(utf8('still here'));
    expect(fromUtf8((await reader.read()).value!)).toBe('still here');
    expect(both.size).toBe(1);
  });

  test('a listener is told of it, and its connection ends', async () => {
    const { forward } = await portWorld();
    const server = createTcpServer();
    const { port } = await bound(server);
    server.close();
    const told = deferred<Error>();
    const listener = await listening(await forward(port), { onError: told.resolve });
    const socket = await connectTo(listener.port!);
    socket.on('error', () => {}); // reset, as the destination's would be
    const closed = new Promise((resolve) => socket.on('close', resolve));
    expect(await told.promise).toMatchObject({ code: 'ERR_PORT_REFUSED', reason: 'ECONNREFUSED' });
    await closed;
  });

  test('the metadata service of EC2 is refused at the start, in whatever spelling', async () => {
    const { forward } = await portWorld();
    for (const host of ['169.254.169.254', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', 'fd00:ec2:0::254']) {
      await expect(forward(80, { host })).rejects.toMatchObject({
        message: expect.stringContaining(`Forwarding to IP address ${host} is forbidden.`),
      });
    }
  });
});

const utf8 = (text: string) => new TextEncoder().encode(text);
const fromUtf8 = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
