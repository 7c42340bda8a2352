import { describe, expect, test } from 'vitest';
import { AcknowledgedNumbers } from '../../src/service/acknowledged-numbers.ts';
import { serviceContext } from '../../src/service/context.ts';
import { memoryStore } from '../../src/service/memory-store.ts';
import { RelayMemory } from '../../src/service/relay-memory.ts';
import { RelayedStream } from '../../src/service/relayed-stream.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { connected, world } from './world.ts';

const frame = (length: number) => new Uint8Array(length);

describe('acknowledged numbers', () => {
  test('are what a set of them would be, in whatever order they come', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 50; round++) {
      const numbers = new AcknowledgedNumbers();
      const set = new Set<number>();
      for (let i = 0; i < 200; i++) {
        const [byte] = random.bytes(1);
        numbers.add(byte!);
        set.add(byte!);
      }
      for (let number = -1; number < 258; number++) expect(numbers.has(number)).toBe(set.has(number));
    }
  });

  test('take no more memory for a million in a row than for one', () => {
    const numbers = new AcknowledgedNumbers();
    for (let number = 0; number < 1_000_000; number++) if (number !== 8) numbers.add(number);
    expect(numbers.ranges).toBe(2);
    expect([7, 8, 9, 999_999].map((number) => numbers.has(number))).toEqual([true, false, true, true]);
  });

  test('of which every other is missing are forgotten from below', () => {
    const numbers = new AcknowledgedNumbers();
    for (let number = 0; number < 2_000_000; number += 2) numbers.add(number);
    expect(numbers.ranges).toBe(256);
    expect(numbers.has(1_999_998)).toBe(true);
    expect(numbers.has(0)).toBe(false);
    for (let number = 2_000_000; number > 1; number -= 2) numbers.add(number);
    expect(numbers.ranges).toBe(256);
  });
});

describe('unacknowledged frames', () => {
  const LIMIT = 10_000;

  test('larger than those of the real programs are left to their sender', () => {
    const stream = new RelayedStream(LIMIT);
    stream.keep(0, frame(120 + 1052), true);
    stream.keep(1, frame(120 + 32_768), true);
    stream.keep(2, frame(120), true);
    expect([...stream.dueTo('next')].map(({ length }) => length)).toEqual([1172, 120]);
    stream.acknowledge(1);
    expect(stream.isAcknowledged(1)).toBe(true);
  });

  test('are kept up to the limit, with something for each', () => {
    const stream = new RelayedStream(LIMIT);
    for (let i = 0; i < 100_000; i++) stream.keep(i, frame(i % 3 === 0 ? 0 : 120), false);
    expect(stream.keptBytes).toBeLessThanOrEqual(LIMIT);
    expect([...stream.dueTo('a')].length).toBeLessThan(LIMIT / 64);
  });

  test('larger than the limit are not kept', () => {
    const stream = new RelayedStream(LIMIT);
    stream.keep(0, frame(LIMIT), false);
    expect([...stream.dueTo('a')]).toEqual([]);
    expect(stream.keptBytes).toBe(0);
  });

  test('cost nothing once they are acknowledged, however often they came', () => {
    const stream = new RelayedStream(LIMIT);
    for (let i = 0; i < 20; i++) for (let copy = 0; copy < 3; copy++) stream.keep(i, frame(100), true);
    for (let i = 0; i < 20; i++) stream.acknowledge(i);
    expect(stream.keptBytes).toBe(0);
  });

  test('keep no more memory than their own', () => {
    const stream = new RelayedStream(LIMIT);
    stream.keep(0, new Uint8Array(65_536).subarray(0, 120), false);
    const [kept] = stream.dueTo('a');
    expect(kept!.buffer.byteLength).toBe(120);
  });

  test('go to a connection once', () => {
    const stream = new RelayedStream(LIMIT);
    stream.keep(0, frame(1), false);
    expect([...stream.dueTo('a')]).toHaveLength(1);
    stream.keep(1, frame(2), true);
    stream.keep(2, frame(3), false);
    expect([...stream.dueTo('a')]).toEqual([frame(3)]);
    expect([...stream.dueTo('b')]).toHaveLength(3);
  });
});

test('what the relay remembers of a session is gone when that is over, or deleted', async () => {
  const store = memoryStore();
  const memory = new RelayMemory(
    serviceContext({
      region: 'eu-central-1',
      accountId: '111122223333',
      credentials: () => undefined,
      store,
    }),
  );
  const w = world({ store });
  const { node, agent, session } = await connected(w);
  const first = memory.session(session.SessionId);
  expect(memory.session(session.SessionId)).toBe(first);
  await w.ok('TerminateSession', session);
  expect(memory.size).toBe(1);
  agent.socket.close();
  await node.complete(session.SessionId);
  expect(memory.size).toBe(0);
  // A client that comes to be told why leaves nothing behind.
  memory.session(session.SessionId);
  await w.settle();
  expect(memory.size).toBe(0);

  const second = await w.start();
  memory.session(second.SessionId);
  const entry = await store.sessions.get(second.SessionId);
  await store.sessions.delete(entry!);
  await w.settle();
  expect(memory.size).toBe(0);
});
