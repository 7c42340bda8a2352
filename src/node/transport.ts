import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { WebSocket } from 'ws';
import { connectError, maskingKeys, webSocketSocket } from '../core/runtime.ts';
import type { ConnectOptions, Socket, Transport } from '../core/socket.ts';

export interface NodeTransportOptions {
  /** Certificate authorities to trust, in PEM, in the place of those of Node.js. */
  readonly certificates?: readonly string[] | undefined;
}

/** The network by `node:https` and `ws`, which take certificates where the runtime's own `fetch` takes none. */
export function nodeTransport({ certificates }: NodeTransportOptions): Transport {
  const tls = certificates ? { ca: [...certificates] } : {};
  return {
    fetch: (request) => fetchWith(request, tls),
    connect: (url, options) => connectWith(url, options, tls),
  };
}

interface TlsOptions {
  readonly ca?: string[];
}

async function fetchWith(request: Request, tls: TlsOptions): Promise<Response> {
  const body = new Uint8Array(await request.arrayBuffer());
  const { method, signal, url } = request;
  const headers: Record<string, string> = { 'content-length': `${body.length}` };
  request.headers.forEach((value, name) => {
    headers[name] = value;
  });
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    send(url, { ...tls, method, headers, signal }, resolve)
      .once('error', reject)
      .end(body);
  });
  const { statusCode = 0, rawHeaders } = incoming;
  const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, i) => rawHeaders.slice(2 * i, 2 * i + 2));
  return new Response(BODYLESS.has(statusCode) ? null : (Readable.toWeb(incoming) as ReadableStream), {
    status: statusCode,
    headers: pairs as [string, string][],
  });
}

/** A `Response` with one of these takes no body. */
const BODYLESS: ReadonlySet<number> = new Set([204, 205, 304]);

function connectWith(
  url: string,
  { headers = {}, signal }: ConnectOptions = {},
  tls: TlsOptions,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const ws = new WebSocket(url, [], { ...WS_OPTIONS, ...tls, headers });
    let stream: IncomingMessage['socket'] | undefined;
    const abort = () => {
      reject(signal?.reason);
      ws.terminate();
    };
    signal?.addEventListener('abort', abort);
    ws.once('upgrade', (response) => {
      stream = response.socket;
    });
    ws.once('open', () => {
      signal?.removeEventListener('abort', abort);
      resolve(webSocketSocket(ws, stream, maskingKeys()));
    });
    // After `open` it finds the promise settled; the socket has a listener of its own by then.
    ws.on('error', (error) => {
      signal?.removeEventListener('abort', abort);
      reject(connectError(url, error.message, error));
    });
  });
}

/** As for every connection of the library. */
const WS_OPTIONS = { perMessageDeflate: false, maxPayload: 1024 * 1024, closeTimeout: 2_000 };
