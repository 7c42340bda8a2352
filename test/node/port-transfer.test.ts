import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { cuttable } from '../runtimes/cuttable.ts';
import { connectTo, destination, listening, portWorld } from './port-world.ts';

const VOLUME = 200 * 1024 * 1024;
const PIECE = Buffer.from(Uint8Array.from({ length: 65_521 }, (_, i) => (i * 31 + (i >> 7)) & 0xff));

test('200 MB go up and come down whole when the client’s connection is cut again and again', async () => {
  const { client, forward } = await cutWorld();
  const port = await destination((socket) => {
    const hash = createHash('sha256');
    socket.on('data', (data) => hash.update(data));
    socket.on('end', async () => {
      socket.write(hash.digest());
      await send(
        (piece) => socket.write(piece),
        () => once(socket, 'drain'),
      );
      socket.end();
    });
  });
  const tunnel = await forward(port);
  let resumed = 0;
  tunnel.sessions[0]!.on('resumed', () => resumed++);
  const listener = await listening(tunnel);
  const socket = await connectTo(listener.port!);

  const sent = createHash('sha256');
  let volume = 0;
  await send(
    (piece) => {
      sent.update(piece);
      volume += piece.length;
      client.cutAt(volume);
      return socket.write(piece);
    },
    () => once(socket, 'drain'),
  );
  socket.end();

  const received = createHash('sha256');
  let digest = Buffer.alloc(0);
  let down = 0;
  socket.on('data', (data: Buffer) => {
    const missing = 32 - digest.length;
    digest = Buffer.concat([digest, data.subarray(0, missing)]);
    received.update(data.subarray(missing));
    down += data.length;
    client.cutAt(VOLUME + down);
  });
  await once(socket, 'end');
  const expected = sent.digest('hex');
  expect(digest.toString('hex')).toBe(expected);
  expect(received.digest('hex')).toBe(expected);
  expect(client.cuts).toBe(4);
  expect(resumed).toBe(4);
}, 300_000);

/** A world whose client reaches the service through something that can be cut. */
async function cutWorld() {
  const world = await portWorld();
  const { port } = new URL(world.server.url);
  const between = await cuttable(Number(port));
  onTestFinished(() => between.close());
  const client = {
    cuts: 0,
    /** Cuts when so many bytes have gone by, at a quarter and three quarters of each way. */
    cutAt(bytes: number) {
      if (bytes < (client.cuts + 0.5) * (VOLUME / 2)) return;
      between.cut(client.cuts % 2 === 0 ? 'reset' : 'end');
      client.cuts++;
    },
  };
  const through = world.clientAt(`http://127.0.0.1:${between.port}`);
  return { client, forward: (port: number) => through.forward({ target: world.target, port }) };
}

async function send(write: (piece: Buffer) => boolean, drained: () => Promise<unknown>): Promise<void> {
  for (let sent = 0; sent < VOLUME; sent += PIECE.length) {
    if (!write(PIECE.subarray(0, VOLUME - sent))) await drained();
  }
}
