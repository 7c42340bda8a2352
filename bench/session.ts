import { spawn } from '@lydell/node-pty';
import type { Session } from 'hawser';
import { openBareRelay } from './bare-relay.ts';
import { contest, type FigureSource, median } from './measure.ts';
import { openStack } from './stack.ts';

/** Bytes that go to the far end and back, and how many of them may be under way. */
const VOLUME = { 1024: 8 * 1024 * 1024, 32768: 96 * 1024 * 1024 };
const WINDOW = 1024 * 1024;
const KEYSTROKES = 300;
const BESIDE_RELAY = 'a bare ws relay and echo';

export const sessionFigures: FigureSource[] = [
  throughput(1_024, '1KB'),
  throughput(32_768, '32KB'),
  { name: 'session-echo', measure: measureEcho },
  { name: 'session-first-byte', measure: measureFirstByte },
];

/** Client → service → agent and back, in MB/s of payload. */
function throughput(size: 1_024 | 32_768, label: string): FigureSource {
  const name = `session-throughput-${label}`;
  const volume = VOLUME[size];
  const payload = new Uint8Array(size).fill(120);
  return {
    name,
    async measure() {
      const stack = await openStack('echo', size);
      const relay = await openBareRelay();
      const session = await stack.client.startSession({ target: stack.target, payloadSize: size });
      const reader = session.stdout.getReader();
      await reader.read(); // the greeting
      const writer = session.stdin.getWriter();
      const figure = await contest({
        name,
        unit: 'MB/s',
        beside: BESIDE_RELAY,
        turns: 5,
        async ours() {
          const start = performance.now();
          const writing = (async () => {
            for (let sent = 0; sent < volume; sent += size) await writer.write(payload);
          })();
          for (let back = 0; back < volume; ) back += (await reader.read()).value!.length;
          await writing;
          return volume / 1e3 / (performance.now() - start);
        },
        yardstick: () =>
          new Promise((resolve) => {
            const start = performance.now();
            let sent = 0;
            let back = 0;
            const fill = () => {
              for (; sent < volume && sent - back < WINDOW; sent += size) relay.socket.send(payload);
            };
            relay.socket.on('message', (data: Buffer) => {
              back += data.length;
              if (back < volume) return fill();
              relay.socket.removeAllListeners('message');
              resolve(volume / 1e3 / (performance.now() - start));
            });
            fill();
          }),
      });
      reader.releaseLock();
      await session.terminate();
      await relay.close();
      await stack.close();
      return figure;
    },
  };
}

/** One key at a time, there and back: the median of each turn, in milliseconds. */
async function measureEcho() {
  const stack = await openStack('echo', 1_024);
  const relay = await openBareRelay();
  const session = await stack.client.startSession({ target: stack.target });
  const reader = session.stdout.getReader();
  await reader.read();
  const writer = session.stdin.getWriter();
  const key = Uint8Array.of(120);
  const figure = await contest({
    name: 'session-echo',
    unit: 'ms',
    beside: BESIDE_RELAY,
    ours: () =>
      medianTime(async () => {
        void writer.write(key);
        await reader.read();
      }),
    yardstick: () =>
      medianTime(
        () =>
          new Promise((resolve) => {
            relay.socket.once('message', resolve);
            relay.socket.send(key);
          }),
      ),
  });
  reader.releaseLock();
  await session.terminate();
  await relay.close();
  await stack.close();
  return figure;
}

async function medianTime(roundTrip: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < KEYSTROKES; i++) {
    const start = performance.now();
    await roundTrip();
    times.push(performance.now() - start);
  }
  return median(times);
}

/** From `startSession` to the first byte of a real shell, in milliseconds. */
async function measureFirstByte() {
  const stack = await openStack('shell', 1_024);
  const figure = await contest({
    name: 'session-first-byte',
    unit: 'ms',
    beside: 'the same shell in a bare pseudo-terminal',
    async ours() {
      const start = performance.now();
      const session = await stack.client.startSession({ target: stack.target });
      const reader = session.stdout.getReader();
      await reader.read();
      const time = performance.now() - start;
      reader.releaseLock();
      await ended(session);
      return time;
    },
    yardstick: () =>
      new Promise((resolve) => {
        const start = performance.now();
        const shell = spawn('sh', [], {});
        const first = shell.onData(() => {
          first.dispose();
          const time = performance.now() - start;
          shell.onExit(() => resolve(time));
          shell.kill();
        });
      }),
  });
  await stack.close();
  return figure;
}

async function ended(session: Session): Promise<void> {
  await session.terminate();
  await session.ended;
}
