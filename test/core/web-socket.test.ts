import { EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { deferred } from '../../src/base/deferred.ts';
import { utf8 } from '../../src/base/encoding.ts';
import { defaultPlatform } from '../../src/core/runtime.ts';
import type { Socket, SocketHandler } from '../../src/core/socket.ts';
import { webSocketSocket } from '../../src/core/web-socket.ts';

const { transport } = defaultPlatform();

let server: Server;
let url: string;
const accepted: ((ws: WebSocket) => void)[] = [];

beforeEach(async () => {
  server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/refused') return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    sockets.handleUpgrade(request, socket, head, (ws) => {
      // Written with the upgrade's answer, often in one packet.
      if (request.url === '/eager') ws.send('first');
      accepted.shift()?.(ws);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function nextPeer(): Promise<WebSocket> {
  return new Promise((resolve) => accepted.push(resolve));
}

/** A handler whose every call can be awaited. */
function listen(socket: Socket) {
  const messages: (Uint8Array | string)[] = [];
  const closed = deferred<[code: number, reason: string]>();
  const waiting: { count: number; resolve: () => void }[] = [];
  const drained = deferred();
  const pong = deferred();
  const handler: SocketHandler = {
    message(data) {
      messages.push(data);
      for (const { count, resolve } of waiting) if (messages.length >= count) resolve();
    },
    drained: () => drained.resolve(),
    pong: () => pong.resolve(),
    closed: (code, reason) => closed.resolve([code, reason]),
  };
  socket.handler = handler;
  const received = (count: number) =>
    new Promise<void>((resolve) => {
      waiting.push({ count, resolve });
      if (messages.length >= count) resolve();
    });
  return { messages, received, closed: closed.promise, drained: drained.promise, pong: pong.promise };
}

describe('a connection of the runtime', () => {
  test('carries bytes and text both ways', async () => {
    const peer = nextPeer();
    const socket = await transport.connect(url);
    const near = listen(socket);
    const far = listen(webSocketSocket(await peer));
    socket.send('hello');
    socket.send(Uint8Array.of(1, 2, 3));
    await far.received(2);
    expect(far.messages).toEqual(['hello', Uint8Array.of(1, 2, 3)]);
    await near.drained;
    expect(socket.bufferedAmount).toBe(0);
  });

  test('carries messages of every length, and leaves the bytes as they are', async () => {
    const peer = nextPeer();
    const socket = await transport.connect(url);
    const far = listen(webSocketSocket(await peer));
    // Around the steps of a frame's length field, and not on a boundary of four bytes.
    const lengths = [0, 1, 2, 3, 124, 125, 126, 127, 1_143, 32_889, 65_535, 65_536, 65_537, 262_147];
    const memory = Uint8Array.from({ length: 262_150 }, (_, i) => i % 251);
    const sent = lengths.map((length, i) => memory.subarray(i % 4, (i % 4) + length));
    // More than there are masking keys drawn at a time.
    for (let i = 0; i < 300; i++) sent.push(Uint8Array.of(i & 255));
    for (const message of sent) socket.send(message);
    await far.received(sent.length);
    const equal = far.messages.map((message, i) => Buffer.compare(message as Uint8Array, sent[i]!) === 0);
    expect(equal).toEqual(sent.map(() => true));
    expect(memory.every((byte, i) => byte === i % 251)).toBe(true);
  });

  test('masks each message with a key of its own', async () => {
    const raw: Buffer[] = [];
    // First in line: `ws` unmasks in place.
    server.prependOnceListener('upgrade', (_, connection: TcpSocket) => {
      connection.on('data', (bytes: Buffer) => raw.push(Buffer.from(bytes)));
    });
    const peer = nextPeer();
    const socket = await transport.connect(url);
    const far = listen(webSocketSocket(await peer));
    raw.length = 0;
    for (let i = 0; i < 3; i++) socket.send(new Uint8Array(8));
    await far.received(3);
    const frames = Buffer.concat(raw).toString('hex').match(/.{28}/g)!;
    const keys = frames.map((frame) => /^8288(.{8})\1\1$/.exec(frame)?.[1]);
    expect(keys).not.toContain(undefined);
    expect(new Set(keys).size).toBe(3);
  });

  test('gives plain byte arrays, no Buffers', async () => {
    const peer = nextPeer();
    const near = listen(await transport.connect(url));
    (await peer).send(Uint8Array.of(1, 2));
    await near.received(1);
    expect(Object.getPrototypeOf(near.messages[0])).toBe(Uint8Array.prototype);
  });

  test('loses no message that comes with the upgrade', async () => {
    const socket = await transport.connect(`${url}/eager`);
    await new Promise((resolve) => setImmediate(resolve));
    const near = listen(socket);
    await near.received(1);
    expect(near.messages).toEqual(['first']);
  });

  test('pings, and tells of the pong', async () => {
    const socket = await transport.connect(url);
    const near = listen(socket);
    socket.ping!();
    await near.pong;
  });

  test('tells of a close frame', async () => {
    const peer = nextPeer();
    const near = listen(await transport.connect(url));
    (await peer).close(4001, 'enough');
    expect(await near.closed).toEqual([4001, 'enough']);
  });

  test('tells of a connection that just went away as 1006', async () => {
    const peer = nextPeer();
    const near = listen(await transport.connect(url));
    (await peer).terminate();
    expect(await near.closed).toEqual([1006, expect.any(String)]);
  });

  test('closes, and is quiet afterwards', async () => {
    const peer = nextPeer();
    const socket = await transport.connect(url);
    const near = listen(socket);
    const far = listen(webSocketSocket(await peer));
    socket.close(1000, 'done');
    socket.send(utf8('too late'));
    socket.ping!();
    expect(await far.closed).toEqual([1000, 'done']);
    expect(await near.closed).toEqual([1000, 'done']);
    expect(far.messages).toEqual([]);
  });

  test('a close that the standard forbids closes all the same', async () => {
    const peer = nextPeer();
    const socket = await transport.connect(url);
    listen(socket);
    const far = listen(webSocketSocket(await peer));
    socket.close(1006, 'x'.repeat(500));
    expect((await far.closed)[0]).toBe(1005);
  });

  test('paused, reads nothing until it is resumed', async () => {
    const peer = nextPeer();
    const socket = await transport.connect(url);
    const near = listen(socket);
    socket.pause!();
    const peerSocket = webSocketSocket(await peer);
    const far = listen(peerSocket);
    peerSocket.send('held');
    await far.drained;
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(near.messages).toEqual([]);
    socket.resume!();
    await near.received(1);
    expect(near.messages).toEqual(['held']);
  });

  test('a message longer than 1 MiB ends it', async () => {
    const peer = nextPeer();
    const near = listen(await transport.connect(url));
    const ws = await peer;
    ws.on('error', () => {});
    ws.send(new Uint8Array(1024 * 1024 + 1));
    expect((await near.closed)[0]).toBe(1006);
    expect(near.messages).toEqual([]);
  });
});

describe('a connection that cannot be had', () => {
  test('is refused with the status', async () => {
    await expect(transport.connect(`${url}/refused`)).rejects.toMatchObject({
      code: 'ERR_UPGRADE_REFUSED',
      message: expect.stringContaining('403'),
    });
  });

  test('fails when nobody listens, and does not show the path', async () => {
    server.close();
    await once(server, 'close');
    const error = await transport.connect(`${url}/secret-session`).catch((error) => error);
    expect(error).toMatchObject({ code: 'ERR_CONNECT_FAILED' });
    expect(error.message).toContain('127.0.0.1');
    expect(error.message).not.toContain('secret-session');
  });

  test('fails for what is no URL', async () => {
    await expect(transport.connect('nonsense')).rejects.toMatchObject({ code: 'ERR_CONNECT_FAILED' });
  });

  test('ends with its signal', async () => {
    const held: TcpSocket[] = [];
    server.removeAllListeners('upgrade');
    server.on('upgrade', (_, socket) => held.push(socket as TcpSocket));
    const controller = new AbortController();
    const connecting = transport.connect(url, { signal: controller.signal });
    await once(server, 'upgrade');
    controller.abort(new Error('never mind'));
    await expect(connecting).rejects.toThrow('never mind');
    for (const socket of held) socket.destroy();
    await expect(transport.connect(url, { signal: controller.signal })).rejects.toThrow('never mind');
  });

  test('sends the headers it is given', async () => {
    const request = once(server, 'upgrade');
    await transport.connect(url, { headers: { authorization: 'signed' } });
    const [incoming] = (await request) as [{ headers: Record<string, string> }];
    expect(incoming.headers.authorization).toBe('signed');
  });
});

test('a socket that closed before anybody listened says so to the first who does', () => {
  const ws = Object.assign(new EventEmitter(), { binaryType: '', pause() {}, resume() {} });
  const socket = webSocketSocket(ws as never);
  ws.emit('close', 1006, new Uint8Array());
  const closes: number[] = [];
  const handler: SocketHandler = { message: () => {}, closed: (code) => closes.push(code) };
  socket.handler = handler;
  socket.handler = handler;
  expect(closes).toEqual([1006]);
});

/** As browsers have it: events, no `on`, no ping. */
class BrowserWebSocket extends EventTarget {
  binaryType = 'blob';
  readyState = 1;
  bufferedAmount = 0;
  readonly sent: unknown[] = [];
  readonly closes: unknown[][] = [];

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(...args: unknown[]): void {
    if (args[0] === 1001) throw new DOMException('forbidden', 'InvalidAccessError');
    this.closes.push(args);
  }
}

describe("a browser's WebSocket", () => {
  test('becomes a socket without ping and pause', () => {
    const ws = new BrowserWebSocket();
    const socket = webSocketSocket(ws as never);
    const near = listen(socket);
    expect(ws.binaryType).toBe('arraybuffer');
    expect([socket.ping, socket.pause, socket.resume]).toEqual([undefined, undefined, undefined]);
    ws.dispatchEvent(new MessageEvent('message', { data: Uint8Array.of(1, 2).buffer }));
    ws.dispatchEvent(new MessageEvent('message', { data: 'text' }));
    expect(near.messages).toEqual([Uint8Array.of(1, 2), 'text']);
    socket.send('x');
    ws.readyState = 2;
    socket.send('y');
    expect(ws.sent).toEqual(['x']);
    socket.close(1001, 'away');
    expect(ws.closes).toEqual([[]]);
  });
});
