import { describe, expect, it } from 'vitest';
import type { Socket } from '../../src/core/socket.ts';
import { socketPair, VirtualClock } from '../../src/testing/index.ts';

/** Writes down what a socket tells. */
function record(socket: Socket): unknown[] {
  const events: unknown[] = [];
  socket.handler = {
    message: (data) => events.push(typeof data === 'string' ? data : [...data]),
    drained: () => events.push('drained'),
    pong: () => events.push('pong'),
    closed: (code, reason) => events.push({ code, reason }),
  };
  return events;
}

const settled = () => new VirtualClock().advance(0);

describe('socketPair', () => {
  it('delivers both ways, in order, asynchronously, text as text and bytes as copied bytes', async () => {
    const { client, server } = socketPair();
    const atServer = record(server);
    const atClient = record(client);
    const bytes = Uint8Array.of(1, 2);
    client.send('open');
    client.send(bytes);
    bytes[0] = 9;
    server.send('hello');
    expect([...atServer, ...atClient]).toEqual([]);
    await settled();
    expect(atServer).toEqual(['drained', 'open', [1, 2]]);
    expect(atClient).toEqual(['drained', 'hello']);
  });

  it('keeps what arrives before the first handler', async () => {
    const { client, server } = socketPair();
    server.send('early');
    await settled();
    const atClient = record(client);
    await settled();
    expect(atClient).toEqual(['early']);
  });

  it('takes the latency of its clock', async () => {
    const clock = new VirtualClock(0);
    const { client, server } = socketPair({ clock, latency: 25 });
    const arrivals: number[] = [];
    server.handler = { message: () => arrivals.push(clock.now()), closed: () => {} };
    client.send('a');
    await clock.advance(10);
    client.send('b');
    await clock.advance(100);
    expect(arrivals).toEqual([25, 35]);
  });

  it('refuses a latency that no clock measures', () => {
    expect(() => socketPair({ latency: 1 })).toThrow(RangeError);
  });

  it('pushes back through bufferedAmount while the peer is paused, and drains when it resumes', async () => {
    const { client, server } = socketPair({ capacity: 1000 });
    const atServer = record(server);
    const atClient = record(client);
    server.pause?.();
    for (let i = 0; i < 10; i++) client.send(new Uint8Array(200).fill(i));
    expect(client.bufferedAmount).toBeGreaterThanOrEqual(2000);
    await settled();
    const stuck = client.bufferedAmount;
    expect(stuck).toBeGreaterThanOrEqual(1000);
    expect(stuck).toBeLessThan(1300);
    expect(atServer).toEqual([]);
    expect(atClient).toEqual([]);
    server.resume?.();
    await settled();
    expect(client.bufferedAmount).toBe(0);
    expect(atClient).toEqual(['drained']);
    expect(atServer.map((message) => (message as number[])[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('lets a message through that is larger than its capacity', async () => {
    const { client, server } = socketPair({ capacity: 10 });
    const atServer = record(server);
    client.send(new Uint8Array(100));
    client.send('next');
    await settled();
    expect(atServer).toHaveLength(2);
  });

  it('stops between two messages when a handler pauses', async () => {
    const { client, server } = socketPair();
    const seen: unknown[] = [];
    server.handler = {
      message: (data) => {
        seen.push(data);
        server.pause?.();
      },
      closed: () => {},
    };
    client.send('1');
    client.send('2');
    await settled();
    expect(seen).toEqual(['1']);
    server.resume?.();
    await settled();
    expect(seen).toEqual(['1', '2']);
  });

  it('answers pings', async () => {
    const { client, server } = socketPair();
    record(server);
    const atClient = record(client);
    client.ping?.();
    await settled();
    expect(atClient).toContain('pong');
  });

  it('closes both ends once, after what was sent before', async () => {
    const pair = socketPair();
    const { client, server } = pair;
    const atServer = record(server);
    const atClient = record(client);
    client.send('last words');
    client.close(1000, 'done');
    client.close(1001);
    client.send('too late');
    await settled();
    server.close();
    server.send('too late');
    await settled();
    expect(atServer).toEqual(['last words', { code: 1000, reason: 'done' }]);
    expect(atClient).toEqual(['drained', { code: 1000, reason: 'done' }]);
    expect(pair.open).toBe(false);
  });

  it('closes both ends once when both close at the same time', async () => {
    const { client, server } = socketPair();
    const atServer = record(server);
    const atClient = record(client);
    client.close(1000);
    server.close(1001);
    await settled();
    expect([atServer, atClient].map((events) => events.filter((event) => typeof event === 'object'))).toEqual(
      [[{ code: 1000, reason: '' }], [{ code: 1001, reason: '' }]],
    );
  });

  it('drops a connection whose paused peer does not answer the close', async () => {
    const clock = new VirtualClock();
    const { client, server } = socketPair({ clock });
    record(server);
    const atClient = record(client);
    server.pause?.();
    client.close(1000);
    await clock.advance(29_999);
    expect(atClient).not.toContainEqual({ code: 1006, reason: '' });
    await clock.advance(1);
    expect(atClient).toContainEqual({ code: 1006, reason: '' });
    expect(clock.pending).toBe(0);
  });

  it('loses what is under way when it is cut, and tells both ends 1006 once', async () => {
    const clock = new VirtualClock();
    const { client, server, cut } = socketPair({ clock, latency: 10 });
    const atServer = record(server);
    const atClient = record(client);
    client.send('lost');
    await clock.advance(5);
    cut();
    cut();
    expect(atServer).toEqual([]);
    await clock.advance(100);
    client.send('nowhere');
    await clock.advance(100);
    expect(atServer).toEqual([{ code: 1006, reason: '' }]);
    expect(atClient).toEqual(['drained', { code: 1006, reason: '' }]);
    expect(client.bufferedAmount).toBe(0);
  });
});
