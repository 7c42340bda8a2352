import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Roles } from './processes.ts';

/** What the first byte of a connection asks the destination for. */
export const Wish = { Sink: 1, Source: 2, Ignore: 3 } as const;

/** Bytes that a source sends, and that a sink is usually sent. */
export const SOURCE_VOLUME = 64 * 1024 * 1024;
export const SINK_VOLUME = 64 * 1024 * 1024;

/**
 * Where the port figures lead to, for hawser and for the yardstick alike: a server that swallows as many
 * bytes as the first four say and confirms that, sends a lot, or never reads.
 */
export const destinationRoles: Roles = {
  async destination() {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void serve(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `${(server.address() as AddressInfo).port}`;
  },
};

async function serve(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  let [first] = (await once(socket, 'data')) as [Buffer];
  const [wish] = first;
  if (wish === Wish.Ignore) socket.pause();
  if (wish === Wish.Sink) {
    while (first.length < 5) first = Buffer.concat([first, ...((await once(socket, 'data')) as [Buffer])]);
    let missing = first.readUInt32BE(1) - (first.length - 5);
    socket.on('data', (data) => {
      missing -= data.length;
      if (missing <= 0) socket.write('!');
    });
  }
  if (wish === Wish.Source) {
    const piece = Buffer.alloc(65_536, 120);
    for (let sent = 0; sent < SOURCE_VOLUME; sent += piece.length) {
      if (!socket.write(piece)) await once(socket, 'drain');
    }
    socket.end();
  }
}
