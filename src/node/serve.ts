import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type SecureContextOptions, TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { webSocketSocket } from '../core/runtime.ts';
import type { Socket } from '../core/socket.ts';
import type { ConnectionInfo } from '../service/index.ts';
import { NodeError } from './error.ts';

/** What {@link serve} puts on a port: `SessionManagerService`, or anything else of web standards. */
export interface WebService {
  /**
   * The signal of the request is aborted when its connection closes. What is told of the connection is that of the peer:
   * behind a proxy, put a service in between that tells what the proxy says.
   */
  fetch(request: Request, connection: ConnectionInfo): Promise<Response>;
  /** A `Response` refuses the upgrade; a function accepts it and is given the socket. */
  upgrade(request: Request, connection: ConnectionInfo): Promise<Response | ((socket: Socket) => void)>;
}

export interface ServeOptions {
  /** Default 0: a free port. */
  readonly port?: number;
  /** Default `127.0.0.1`. To listen elsewhere takes `tls`. */
  readonly host?: string;
  /** Speak `https:` and `wss:`. AWS's agent speaks nothing else. Default: plain `http:` and `ws:`. */
  readonly tls?: TlsOptions | undefined;
  /** Lets plain HTTP be spoken to other machines, for a proxy in front that ends TLS. Default false. */
  readonly allowInsecure?: boolean;
  /** Bytes of a request body at most; more is answered 413. Default 1 MiB. */
  readonly maxBody?: number;
  /** Bytes of a WebSocket message at most; more ends the connection with 1009. Default 1 MiB. */
  readonly maxMessage?: number;
}

/** A certificate and its key, as PEM: `cert` with the intermediate ones behind it. TLS 1.2 or later is spoken. */
export interface TlsOptions {
  readonly key: string | Uint8Array;
  readonly cert: string | Uint8Array;
}

export interface Server {
  /** Base URL, for example `http://127.0.0.1:41234`; `localhost` where it listens on every address. */
  readonly url: string;
  /** Takes another certificate for connections to come, as when the old one runs out. */
  setTls(tls: TlsOptions): void;
  /** Stops listening and drops every connection. The service itself stays as it is. */
  close(): Promise<void>;
}

/**
 * Puts a service on `node:http` or `node:https`, and `ws`.
 *
 * @throws {NodeError} `ERR_SERVE_INSECURE`
 * @throws the system's error when the port cannot be listened on, for example `EADDRINUSE`, and OpenSSL's for a
 * certificate that cannot be used
 */
export async function serve(service: WebService, options: ServeOptions = {}): Promise<Server> {
  const { port = 0, host = '127.0.0.1', maxBody = MIB, maxMessage = MIB, tls, allowInsecure } = options;
  if (!tls && !allowInsecure && !LOOPBACK.test(host)) throw insecure(host);
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    // Only a client that went away, or a service that breaks its contract, ends here.
    answer(service, request, response, maxBody).catch(() => response.destroy());
  };
  const server = tls ? createTlsServer(secure(tls), handle) : createServer(handle);
  const sockets = new WebSocketServer({ ...SOCKET_OPTIONS, maxPayload: maxMessage });
  server.on('upgrade', (request, connection, head) => {
    // The connection may break while the service decides; without a listener that would end the process.
    connection.on('error', () => connection.destroy());
    upgrade(service, sockets, request, connection, head).catch(() => connection.destroy());
  });
  const connections = new Set<Duplex>();
  server.on('connection', (connection) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    url: urlOf(server.address() as AddressInfo, tls !== undefined),
    setTls(next) {
      if (!tls)
        throw new NodeError('ERR_SERVE_INSECURE', 'This server speaks plain HTTP. Start it with tls.');
      (server as HttpsServer).setSecureContext(secure(next));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of connections) connection.destroy();
      }),
  };
}

const MIB = 1024 * 1024;
const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;

function secure({ key, cert }: TlsOptions): SecureContextOptions {
  const pem = (bytes: string | Uint8Array) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes));
  return { key: pem(key), cert: pem(cert), minVersion: 'TLSv1.2' };
}

function insecure(host: string): NodeError {
  return new NodeError(
    'ERR_SERVE_INSECURE',
    `Plain HTTP on ${host} would show session data to the network. Give a certificate in tls, or set allowInsecure behind a proxy that ends TLS.`,
  );
}

const SOCKET_OPTIONS = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  /** Milliseconds. AWS's programs answer no close frame. (Younger than the types of `ws`.) */
  closeTimeout: 2_000,
};

type Body = Uint8Array<ArrayBuffer>;

async function answer(
  service: WebService,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  maxBody: number,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  const response = await respond(service, incoming, maxBody, gone.signal);
  const body = new Uint8Array(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  headers.set('content-length', `${body.length}`);
  outgoing.setHeaders(headers);
  outgoing.writeHead(response.status);
  outgoing.end(body);
}

async function respond(
  service: WebService,
  incoming: IncomingMessage,
  maxBody: number,
  signal: AbortSignal,
): Promise<Response> {
  const connection = connectionOf(incoming);
  const body = await readBody(incoming, maxBody);
  if (!body) return new Response(`The request body is larger than ${maxBody} bytes.\n`, { status: 413 });
  const request = toRequest(incoming, body, signal);
  if (!request) return badRequest();
  return service.fetch(request, connection);
}

async function upgrade(
  service: WebService,
  sockets: WebSocketServer,
  incoming: IncomingMessage,
  connection: Duplex,
  firstBytes: Buffer,
): Promise<void> {
  const request = toRequest(incoming);
  const accept = request ? await service.upgrade(request, connectionOf(incoming)) : badRequest();
  if (typeof accept === 'function') {
    sockets.handleUpgrade(incoming, connection, firstBytes, (socket: WebSocket) =>
      accept(webSocketSocket(socket, connection)),
    );
    return;
  }
  const body = new Uint8Array(await accept.arrayBuffer());
  let head = `HTTP/1.1 ${accept.status} ${STATUS_CODES[accept.status] ?? ''}\r\n`;
  accept.headers.forEach((value, name) => {
    head += `${name}: ${value}\r\n`;
  });
  // Nobody else looks after it by now: one that the other side keeps open would stay for ever.
  connection.once('finish', () => connection.destroy());
  connection.write(`${head}connection: close\r\ncontent-length: ${body.length}\r\n\r\n`);
  connection.end(body);
}

/** The body, or `undefined` when it is larger than `maxBody`. */
async function readBody(incoming: IncomingMessage, maxBody: number): Promise<Body | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  // Read to its end even so: a client that is still sending would miss the answer. Time bounds it: Node.js
  // drops a request that takes longer than `requestTimeout`, 5 minutes.
  for await (const part of incoming as AsyncIterable<Buffer>) {
    length += part.length;
    if (length <= maxBody) parts.push(part);
  }
  return length <= maxBody ? new Uint8Array(Buffer.concat(parts)) : undefined;
}

/** The request in web terms; `undefined` for one that cannot be put so. */
function toRequest(incoming: IncomingMessage, body?: Body, signal?: AbortSignal): Request | undefined {
  const { method = 'GET', url = '', rawHeaders } = incoming;
  try {
    const headers = new Headers();
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!);
    // Joined, not resolved: a target of `//elsewhere/` must not change the host.
    if (!url.startsWith('/') || !headers.has('host')) return undefined;
    const hasBody = body !== undefined && body.length > 0 && method !== 'GET' && method !== 'HEAD';
    const scheme = incoming.socket instanceof TLSSocket ? 'https' : 'http';
    return new Request(`${scheme}://${headers.get('host')}${url}`, {
      method,
      headers,
      ...(hasBody && { body }),
      ...(signal && { signal }),
    });
  } catch {
    return undefined;
  }
}

/**
 * An IPv4 peer of a socket that listens for both comes as `::ffff:192.0.2.1`, and no policy means that.
 *
 * @throws for a peer that has reset the connection already, of which the system knows no address any more: without one a
 * policy that denies an address denies nothing
 */
function connectionOf({ socket }: IncomingMessage): ConnectionInfo {
  if (socket.remoteAddress === undefined) throw new Error('The connection was reset.');
  const remoteAddress = socket.remoteAddress.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '');
  return { remoteAddress, secure: socket instanceof TLSSocket };
}

function badRequest(): Response {
  return new Response('The request cannot be read.\n', { status: 400 });
}

function urlOf({ address, family, port }: AddressInfo, secure: boolean): string {
  const anywhere = address === '0.0.0.0' || address === '::';
  const host = anywhere ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return `${secure ? 'https' : 'http'}://${host}:${port}`;
}
