import { fromUtf8 } from '../base/encoding.ts';
import { FrameMemory } from '../channel/frame-memory.ts';
import { maskedFrame } from './masked-frame.ts';
import type { Socket, SocketHandler } from './socket.ts';

/**
 * The members of a WebSocket that {@link webSocketSocket} uses: those of the browsers' class, and those that
 * the `ws` package (and its twins in Deno and Bun) has beyond them. Structural, so that no foreign type
 * shows in hawser's own.
 */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(data: never): void;
  close(code?: number, reason?: string): void;
  addEventListener?(type: never, listener: never): void;
  on?(event: never, listener: never): unknown;
  ping?(): void;
  pause?(): void;
  resume?(): void;
}

/**
 * An open WebSocket as a {@link Socket}. Give it the socket when it opens, in the same turn, or its first
 * messages are lost.
 *
 * Sockets of the `ws` package do not read before a handler is set, and get `ping`, `pause` and `drained`;
 * others have none of the three.
 *
 * @param stream the connection below a `ws` socket: what is sent in one turn then goes to the system in one call
 * @param maskingKey for the client's end of a `ws` socket without compression, and with `stream`: 32 random bits for
 *   each binary message, which is then masked and framed here, faster than `ws` does
 */
export function webSocketSocket(
  ws: WebSocketLike,
  stream?: CorkableStream,
  maskingKey?: () => number,
): Socket {
  return typeof ws.on === 'function'
    ? new WsSocket(ws as never, stream, maskingKey)
    : new BrowserSocket(ws as never);
}

/** What a stream of `node:stream` has for writing, and for writing several chunks at once. */
export interface CorkableStream {
  write(bytes: Uint8Array, done: () => void): unknown;
  cork(): void;
  uncork(): void;
}

const OPEN = 1;

interface BrowserWebSocket extends Omit<WebSocketLike, 'send' | 'addEventListener'> {
  send(data: Uint8Array | string): void;
  addEventListener(type: 'message', listener: (event: { data: ArrayBuffer | string }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
}

class BrowserSocket implements Socket {
  handler: SocketHandler | undefined;
  readonly #ws: BrowserWebSocket;

  constructor(ws: BrowserWebSocket) {
    this.#ws = ws;
    ws.binaryType = 'arraybuffer';
    ws.addEventListener('message', ({ data }) => {
      this.handler?.message(typeof data === 'string' ? data : new Uint8Array(data));
    });
    ws.addEventListener('close', ({ code, reason }) => this.handler?.closed(code, reason));
  }

  get bufferedAmount(): number {
    return this.#ws.bufferedAmount;
  }

  send(data: Uint8Array | string): void {
    if (this.#ws.readyState === OPEN) this.#ws.send(data);
  }

  close(code?: number, reason?: string): void {
    closeQuietly(this.#ws, code, reason);
  }
}

/** What `ws` has beyond the browsers' class. */
interface WsWebSocket extends Omit<WebSocketLike, 'send' | 'on'> {
  send(data: Uint8Array | string, done: () => void): void;
  on(event: 'message', listener: (data: Uint8Array, isBinary: boolean) => void): unknown;
  on(event: 'pong', listener: () => void): unknown;
  on(event: 'close', listener: (code: number, reason: Uint8Array) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  ping(): void;
  pause(): void;
  resume(): void;
}

class WsSocket implements Socket {
  readonly #ws: WsWebSocket;
  readonly #stream: CorkableStream | undefined;
  readonly #maskingKey: (() => number) | undefined;
  readonly #memory = new FrameMemory();
  #corked = false;
  #handler: SocketHandler | undefined;
  #paused = false;
  #sending = 0;
  #error: Error | undefined;
  /** A close that happened before there was a handler to tell. */
  #untold: { code: number; reason: string } | undefined;

  constructor(ws: WsWebSocket, stream: CorkableStream | undefined, maskingKey: (() => number) | undefined) {
    this.#ws = ws;
    this.#stream = stream;
    this.#maskingKey = maskingKey;
    ws.binaryType = 'nodebuffer';
    ws.pause();
    ws.on('message', (data, isBinary) => {
      // A plain view, not the Buffer itself: its methods behave differently, and it ends up in users' hands.
      this.#handler?.message(
        isBinary ? new Uint8Array(data.buffer, data.byteOffset, data.length) : fromUtf8(data),
      );
    });
    ws.on('pong', () => this.#handler?.pong?.());
    ws.on('error', (error) => {
      this.#error = error; // `close` follows
    });
    ws.on('close', (code, reason) => {
      const closed = { code, reason: fromUtf8(reason) || (this.#error?.message ?? '') };
      if (this.#handler) this.#handler.closed(closed.code, closed.reason);
      else this.#untold = closed;
    });
  }

  get handler(): SocketHandler | undefined {
    return this.#handler;
  }

  set handler(handler: SocketHandler | undefined) {
    this.#handler = handler;
    if (!handler) return;
    if (!this.#paused) this.#ws.resume();
    const closed = this.#untold;
    this.#untold = undefined;
    if (closed) handler.closed(closed.code, closed.reason);
  }

  get bufferedAmount(): number {
    return this.#ws.bufferedAmount;
  }

  send(data: Uint8Array | string): void {
    if (this.#ws.readyState !== OPEN) return;
    this.#sending++;
    this.#cork();
    if (this.#stream && this.#maskingKey && typeof data !== 'string') {
      const frame = maskedFrame(data, this.#maskingKey(), (length) => this.#memory.allocate(length));
      // `ws`, which neither compresses nor waits, writes whole frames to the same stream.
      this.#stream.write(frame, this.#sent);
    } else {
      this.#ws.send(data, this.#sent);
    }
  }

  /** A system call costs more than a small frame: an acknowledge and what answers it go together. */
  #cork(): void {
    if (this.#corked || !this.#stream) return;
    this.#corked = true;
    this.#stream.cork();
    queueMicrotask(() => {
      this.#corked = false;
      this.#stream?.uncork();
    });
  }

  readonly #sent = () => {
    this.#sending--;
    if (this.#sending === 0) this.#handler?.drained?.();
  };

  close(code?: number, reason?: string): void {
    closeQuietly(this.#ws, code, reason);
  }

  pause(): void {
    this.#paused = true;
    this.#ws.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#handler) this.#ws.resume();
  }

  ping(): void {
    if (this.#ws.readyState === OPEN) this.#ws.ping();
  }
}

/** Browsers throw for the codes that only servers may send, and for long reasons; the close matters more. */
function closeQuietly(
  ws: WebSocketLike | BrowserWebSocket | WsWebSocket,
  code?: number,
  reason?: string,
): void {
  try {
    ws.close(code, reason);
  } catch {
    ws.close();
  }
}
