import type { Socket } from 'node:net';
import { type Connection, join } from '../core/port/connection.ts';
import { type Listener, type ListenOptions, listenWith } from './listen.ts';
import { ProxyHandshake, type ProxyRequest } from './proxy-handshake.ts';
import { socketConnection } from './socket-connection.ts';

/**
 * Listens as a proxy, SOCKS5 and HTTP CONNECT on one port, and opens the destinations that its clients ask for as the
 * managed node reaches them.
 *
 *     const { port } = await proxy(client.forwardPool({ target }));
 *     // curl --proxy socks5h://127.0.0.1:$port http://intranet/
 *
 * @param pool a `ForwardPool`, or anything else that opens connections to destinations
 * @throws the system's error when it cannot be listened on, for example `EADDRINUSE`
 */
export function proxy(
  pool: { open(host: string, port: number): Promise<Connection> },
  options: ListenOptions = {},
): Promise<Listener> {
  return listenWith(options, async (socket) => {
    const request = await readRequest(socket);
    if (request?.type !== 'connect') {
      if (request) socket.end(request.reply);
      else socket.destroy();
      return;
    }
    let connection: Connection;
    try {
      connection = await pool.open(request.destination.host, request.destination.port);
    } catch (error) {
      socket.end(request.refused);
      options.onError?.(error as Error);
      return;
    }
    socket.write(request.accepted);
    if (request.rest.length > 0) socket.unshift(request.rest);
    await join(socketConnection(socket), connection);
  });
}

/** Undefined for a client that goes away, or says too little for too long. */
function readRequest(socket: Socket): Promise<Exclude<ProxyRequest, { type: 'more' }> | undefined> {
  return new Promise((resolve) => {
    const handshake = new ProxyHandshake();
    const timer = setTimeout(() => socket.destroy(), HANDSHAKE_TIMEOUT);
    const done = (request?: Exclude<ProxyRequest, { type: 'more' }>) => {
      clearTimeout(timer);
      socket.off('data', data);
      socket.off('close', close);
      socket.off('end', close);
      socket.pause();
      resolve(request);
    };
    const close = () => done();
    const data = (bytes: Buffer) => {
      const request = handshake.push(bytes);
      if (request.type !== 'more') done(request);
      else if (request.reply) socket.write(request.reply);
    };
    socket.on('data', data);
    socket.on('close', close);
    socket.on('end', close);
    socket.resume();
  });
}

/** Milliseconds from the connection to the end of the request. */
const HANDSHAKE_TIMEOUT = 15_000;
