import { createServer, type Server, type Socket } from 'node:net';
import { type Connection, join } from '../core/port/connection.ts';
import { PortError } from '../core/port/error.ts';
import { socketConnection } from './socket-connection.ts';

export interface ListenOptions {
  /** Default 0: a free port. */
  readonly port?: number;
  /** Address to listen on. Default `127.0.0.1`: whoever reaches the port reaches the destination. */
  readonly host?: string;
  /** A Unix socket to listen on, instead of a port. It must not exist yet, and is removed in the end. */
  readonly path?: string;
  /** Told of connections that `forward` could not open, or the managed node not connect. */
  readonly onError?: (error: Error) => void;
}

export interface Listener {
  /** As bound; undefined for a Unix socket. */
  readonly port: number | undefined;
  /** As bound; undefined for a Unix socket. */
  readonly host: string | undefined;
  /** Of the Unix socket. */
  readonly path: string | undefined;
  /** Stops listening and ends the connections. What they lead to stays as it is. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Listens on a TCP port or a Unix socket and opens a connection of `forward` for each that comes.
 *
 *     const forward = await client.forward({ target, port: 5432 });
 *     const { port } = await listen(forward);
 *
 * @param forward a `Forward`, or anything else that opens connections
 * @throws the system's error when it cannot be listened on, for example `EADDRINUSE`
 */
export function listen(
  forward: { open(): Promise<Connection> },
  options: ListenOptions = {},
): Promise<Listener> {
  return listenWith(options, async (socket) => {
    let connection: Connection;
    try {
      connection = await forward.open();
    } catch (error) {
      socket.destroy();
      options.onError?.(error as Error);
      return;
    }
    const error = await join(socketConnection(socket), connection);
    if (error instanceof PortError && error.code === 'ERR_PORT_REFUSED') options.onError?.(error);
  });
}

/** What {@link listen} and the proxy share. `handle` has the socket from the start and may not throw. */
export async function listenWith(
  { port = 0, host = '127.0.0.1', path }: ListenOptions,
  handle: (socket: Socket) => Promise<void>,
): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // What it leads to hears of it by the stream; without a listener the process would end.
    socket.on('error', () => {});
    void handle(socket);
  });
  await bind(server, path === undefined ? { port, host } : { path });
  const address = server.address();
  const bound = typeof address === 'object' ? address : null;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return {
    port: bound?.port,
    host: bound?.address,
    path,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function bind(server: Server, where: { port: number; host: string } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
