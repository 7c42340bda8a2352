import type { Socket } from 'node:net';
import type { Connection } from '../core/port/connection.ts';

/**
 * A socket of `node:net` as a {@link Connection}. Open it with `allowHalfOpen`, or the end of one direction ends both.
 * The socket is read no faster than the stream.
 */
export function socketConnection(socket: Socket): Connection {
  let readableController!: ReadableStreamDefaultController<Uint8Array>;
  let writableController!: WritableStreamDefaultController;
  let reading = true;
  const endReading = (end: () => void) => {
    if (!reading) return;
    reading = false;
    end();
  };
  const readable = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        readableController = controller;
      },
      pull: () => void socket.resume(),
      cancel: () => {
        reading = false;
        // Nobody reads on: what still comes must not keep the peer from seeing our end.
        socket.resume();
      },
    },
    { highWaterMark: HIGH_WATER_MARK, size: (chunk) => chunk.length },
  );
  const writable = new WritableStream<Uint8Array>(
    {
      start: (controller) => {
        writableController = controller;
      },
      write: (chunk) => (socket.write(chunk) ? undefined : drained(socket)),
      close: () =>
        new Promise((resolve) => {
          socket.end(() => resolve());
        }),
      abort: () => {
        if (socket.connecting) socket.destroy();
        else socket.resetAndDestroy();
      },
    },
    { highWaterMark: HIGH_WATER_MARK, size: (chunk) => chunk.length },
  );
  const fail = (error: Error) => {
    endReading(() => readableController.error(error));
    writableController.error(error);
  };
  socket.on('data', (chunk: Buffer) => {
    if (!reading) return;
    readableController.enqueue(chunk);
    if ((readableController.desiredSize ?? 0) <= 0) socket.pause();
  });
  socket.on('end', () => endReading(() => readableController.close()));
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('The socket was closed.')));
  socket.setNoDelay();
  return { readable, writable };
}

/** Resolves when the socket takes more, or never will. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
  });
}

/** Bytes in each direction. */
const HIGH_WATER_MARK = 65_536;
