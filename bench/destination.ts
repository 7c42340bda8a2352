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
    const server = createServer({ allowHalfOpen: true, noDelay: true }, serve);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `${(server.address() as AddressInfo).port}`;
  },
};

function serve(socket: Socket): void {
  socket.on('error', () => {});
  socket.on('end', () => socket.end());
  let head = Buffer.alloc(0);
  let missing: number | undefined;
  socket.on('data', (data: Buffer) => {
    if (missing !== undefined) missing -= data.length;
    else {
      head = Buffer.concat([head, data]);
      if (head[0] === Wish.Ignore) socket.pause();
      if (head[0] === Wish.Source) void pour(socket);
      if (head[0] !== Wish.Sink || head.length < 5) return;
      missing = head.readUInt32BE(1) - (head.length - 5);
    }
    if (missing <= 0) socket.write('!');
  });
}

async function pour(socket: Socket): Promise<void> {
  const piece = Buffer.alloc(65_536, 120);
  for (let sent = 0; sent < SOURCE_VOLUME; sent += piece.length) {
    if (!socket.write(piece)) await once(socket, 'drain');
  }
  socket.end();
}
