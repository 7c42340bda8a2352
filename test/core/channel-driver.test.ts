import { beforeEach, describe, expect, test } from 'vitest';
import { DataChannel } from '../../src/channel/index.ts';
import { ChannelDriver } from '../../src/core/channel-driver.ts';
import type { SessionError } from '../../src/core/errors.ts';
import type { Socket, SocketHandler } from '../../src/core/socket.ts';
import { sha256Digest } from '../../src/crypto/digest.ts';
import { seededRandom, VirtualClock } from '../../src/testing/index.ts';

/** A socket whose network takes bytes only when told to. */
class HeldSocket implements Socket {
  handler: SocketHandler | undefined;
  bufferedAmount = 0;
  closed = false;

  send(data: Uint8Array | string): void {
    this.bufferedAmount += data.length;
  }

  close(): void {
    this.closed = true;
  }
}

const KIB = 1024;
let clock: VirtualClock;
let channel: DataChannel;
let errors: SessionError[];
let driver: ChannelDriver;
let transmissions: number;

beforeEach(() => {
  clock = new VirtualClock();
  const random = seededRandom(1);
  channel = new DataChannel({
    role: 'agent',
    sessionId: 's',
    digest: sha256Digest,
    uuid: () => random.uuid(),
    payloadSize: 32 * KIB,
    sendWindow: 4096 * KIB,
    sendQueue: 2048 * KIB,
  });
  errors = [];
  transmissions = 0;
  driver = new ChannelDriver(channel, clock, {
    changed: () => {},
    transmitted: () => transmissions++,
    disconnected: (error) => errors.push(error),
  });
});

describe('a full socket', () => {
  test('is given no more than it should hold', () => {
    const socket = new HeldSocket();
    driver.connect(socket);
    channel.send(new Uint8Array(1024 * KIB));
    driver.run();
    expect(socket.bufferedAmount).toBeGreaterThanOrEqual(256 * KIB);
    expect(socket.bufferedAmount).toBeLessThan(300 * KIB);
  });

  test('is given more at once when it says that it has drained', () => {
    const socket = new HeldSocket();
    driver.connect(socket);
    channel.send(new Uint8Array(1024 * KIB));
    driver.run();
    socket.bufferedAmount = 0;
    transmissions = 0;
    socket.handler!.drained!();
    expect(socket.bufferedAmount).toBeGreaterThanOrEqual(256 * KIB);
    expect(transmissions).toBe(1);
  });

  test('is given more soon when it says nothing', async () => {
    const socket = new HeldSocket();
    driver.connect(socket);
    channel.send(new Uint8Array(1024 * KIB));
    driver.run();
    await clock.advance(5);
    socket.bufferedAmount = 0;
    await clock.advance(20);
    expect(socket.bufferedAmount).toBeGreaterThanOrEqual(256 * KIB);
  });
});

test('a socket that closes on being taken is a lost one', () => {
  const socket = new HeldSocket();
  Object.defineProperty(socket, 'handler', {
    set: (handler?: SocketHandler) => handler?.closed(1006, 'gone'),
  });
  driver.connect(socket);
  expect(errors).toMatchObject([{ code: 'ERR_SOCKET_CLOSED' }]);
  expect(channel.connected).toBe(false);
  driver.stop();
  expect(clock.pending).toBe(0);
});

test('taking a new socket closes the one before', () => {
  const [first, second] = [new HeldSocket(), new HeldSocket()];
  driver.connect(first);
  driver.connect(second);
  expect([first.closed, second.closed]).toEqual([true, false]);
  expect(first.handler).toBeUndefined();
  expect(errors).toEqual([]);
});

test('stopping leaves no timer and no socket', () => {
  const socket = new HeldSocket();
  driver.connect(socket);
  channel.send(new Uint8Array(10));
  driver.run();
  expect(clock.pending).toBeGreaterThan(0);
  driver.stop();
  expect(socket.closed).toBe(true);
  expect(clock.pending).toBe(0);
});
