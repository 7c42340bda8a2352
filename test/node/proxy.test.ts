import { once } from 'node:events';
import { createServer as createHttpServer, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionClient } from 'hawser';
import { listenAll, proxy } from 'hawser/node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bound, connectTo, destination, listening, portWorld, readAll } from './port-world.ts';

describe('the proxy', () => {
  test('opens what a SOCKS5 client asks for, with one session for each destination', async () => {
    const { pool, port } = await proxied();
    const [one, other] = [await greeter('one'), await greeter('other')];
    for (const [destination, greeting] of [
      [one, 'one'],
      [other, 'other'],
      [one, 'one'],
    ] as const) {
      const socket = await connectTo(port);
      socket.write(Uint8Array.of(5, 1, 0));
      await once(socket, 'data');
      socket.write(Uint8Array.of(5, 1, 0, 1, 127, 0, 0, 1, destination >> 8, destination & 0xff));
      const all = (await readAll(socket)).subarray(10).toString();
      expect(all).toBe(greeting);
    }
    expect(pool.size).toBe(2);
  });

  test('opens what an HTTP client asks for', async () => {
    const { port } = await proxied();
    const server = createHttpServer((_, response) => response.end('a page'));
    const { port: web } = await bound(server);
    const tunnel = request({ port, host: '127.0.0.1', method: 'CONNECT', path: `127.0.0.1:${web}` });
    tunnel.end();
    const [response, socket] = await once(tunnel, 'connect');
    expect(response.statusCode).toBe(200);
    const inner = request({ createConnection: () => socket, path: '/', headers: { connection: 'close' } });
    inner.end();
    const [page] = await once(inner, 'response');
    let text = '';
    for await (const part of page) text += part;
    expect(text).toBe('a page');
  });

  test('says when the node will not go there', async () => {
    const { port, errors } = await proxied();
    const tunnel = request({ port, host: '127.0.0.1', method: 'CONNECT', path: '169.254.169.254:80' });
    tunnel.end();
    const [response] = await once(tunnel, 'connect');
    expect(response.statusCode).toBe(502);
    expect(errors[0]?.message).toContain('is forbidden');
  });

  test('closes on a client that speaks neither', async () => {
    const { port } = await proxied();
    const socket = await connectTo(port);
    socket.end('HELO there\r\n\r\n');
    expect((await readAll(socket)).toString()).toContain('400 Bad Request');
  });
});

describe('listeners', () => {
  test('take a free port on loopback unless told otherwise, and say which', async () => {
    const { forward } = await portWorld();
    const listener = await listening(await forward(await greeter('hi')));
    expect(listener).toMatchObject({ host: '127.0.0.1', path: undefined });
    expect((await readAll(await connectTo(listener.port!))).toString()).toBe('hi');
  });

  test('take a Unix socket', async () => {
    const { forward } = await portWorld();
    const path = join(tmpdir(), `hawser-${process.pid}-${Date.now()}.sock`);
    const listener = await listening(await forward(await greeter('hi')), { path });
    expect(listener).toMatchObject({ port: undefined, path });
    const socket = connect(path);
    expect((await readAll(socket)).toString()).toBe('hi');
  });

  test('say which port is taken', async () => {
    const { forward } = await portWorld();
    const tunnel = await forward(await greeter('hi'));
    const { port } = await listening(tunnel);
    await expect(listening(tunnel, { port: port! })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('close connections that cannot be opened, and tell', async () => {
    const { forward } = await portWorld();
    const tunnel = await forward(await greeter('hi'));
    const errors: Error[] = [];
    const listener = await listening(tunnel, { onError: (error) => errors.push(error) });
    await tunnel.close();
    const socket = await connectTo(listener.port!);
    await readAll(socket).catch(() => {});
    expect(errors[0]).toMatchObject({ code: 'ERR_PORT_RESET' });
  });
});

describe('several forwards as one', () => {
  test('listen each in its place, and end together', async () => {
    const { client, target } = await portWorld();
    const [one, other] = [await greeter('one'), await greeter('other')];
    const tunnels = await listenAll(client, [
      { target, port: one },
      { target, port: other, listen: { host: '127.0.0.1' } },
    ]);
    const greetings = tunnels.listeners.map(async ({ port }) =>
      (await readAll(await connectTo(port!))).toString(),
    );
    expect(await Promise.all(greetings)).toEqual(['one', 'other']);
    await tunnels.close();
    expect(await running(client)).toBe(0);
  });

  test('are all closed when one cannot be started', async () => {
    const { client, target } = await portWorld();
    const port = await greeter('hi');
    await expect(
      listenAll(client, [
        { target, port },
        { target, port: 80, host: '169.254.169.254' },
      ]),
    ).rejects.toMatchObject({ code: 'ERR_PORT_RESET' });
    expect(await running(client)).toBe(0);
  });
});

test('connections are spread over as many sessions as are asked for', async () => {
  const { forward, client } = await portWorld();
  const tunnel = await forward(await greeter('hi'), { sessions: 3 });
  const connections = await Promise.all(Array.from({ length: 6 }, () => tunnel.open()));
  expect(connections).toHaveLength(6);
  expect(new Set(tunnel.sessions.map(({ sessionId }) => sessionId)).size).toBe(3);
  let active = 0;
  for await (const _ of client.describeSessions({ state: 'Active' })) active++;
  expect(active).toBe(3);
  await tunnel.close();
});

/** Sessions that nobody is about to end. */
async function running(client: SessionClient): Promise<number> {
  let count = 0;
  for await (const { status } of client.describeSessions({ state: 'Active' })) {
    if (status !== 'Terminating') count++;
  }
  return count;
}

/** A server that says one thing. */
function greeter(text: string): Promise<number> {
  return destination((socket) => socket.end(text));
}

async function proxied() {
  const { client, target } = await portWorld();
  const pool = client.forwardPool({ target });
  const errors: Error[] = [];
  const listener = await proxy(pool, { onError: (error) => errors.push(error) });
  onTestFinished(async () => {
    await listener.close();
    await pool.close();
  });
  return { pool, port: listener.port!, errors };
}
