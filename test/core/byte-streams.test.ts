import { describe, expect, test, vi } from 'vitest';
import { ByteSink } from '../../src/core/byte-sink.ts';
import { ByteSource } from '../../src/core/byte-source.ts';
import { turn } from '../../src/testing/turn.ts';

const bytes = (length: number, value = 1) => new Uint8Array(length).fill(value);

async function readAll(stream: ReadableStream<Uint8Array>): Promise<number[]> {
  const all: number[] = [];
  for await (const chunk of stream) all.push(...chunk);
  return all;
}

describe('a byte source', () => {
  test('is full at its limit, and tells when there is room again', async () => {
    const room = vi.fn();
    const source = new ByteSource({ limit: 4, room });
    source.push(bytes(3));
    expect(source.full).toBe(false);
    source.push(bytes(1));
    expect(source.full).toBe(true);
    expect(room).not.toHaveBeenCalled();
    await source.stream.getReader().read();
    expect(source.full).toBe(false);
    expect(room).toHaveBeenCalled();
  });

  test('gives a waiting reader its bytes at once', async () => {
    const source = new ByteSource({ limit: 4, room: () => {} });
    const read = source.stream.getReader().read();
    await turn();
    source.push(bytes(2, 7));
    expect(await read).toEqual({ done: false, value: bytes(2, 7) });
  });

  test('ends after the bytes it has', async () => {
    const source = new ByteSource({ limit: 1, room: () => {} });
    for (let i = 0; i < 3000; i++) source.push(bytes(1, i % 256));
    source.end();
    source.push(bytes(1));
    expect(await readAll(source.stream)).toEqual(Array.from({ length: 3000 }, (_, i) => i % 256));
  });

  test('keeps no more memory than its own bytes for a reader that is late', async () => {
    const source = new ByteSource({ limit: 1_000, room: () => {} });
    for (let i = 0; i < 1_000; i++) source.push(bytes(65_536).subarray(0, 1));
    source.end();
    let large = 0;
    for await (const chunk of source.stream) if (chunk.buffer.byteLength > 1_024) large++;
    expect(large).toBe(64);
  });

  test('keeps a flood of tiny chunks in few pieces, in order', async () => {
    const source = new ByteSource({ limit: 1 });
    const expected: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      const chunk = bytes(i % 1000 === 0 ? 600 : 1 + (i % 3), i % 251);
      expected.push(...chunk);
      source.push(chunk);
    }
    source.end();
    const pieces: Uint8Array[] = [];
    for await (const piece of source.stream) pieces.push(piece);
    expect(pieces.flatMap((piece) => [...piece])).toEqual(expected);
    expect(pieces.length).toBeLessThan(200);
  });

  test('writes no more to what it has handed out', async () => {
    const source = new ByteSource({ limit: 1 });
    const reader = source.stream.getReader();
    for (let i = 0; i < 65; i++) source.push(bytes(1, i));
    let last: Uint8Array | undefined;
    for (let i = 0; i < 65; i++) last = (await reader.read()).value;
    structuredClone(last, { transfer: [last!.buffer] });
    for (let i = 0; i < 65; i++) source.push(bytes(1, i));
    for (let i = 0; i < 65; i++) expect((await reader.read()).value).toEqual(bytes(1, i));
  });

  test('ends for a reader that waits', async () => {
    const source = new ByteSource({ limit: 1, room: () => {} });
    const read = source.stream.getReader().read();
    await turn();
    source.end();
    expect(await read).toEqual({ done: true, value: undefined });
  });

  test('unclaimed, keeps the last bytes and is never full', async () => {
    const source = new ByteSource({ limit: 4, room: () => {}, dropUnclaimed: true });
    for (let i = 0; i < 5000; i++) source.push(bytes(1, i % 256));
    expect(source.full).toBe(false);
    source.end();
    expect(await readAll(source.stream)).toEqual([4996, 4997, 4998, 4999].map((i) => i % 256));
  });

  test('claimed, drops nothing and is full', () => {
    const source = new ByteSource({ limit: 4, room: () => {}, dropUnclaimed: true });
    source.stream.getReader();
    source.push(bytes(4));
    source.push(bytes(4));
    expect(source.full).toBe(true);
  });

  test('cancelled, takes everything and keeps nothing', async () => {
    const room = vi.fn();
    const source = new ByteSource({ limit: 4, room });
    source.push(bytes(4));
    await source.stream.cancel();
    expect(room).toHaveBeenCalled();
    source.push(bytes(100));
    expect(source.full).toBe(false);
    source.end();
  });
});

describe('a byte sink', () => {
  test('offers the rest again when there is room', async () => {
    const sent: number[] = [];
    const sink = new ByteSink({
      limit: 10,
      send: (chunk) => {
        sent.push(...chunk.subarray(0, 3));
        return Math.min(3, chunk.length);
      },
      room: async () => {},
      taken: () => {},
    });
    await sink.stream.getWriter().write(Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
    expect(sent).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(sink.empty).toBe(true);
  });

  test('counts writes that still queue in the stream', async () => {
    const sink = new ByteSink({
      limit: 10,
      send: () => 0,
      room: () => new Promise(() => {}),
      taken: () => {},
    });
    const writer = sink.stream.getWriter();
    writer.write(bytes(1)).catch(() => {});
    writer.write(bytes(1)).catch(() => {});
    expect(sink.empty).toBe(false);
  });

  test('fails a waiting write at its end', async () => {
    let free = () => {};
    const room = () =>
      new Promise<void>((resolve) => {
        free = resolve;
      });
    const sink = new ByteSink({ limit: 10, send: () => 0, room, taken: () => {} });
    const write = sink.stream.getWriter().write(bytes(1));
    await turn();
    sink.end(new Error('over'));
    free();
    await expect(write).rejects.toThrow('over');
  });

  test('refuses text, and then waits for nothing', async () => {
    const sink = new ByteSink({
      limit: 10,
      send: (chunk) => chunk.length,
      room: async () => {},
      taken: () => {},
    });
    const writer = sink.stream.getWriter();
    const refused = writer.write('text' as never);
    const behind = writer.write(bytes(1));
    await expect(refused).rejects.toThrow(TypeError);
    await expect(behind).rejects.toThrow(TypeError);
    expect(sink.empty).toBe(true);
  });
});
