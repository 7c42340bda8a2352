import { describe, expect, it } from 'vitest';
import { deferred } from '../../src/base/deferred.ts';
import { TransportError } from '../../src/core/errors.ts';
import type { Socket } from '../../src/core/socket.ts';
import {
  type MemoryService,
  type MemoryTransportOptions,
  memoryTransport,
  VirtualClock,
} from '../../src/testing/index.ts';

/** Answers requests with what it saw of them; greets and echoes on sockets; refuses `/closed`. */
const echoService: MemoryService = {
  fetch: async (request) => new Response(`${request.method} ${request.url} ${await request.text()}`),
  async upgrade(request) {
    const { host, pathname, protocol } = new URL(request.url);
    if (pathname === '/closed') return new Response('Session is already terminated', { status: 403 });
    return (socket: Socket) => {
      socket.handler = { message: (data) => socket.send(data), closed: () => {} };
      socket.send(`${protocol} ${host} ${request.headers.get('host')} ${request.headers.get('x-token')}`);
    };
  },
};

const transport = (options?: MemoryTransportOptions) => memoryTransport(echoService, options);

describe('memoryTransport', () => {
  it('brings requests to the service and answers back', async () => {
    const request = new Request('https://ssm.test/', { method: 'POST', body: '{}' });
    const response = await transport().fetch(request);
    expect(await response.text()).toBe('POST https://ssm.test/ {}');
  });

  it('connects sockets, with headers and the host a server would see', async () => {
    const socket = await transport().connect('wss://ssm.test/v1/data', { headers: { 'x-token': 't' } });
    const greeting = deferred<unknown>();
    socket.handler = { message: greeting.resolve, closed: () => {} };
    expect(await greeting.promise).toBe('https: ssm.test ssm.test t');
  });

  it('takes a round trip of latency for requests and upgrades', async () => {
    const clock = new VirtualClock(0);
    const far = transport({ clock, latency: 40 });
    await clock.runUntil(far.fetch(new Request('http://ssm.test/')));
    expect(clock.now()).toBe(80);
    await clock.runUntil(far.connect('ws://ssm.test/'));
    expect(clock.now()).toBe(160);
  });

  it('says what the service answered to a refused upgrade', async () => {
    const connecting = transport().connect('wss://ssm.test/closed');
    await expect(connecting).rejects.toBeInstanceOf(TransportError);
    await expect(connecting).rejects.toThrow(
      'ssm.test answered the WebSocket upgrade of /closed with status 403: Session is already terminated',
    );
  });

  it('lists open connections, and cuts them', async () => {
    const memory = transport();
    const first = await memory.connect('wss://ssm.test/1');
    await memory.connect('wss://ssm.test/2');
    const closed = deferred<number>();
    first.handler = { message: () => {}, closed: closed.resolve };
    expect(memory.connections.map(({ url }) => url)).toEqual(['wss://ssm.test/1', 'wss://ssm.test/2']);
    memory.connections[0]!.cut();
    expect(await closed.promise).toBe(1006);
    expect(memory.connections.map(({ url }) => url)).toEqual(['wss://ssm.test/2']);
  });

  it('fails to connect when the connection is cut on the way back', async () => {
    const clock = new VirtualClock();
    const network = transport({ clock, latency: 25 });
    const socket = network.connect('wss://ssm.test/v1/data');
    socket.catch(() => {});
    await clock.advance(30);
    network.connections[0]?.cut();
    await clock.advance(30);
    await expect(socket).rejects.toMatchObject({ code: 'ERR_CONNECT_FAILED' });
  });

  it('fails requests and upgrades as its faults say', async () => {
    const memory = transport({
      fault: ({ url }) =>
        url.endsWith('/down') ? new TypeError('network down') : new Response('later', { status: 503 }),
    });
    await expect(memory.fetch(new Request('http://ssm.test/down'))).rejects.toThrow('network down');
    expect((await memory.fetch(new Request('http://ssm.test/'))).status).toBe(503);
    await expect(memory.connect('ws://ssm.test/')).rejects.toThrow('status 503: later');
  });

  it('stops waiting when a signal aborts', async () => {
    const clock = new VirtualClock(0);
    const memory = transport({ clock, latency: 100 });
    const abort = new AbortController();
    const connecting = memory.connect('ws://ssm.test/', { signal: abort.signal });
    const fetching = memory.fetch(new Request('http://ssm.test/', { signal: abort.signal }));
    clock.schedule(150, () => abort.abort(new Error('enough')));
    await expect(clock.runUntil(Promise.all([connecting, fetching]))).rejects.toThrow('enough');
    await expect(connecting).rejects.toThrow('enough');
    await clock.advance(1000);
    expect(memory.connections).toEqual([]);
  });
});
