import { describe, expect, test } from 'vitest';
import { PortError } from '../../src/core/port/error.ts';
import type { MuxStream } from '../../src/core/port/mux-stream.ts';
import { StreamMux } from '../../src/core/port/stream-mux.ts';
import { turn } from '../../src/testing/turn.ts';
import { frame } from '../channel/smux-wire.ts';

/** A server's mux above a channel that takes a piece and then waits. */
function server(version: 1 | 2, accept: (stream: MuxStream) => void) {
  let sent = 0;
  let take = () => {};
  const mux = new StreamMux({
    role: 'server',
    version,
    write: (bytes) => {
      sent += bytes.length;
      return new Promise((resolve) => {
        take = resolve;
      });
    },
    accept,
    failed: (error) => {
      throw error;
    },
  });
  return { mux, take: () => take(), sent: () => sent };
}

describe('a stream mux', () => {
  test('takes no more from a peer that opens what is refused and does not take the answers', async () => {
    const { mux, take, sent } = server(2, (stream) =>
      stream.reset({ code: 'ECONNREFUSED', message: 'Nobody.' }),
    );
    let id = 1;
    let wait: Promise<void> | undefined;
    while (!wait && id < 100_000) {
      id += 2;
      wait = mux.handleBytes(frame(2, 'SYN', id));
    }
    expect(id / 2).toBeLessThan(10_000);
    let free = false;
    void wait?.then(() => {
      free = true;
    });
    await turn();
    expect(free).toBe(false);
    take();
    await turn();
    expect(free).toBe(true);
    expect(sent()).toBeGreaterThan(32_000);
    mux.close(new PortError('ERR_PORT_RESET', 'over'));
  });

  test('takes more when a reader has read, though what it sends still waits', async () => {
    const streams: MuxStream[] = [];
    const { mux } = server(1, (stream) => streams.push(stream));
    let wait: Promise<void> | undefined;
    for (let id = 3; !wait; id += 2) {
      await mux.handleBytes(frame(1, 'SYN', id));
      for (let i = 0; i < 8 && !wait; i++)
        wait = mux.handleBytes(frame(1, 'PSH', id, new Uint8Array(32_768)));
    }
    void streams[0]!.writable.getWriter().write(Uint8Array.of(1));
    const reader = streams[0]!.readable.getReader();
    for (let i = 0; i < 8; i++) await reader.read();
    await wait;
    mux.close(new PortError('ERR_PORT_RESET', 'over'));
  });
});
