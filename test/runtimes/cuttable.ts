import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** How a connection goes: with the end of its stream, or with a reset. Neither sends a close frame. */
export type Cut = 'end' | 'reset';

/** A port before another one, with connections that can be cut. */
export interface Cuttable {
  readonly port: number;
  /** Cuts every connection that carries a WebSocket. */
  cut(how: Cut): void;
  /** Cuts every connection: with TLS nobody can see what it carries. */
  cutAll(): void;
  close(): Promise<void>;
}

/** Listens on loopback and passes everything on to `target`. */
export async function cuttable(target: number): Promise<Cuttable> {
  const all = new Set<Socket>();
  const webSockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    // Not the first bytes alone: a connection may have carried other requests before.
    near.on('data', (bytes) => {
      if (/^GET .*\r\nupgrade: websocket\r\n/is.test(bytes.toString('latin1'))) webSockets.add(near);
    });
    near.pipe(far).pipe(near);
    all.add(near);
    for (const socket of [near, far]) {
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        near.destroy();
        far.destroy();
        all.delete(near);
        webSockets.delete(near);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cut(how) {
      for (const socket of webSockets) how === 'end' ? socket.destroy() : socket.resetAndDestroy();
    },
    cutAll() {
      for (const socket of all) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of all) socket.destroy();
      }),
  };
}
