import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Forward } from 'hawser';
import { type Listener, listen } from 'hawser/node';
import { openBareTunnel } from './bare-tunnel.ts';
import { SINK_VOLUME, SOURCE_VOLUME, Wish } from './destination.ts';
import { contest, type Figure, type FigureSource } from './measure.ts';
import { startRole } from './processes.ts';
import { openStack } from './stack.ts';

/** What AWS's own pair of plugin and agent uploads, on loopback (PROTOCOL.md section 12). */
const OFFICIAL_UPLOAD = 0.6;
const BESIDE_TUNNEL = 'one TCP connection over a bare ws relay';

export const portFigures: FigureSource[] = [
  { name: 'port-upload', measure: () => besideTunnel('port-upload', upload) },
  { name: 'port-download', measure: () => besideTunnel('port-download', download) },
  { name: 'port-upload-stock', measure: measureStockUpload },
  { name: 'port-100-streams', measure: measureManyStreams },
  { name: 'port-slow-stream', measure: measureSlowStream },
];

interface Tunnel {
  readonly destination: string;
  readonly forward: Forward;
  readonly listener: Listener;
  close(): Promise<void>;
}

async function openTunnel(handler: 'port' | 'stock-port' = 'port'): Promise<Tunnel> {
  const destination = await startRole('destination');
  const stack = await openStack(handler, undefined, destination.said);
  const forward = await stack.client.forward({ target: stack.target, port: Number(destination.said) });
  const listener = await listen(forward);
  return {
    destination: destination.said,
    forward,
    listener,
    async close() {
      await listener.close();
      await stack.close();
      await destination.stop();
    },
  };
}

async function besideTunnel(name: string, transfer: (port: number) => Promise<number>): Promise<Figure> {
  const tunnel = await openTunnel();
  const bare = await openBareTunnel(tunnel.destination);
  const figure = await contest({
    name,
    unit: 'MB/s',
    beside: BESIDE_TUNNEL,
    turns: 5,
    ours: () => transfer(tunnel.listener.port!),
    yardstick: () => transfer(bare.port),
  });
  await bare.close();
  await tunnel.close();
  return figure;
}

/** To an agent that imitates AWS's: as many times as fast as AWS's own client. */
async function measureStockUpload(): Promise<Figure> {
  const tunnel = await openTunnel('stock-port');
  const figure = await contest({
    name: 'port-upload-stock',
    unit: 'MB/s',
    beside: 'what the plugin of AWS uploads to its agent',
    turns: 3,
    ours: () => upload(tunnel.listener.port!),
    yardstick: () => OFFICIAL_UPLOAD,
  });
  await tunnel.close();
  return figure;
}

async function measureManyStreams(): Promise<Figure> {
  const tunnel = await openTunnel();
  const { port } = tunnel.listener;
  const figure = await contest({
    name: 'port-100-streams',
    unit: 'MB/s',
    beside: 'a single stream',
    turns: 3,
    async ours() {
      const start = performance.now();
      const volume = SINK_VOLUME / 16;
      await Promise.all(Array.from({ length: 100 }, () => upload(port!, volume)));
      return rateOf(100 * volume, start);
    },
    yardstick: () => upload(port!),
  });
  await tunnel.close();
  return figure;
}

/** One stream whose far end does not read must not cost the others anything. */
async function measureSlowStream(): Promise<Figure> {
  const tunnel = await openTunnel();
  const { port } = tunnel.listener;
  const figure = await contest({
    name: 'port-slow-stream',
    unit: 'MB/s',
    beside: 'the same without a stream that nobody reads',
    async ours() {
      const slow = await open(port!, Wish.Ignore);
      slow.write(Buffer.alloc(SINK_VOLUME));
      const rate = await upload(port!);
      slow.destroy();
      return rate;
    },
    yardstick: () => upload(port!),
  });
  await tunnel.close();
  return figure;
}

/** MB/s. */
async function upload(port: number, volume = SINK_VOLUME): Promise<number> {
  const socket = await open(port, Wish.Sink);
  const start = performance.now();
  const size = Buffer.alloc(4);
  size.writeUInt32BE(volume);
  socket.write(size);
  const piece = Buffer.alloc(65_536, 120);
  for (let sent = 0; sent < volume; sent += piece.length) {
    if (!socket.write(piece.subarray(0, volume - sent))) await once(socket, 'drain');
  }
  await once(socket, 'data');
  const rate = rateOf(volume, start);
  socket.destroy();
  return rate;
}

/** MB/s. */
async function download(port: number): Promise<number> {
  const start = performance.now();
  const socket = await open(port, Wish.Source);
  let received = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (data: Buffer) => {
      received += data.length;
      if (received >= SOURCE_VOLUME) resolve();
    });
  });
  socket.destroy();
  return rateOf(SOURCE_VOLUME, start);
}

async function open(port: number, wish: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  socket.write(Uint8Array.of(wish));
  return socket;
}

function rateOf(bytes: number, start: number): number {
  return bytes / 1e3 / (performance.now() - start);
}
