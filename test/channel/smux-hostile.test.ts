import { describe, expect, test } from 'vitest';
import {
  connected,
  events,
  exchange,
  frame,
  heard,
  sent,
  session,
  told,
  update,
  VERSIONS,
} from './smux-wire.ts';

const INITIAL_WINDOW = 65_536;
const PIECE = 32_768;

describe.each(VERSIONS)('a session of version %i, whose peer breaks the rules,', (version) => {
  const other = version === 1 ? 2 : 1;

  test.each([
    ['sends the other version', frame(other, 'PSH', 3, 'x')],
    ['sends version 0', frame(0, 'PSH', 3, 'x')],
    ['sends a command that does not exist', frame(version, version === 1 ? 4 : 6, 3)],
    ['sends command 255', frame(version, 255, 3)],
    ['sends SYN with a payload', frame(version, 'SYN', 5, 'x')],
    ['sends FIN with a payload', frame(version, 'FIN', 3, 'x')],
    ['sends NOP with a payload', frame(version, 'NOP', 0, 'x')],
  ])('is over when it %s', (_, bytes) => {
    const { server } = connected(version);
    server.handleBytes(Buffer.concat([frame(version, 'PSH', 3, 'first'), bytes, frame(version, 'SYN', 7)]));
    expect(heard(server)).toEqual(['data 3 first', 'failed ERR_SMUX_FRAME']);
    expect([server.size, server.unread, server.full]).toEqual([0, 0, false]);
    expect(sent(server)).toEqual([]);
    server.handleBytes(frame(version, 'SYN', 9));
    expect(events(server)).toEqual([]);
  });

  test('is over by the header alone, without waiting for the payload', () => {
    const { server } = connected(version);
    server.handleBytes(frame(version, 9, 3, 'payload').subarray(0, 8));
    expect(heard(server)).toEqual(['failed ERR_SMUX_FRAME']);
  });

  test('refuses streams beyond the most, and keeps nothing of them', () => {
    const server = session('server', version, { maxStreams: 2 });
    for (const id of [3, 5, 7, 9]) server.handleBytes(frame(version, 'SYN', id));
    server.handleBytes(frame(version, 'PSH', 7, 'anybody?'));
    server.handleBytes(frame(version, 'FIN', 7));
    expect(heard(server)).toEqual(['opened 3', 'opened 5']);
    expect([server.size, server.unread]).toEqual([2, 0]);
    const refusals = sent(server);
    expect(refusals.map(({ command, id }) => `${command} ${id}`)).toEqual(
      version === 1 ? ['FIN 7', 'FIN 9'] : ['RST 7', 'RST 9'],
    );
    if (version === 2) {
      expect(JSON.parse(refusals[0]!.payload.toString())).toEqual({
        code: 'ERR_SMUX_STREAMS',
        message: '2 streams are open, as many as there may be.',
      });
    }
    server.reset(3);
    server.handleBytes(frame(version, 'SYN', 11));
    expect(heard(server)).toEqual(['opened 11']);
  });

  test('is full while a flood of SYN is refused and the answers are not taken', () => {
    const server = session('server', version, { maxStreams: 10 });
    let brought = 0;
    for (let id = 3; !server.full; id += 2) {
      server.handleBytes(frame(version, 'SYN', id));
      brought++;
    }
    expect(brought).toBe(10 + 2 * 10 + 1);
    // Half of the answers let it read on.
    server.pollTransmit(2048);
    expect(server.full).toBe(false);
    expect(server.size).toBe(10);
  });

  test('is full while it refuses what the peer opens again and again, and the answers are not taken', () => {
    const server = session('server', version, { maxStreams: 10 });
    let id = 1;
    while (!server.full) {
      id += 2;
      server.handleBytes(frame(version, 'SYN', id));
      server.reset(id, { code: 'ECONNREFUSED', message: 'Nobody listens.' });
    }
    expect(id).toBe(1 + 2 * 21);
    expect(sent(server)).toHaveLength(21);
    expect(server.full).toBe(false);
  });

  test('keeps all ends in their order before a new stream', () => {
    const client = session('client', version, { maxStreams: 1000 });
    const ids = Array.from({ length: 1000 }, () => client.open());
    sent(client);
    for (const id of ids) client.reset(id, { code: 'x'.repeat(64), message: 'y'.repeat(256) });
    const last = client.open();
    const told = sent(client, 2048);
    expect(told.map(({ id }) => id)).toEqual([...ids, last]);
  });

  test('ignores SYN of a stream that is open', () => {
    const { server } = connected(version);
    server.handleBytes(frame(version, 'SYN', 3));
    expect(events(server)).toEqual([]);
    expect(sent(server)).toEqual([]);
    expect(server.size).toBe(1);
  });

  test('takes streams that were opened at one time in any order', () => {
    const server = session('server', version);
    for (const id of [7, 3, 5]) server.handleBytes(frame(version, 'SYN', id));
    expect(heard(server)).toEqual(['opened 7', 'opened 3', 'opened 5']);
  });

  test.each([5, 3, 1])('refuses id %i after it was used, rather than mix it with a stream that was', (id) => {
    const server = session('server', version);
    for (let used = 1; used < 5_000; used += 2) {
      server.handleBytes(frame(version, 'SYN', used));
      server.reset(used);
    }
    events(server);
    sent(server);
    server.handleBytes(frame(version, 'SYN', id));
    server.handleBytes(frame(version, 'PSH', id, 'mixed?'));
    expect(events(server)).toEqual([]);
    expect(sent(server).map((one) => `${one.command} ${one.id}`)).toEqual([
      `${version === 1 ? 'FIN' : 'RST'} ${id}`,
    ]);
  });

  test('takes the very last id, and refuses what comes after it', () => {
    const server = session('server', version);
    server.handleBytes(frame(version, 'SYN', 0xffff_ffff));
    expect(heard(server)).toEqual(['opened 4294967295']);
    server.handleBytes(frame(version, 'SYN', 1));
    expect(events(server)).toEqual([]);
    expect(sent(server)).toHaveLength(1);
    expect(server.write(0xffff_ffff, Uint8Array.of(1))).toBe(1);
    expect(sent(server)[0]?.id).toBe(0xffff_ffff);
  });

  test('takes no stream as a client', () => {
    const { client } = connected(version);
    client.handleBytes(frame(version, 'SYN', 2));
    client.handleBytes(frame(version, 'SYN', 3));
    client.handleBytes(frame(version, 'PSH', 2, 'hello'));
    expect(events(client)).toEqual([]);
    expect(client.size).toBe(1);
    expect(told(sent(client))).toEqual([
      version === 1
        ? 'FIN 2'
        : 'RST 2 {"code":"ERR_SMUX_STREAMS","message":"Only the client opens streams."}',
    ]);
  });

  test('says nothing and keeps nothing for a storm of frames of streams that never were', () => {
    const { server } = connected(version);
    const commands = ['FIN', 'PSH', ...(version === 2 ? (['RST', 'UPD'] as const) : [])] as const;
    for (let id = 1; id < 100_000; id += 7) {
      for (const command of commands) {
        const payload = { FIN: '', PSH: 'data', RST: '{}', UPD: '12345678' }[command];
        server.handleBytes(frame(version, command, id === 3 ? 5 : id, payload));
      }
    }
    expect(events(server)).toEqual([]);
    expect(sent(server)).toEqual([]);
    expect([server.size, server.unread]).toEqual([1, 0]);
  });

  test('makes no event of a frame with no data', () => {
    const { server } = connected(version);
    const empty = frame(version, 'PSH', 3);
    const flood = new Uint8Array(empty.length * 4096);
    for (let at = 0; at < flood.length; at += empty.length) flood.set(empty, at);
    for (let i = 0; i < 100; i++) server.handleBytes(flood);
    expect(events(server)).toEqual([]);
    expect(server.unread).toBe(0);
  });

  test('queues one FIN for a stream, however many come', () => {
    const { server } = connected(version);
    for (let i = 0; i < 10_000; i++) server.handleBytes(frame(version, 'FIN', 3));
    server.closeWrite(3);
    expect(heard(server)).toEqual(['finished 3']);
    expect(told(sent(server))).toEqual(['FIN 3']);
    expect(server.size).toBe(0);
  });
});

describe('version 1', () => {
  test('is full when the reader does not read, and holds no more than the buffer and one piece', () => {
    const server = session('server', 1, { receiveBuffer: 100_000 });
    server.handleBytes(frame(1, 'SYN', 3));
    while (!server.full) server.handleBytes(frame(1, 'PSH', 3, new Uint8Array(PIECE - 8)));
    expect(server.unread).toBeLessThan(100_000 + PIECE);
  });

  test('does not know UPD and RST', () => {
    for (const command of ['UPD', 'RST'] as const) {
      const { server } = connected(1);
      server.handleBytes(frame(1, command, 3, '{}'));
      expect(heard(server)).toEqual(['failed ERR_SMUX_FRAME']);
    }
  });
});

describe('version 2', () => {
  test('resets a stream whose sender passes the window by one byte, and no other', () => {
    const { client, server } = connected(2);
    client.open();
    exchange(client, server);
    for (let left = INITIAL_WINDOW; left > 0; left -= PIECE)
      server.handleBytes(frame(2, 'PSH', 3, new Uint8Array(PIECE)));
    events(server);
    expect(server.unread).toBe(INITIAL_WINDOW);
    server.handleBytes(frame(2, 'PSH', 3, 'x'));
    server.handleBytes(frame(2, 'PSH', 3, 'y'));
    server.handleBytes(frame(2, 'PSH', 5, 'fine'));
    const why = 'ERR_SMUX_WINDOW More was sent than the window had room for.';
    expect(heard(server)).toEqual([`reset 3 ${why}`, 'data 5 fine']);
    expect([server.size, server.unread]).toEqual([1, 4]);
    exchange(client, server);
    expect(heard(client)).toEqual([`reset 3 ${why}`]);
  });

  test('counts against the window that was told, not the one that will be', () => {
    const { server } = connected(2);
    for (let left = INITIAL_WINDOW; left > 0; left -= PIECE)
      server.handleBytes(frame(2, 'PSH', 3, new Uint8Array(PIECE)));
    server.consumed(3, INITIAL_WINDOW);
    events(server);
    server.handleBytes(frame(2, 'PSH', 3, 'x')); // before the UPD was sent
    expect(heard(server)[0]).toContain('ERR_SMUX_WINDOW');
  });

  test('holds no more of a peer that keeps the windows than one for each stream', () => {
    const server = session('server', 2, { maxStreams: 4 });
    for (let id = 3; id < 30; id += 2) {
      server.handleBytes(frame(2, 'SYN', id));
      for (let i = 0; i < 20; i++) server.handleBytes(frame(2, 'PSH', id, new Uint8Array(PIECE)));
    }
    expect(server.unread).toBeLessThanOrEqual(4 * INITIAL_WINDOW);
  });

  test.each([
    ['more than was sent', update(3, 1, 1000)],
    ['almost all that can be counted', update(3, 0xffff_ffff, 0xffff_ffff)],
    ['half of all that can be counted', update(3, 0x8000_0000, 0)],
    ['nothing at all', frame(2, 'UPD', 3)],
    ['half a number', frame(2, 'UPD', 3, '123')],
    ['one number only', frame(2, 'UPD', 3, '1234')],
  ])('resets a stream whose reader says it has consumed %s', (_, bytes) => {
    const { server } = connected(2);
    server.handleBytes(bytes);
    expect(heard(server)).toEqual([
      'reset 3 ERR_SMUX_WINDOW More was said to be consumed than had been sent.',
    ]);
    expect(sent(server).map(({ command, id }) => `${command} ${id}`)).toEqual(['RST 3']);
    expect(server.size).toBe(0);
  });

  test('is over when an update has nine bytes', () => {
    const { server } = connected(2);
    server.handleBytes(frame(2, 'UPD', 3, '123456789'));
    expect(heard(server)).toEqual(['failed ERR_SMUX_FRAME']);
  });

  test('lets a window be as wide as numbers go, and still queues no more than its send buffer', () => {
    const { client } = connected(2);
    client.handleBytes(update(3, 0, 0xffff_ffff));
    for (let i = 0; i < 10; i++) {
      expect(client.write(3, new Uint8Array(131_072))).toBe(131_072);
      expect(client.write(3, new Uint8Array(1))).toBe(0);
      sent(client);
    }
  });

  test('takes a window of nothing and an older update for no smaller window', () => {
    const { client } = connected(2);
    client.handleBytes(update(3, 0, 0));
    client.write(3, new Uint8Array(1000));
    expect(told(sent(client))).toEqual(['PSH 3 (1000)']);
    client.handleBytes(update(3, 1000, 0));
    client.handleBytes(update(3, 500, 10));
    client.write(3, new Uint8Array(1000));
    expect(told(sent(client))).toEqual(['PSH 3 (1000)']);
  });

  test('ignores a storm of updates', () => {
    const { client } = connected(2);
    for (let i = 0; i < 10_000; i++) client.handleBytes(update(3, 0, INITIAL_WINDOW));
    expect(events(client)).toEqual([]);
    expect(sent(client)).toEqual([]);
  });

  test.each([
    ['nothing', ''],
    ['no JSON', 'because'],
    ['null', 'null'],
    ['a number', '7'],
    ['a list', '["a","b"]'],
    ['no message', '{"code":"E"}'],
    ['a code that is no text', '{"code":1,"message":"x"}'],
    ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['a nest of lists', '['.repeat(1900)],
  ])('takes a reset with %s for one without a reason', (_, payload) => {
    const { client } = connected(2);
    client.handleBytes(frame(2, 'RST', 3, payload));
    client.handleBytes(frame(2, 'RST', 3, payload));
    expect(events(client)).toEqual([{ type: 'reset', streamId: 3 }]);
    expect(client.size).toBe(0);
  });

  test('takes nothing from the reason of a reset but code and message, cut to their lengths', () => {
    const { client } = connected(2);
    const reason = { code: 'c'.repeat(100), message: 'm'.repeat(900), __proto__x: 1, extra: {} };
    client.handleBytes(frame(2, 'RST', 3, JSON.stringify(reason)));
    expect(events(client)).toEqual([
      { type: 'reset', streamId: 3, reason: { code: 'c'.repeat(64), message: 'm'.repeat(256) } },
    ]);
  });

  test('is over when a reason is longer than any may be', () => {
    const { client } = connected(2);
    client.handleBytes(frame(2, 'RST', 3, 'x'.repeat(1945)).subarray(0, 8));
    expect(heard(client)).toEqual(['failed ERR_SMUX_FRAME']);
  });

  test('forgets what was unread of a stream that the peer resets', () => {
    const { server } = connected(2);
    for (let id = 5; id < 1000; id += 2) {
      server.handleBytes(
        Buffer.concat([frame(2, 'SYN', id), frame(2, 'PSH', id, 'x'), frame(2, 'RST', id, '{}')]),
      );
      expect(events(server).map(({ type }) => type)).toEqual(['opened', 'data', 'reset']);
    }
    server.consumed(5, 1);
    expect([server.size, server.unread]).toEqual([1, 0]);
  });
});

describe("a stranger like AWS's agent, on version 1,", () => {
  test('may reply, end twice, send after its end and NOP in between', () => {
    const { client } = connected(1);
    client.write(3, new TextEncoder().encode('GET /'));
    expect(told(sent(client))).toEqual(['PSH 3 GET /']);
    client.handleBytes(
      Buffer.concat([
        frame(1, 'NOP', 0),
        frame(1, 'PSH', 3, '200'),
        frame(1, 'NOP', 3),
        frame(1, 'PSH', 3, ' OK'),
        frame(1, 'FIN', 3),
        frame(1, 'PSH', 3, 'more'),
        frame(1, 'FIN', 3),
        frame(1, 'NOP', 0),
      ]),
    );
    expect(heard(client)).toEqual(['data 3 200 OK', 'finished 3']);
    client.closeWrite(3);
    expect(told(sent(client))).toEqual(['NOP 0', 'FIN 3']);
    client.consumed(3, 6);
    client.handleBytes(frame(1, 'FIN', 3));
    expect([client.size, client.unread]).toEqual([0, 0]);
    expect(events(client)).toEqual([]);
  });

  test('may end a stream that it could not connect before we have said anything', () => {
    const client = session('client', 1);
    client.open();
    expect(told(sent(client))).toEqual(['SYN 3']);
    client.handleBytes(frame(1, 'FIN', 3));
    client.closeWrite(3);
    expect(heard(client)).toEqual(['finished 3']);
    expect(told(sent(client))).toEqual(['FIN 3']);
    expect(client.size).toBe(0);
  });
});
