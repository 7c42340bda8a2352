import { describe, expect, test } from 'vitest';
import { SmuxError } from '../../src/channel/index.ts';
import { nextStreamId } from '../../src/channel/smux/smux-stream.ts';
import {
  connected,
  events,
  exchange,
  frame,
  framesOf,
  heard,
  sent,
  session,
  text,
  told,
  transmitted,
  VERSIONS,
} from './smux-wire.ts';

const KIB = 1024;
const INITIAL_WINDOW = 64 * KIB;

describe.each(VERSIONS)('a smux session of version %i', (version) => {
  test('writes the frames of PROTOCOL.md section 9, byte for byte', () => {
    const client = session('client', version);
    client.open();
    client.write(3, text('hi'));
    client.closeWrite(3);
    expect(Buffer.from(transmitted(client)).toString('hex')).toBe(
      [`0${version}00000003000000`, `0${version}020200030000006869`, `0${version}01000003000000`].join(''),
    );
  });

  test('opens 3, 5, 7 as clients of smux do, and the server takes them', () => {
    const client = session('client', version);
    const server = session('server', version);
    expect([client.open(), client.open(), client.open()]).toEqual([3, 5, 7]);
    exchange(client, server);
    expect(heard(server)).toEqual(['opened 3', 'opened 5', 'opened 7']);
    expect([client.size, server.size]).toEqual([3, 3]);
  });

  test('carries bytes both ways, of each stream to its own', () => {
    const { client, server } = connected(version);
    client.open();
    client.write(5, text('five'));
    client.write(3, text('three'));
    server.write(3, text('drei'));
    exchange(client, server);
    server.write(5, text('fuenf'));
    exchange(client, server);
    expect(heard(server)).toEqual(['opened 5', 'data 5 five', 'data 3 three']);
    expect(heard(client)).toEqual(['data 3 drei', 'data 5 fuenf']);
  });

  test('reads frames cut at every byte', () => {
    const whole = Buffer.concat([
      frame(version, 'NOP', 0),
      frame(version, 'SYN', 3),
      frame(version, 'PSH', 3, 'hello'),
      frame(version, 'PSH', 3),
      frame(version, 'PSH', 3, ' world'),
      frame(version, 'FIN', 3),
    ]);
    const expected = ['opened 3', 'data 3 hello world', 'finished 3'];
    for (let cut = 0; cut <= whole.length; cut++) {
      const server = session('server', version);
      server.handleBytes(whole.subarray(0, cut));
      server.handleBytes(whole.subarray(cut));
      expect(heard(server), `cut at ${cut}`).toEqual(expected);
    }
    const server = session('server', version);
    for (const byte of whole) server.handleBytes(Uint8Array.of(byte));
    expect(heard(server)).toEqual(expected);
  });

  test('passes data on as it comes, before its frame is whole', () => {
    const { server } = connected(version);
    server.handleBytes(frame(version, 'PSH', 3, 'hello').subarray(0, 11));
    expect(heard(server)).toEqual(['data 3 hel']);
  });

  test('gives views of what came, not copies', () => {
    const { server } = connected(version);
    const bytes = frame(version, 'PSH', 3, 'hello');
    server.handleBytes(bytes);
    const [event] = events(server);
    expect(event?.type === 'data' && event.bytes.buffer).toBe(bytes.buffer);
  });

  test('copies what is written', () => {
    const { client, server } = connected(version);
    const bytes = text('hello');
    client.write(3, bytes);
    bytes.fill(0);
    exchange(client, server);
    expect(heard(server)).toEqual(['data 3 hello']);
  });

  test('sends the end behind what was written, and takes nothing more', () => {
    const { client } = connected(version);
    client.write(3, text('last words'));
    client.closeWrite(3);
    client.closeWrite(3);
    expect(client.write(3, text('too late'))).toBe(8);
    expect(told(sent(client))).toEqual(['PSH 3 last words', 'FIN 3']);
  });

  test('forgets a stream when both have ended it and everything has been consumed', () => {
    const { client, server } = connected(version);
    client.write(3, text('bye'));
    client.closeWrite(3);
    exchange(client, server);
    expect(heard(server)).toEqual(['data 3 bye', 'finished 3']);
    server.closeWrite(3);
    exchange(client, server);
    expect(heard(client)).toEqual(['finished 3']);
    expect(client.size).toBe(0);
    expect([server.size, server.unread]).toEqual([1, 3]);
    server.consumed(3, 3);
    expect([server.size, server.unread]).toEqual([0, 0]);
  });

  test('takes no more ahead of the peer than its send buffer, and says when there is room', () => {
    const { client, server } = connected(version, { sendBuffer: 1000 });
    expect(client.write(3, new Uint8Array(600))).toBe(600);
    expect(client.write(3, new Uint8Array(600))).toBe(400);
    expect(client.write(3, new Uint8Array(600))).toBe(0);
    expect(events(client)).toEqual([]);
    exchange(client, server);
    expect(events(client)).toEqual([{ type: 'writable', streamId: 3 }]);
    expect(client.write(3, new Uint8Array(600))).toBe(600);
    exchange(client, server);
    expect(events(client)).toEqual([]);
  });

  test('takes everything for a stream that is gone or never was: there is nobody to send it to', () => {
    const { client } = connected(version);
    client.reset(3);
    sent(client);
    for (const id of [1, 3, 99]) expect(client.write(id, text('hello'))).toBe(5);
    client.closeWrite(3);
    client.reset(3);
    client.consumed(3, 5);
    expect(sent(client)).toEqual([]);
  });

  test('says nothing of a stream that was reset before the peer heard of it', () => {
    const client = session('client', version);
    client.open();
    client.write(3, text('hello'));
    client.reset(3, { code: 'E', message: 'never mind' });
    expect(client.pollTransmit(2048)).toBeUndefined();
    expect(client.size).toBe(0);
    expect(client.open()).toBe(5);
    expect(told(sent(client))).toEqual(['SYN 5']);
  });

  test('loses what is queued when a stream is reset', () => {
    const { client, server } = connected(version);
    client.write(3, text('hello'));
    client.closeWrite(3);
    client.reset(3);
    expect(told(sent(client))).toEqual([version === 1 ? 'FIN 3' : 'RST 3']);
    expect(client.size).toBe(0);
    expect(server.size).toBe(1);
  });

  test('ignores what comes late for a stream that is over here', () => {
    const { client, server } = connected(version);
    server.reset(3);
    for (const command of ['PSH', 'FIN', 'PSH'] as const)
      server.handleBytes(frame(version, command, 3, command === 'PSH' ? 'late' : ''));
    if (version === 2) server.handleBytes(frame(2, 'RST', 3, '{}'));
    expect(events(server)).toEqual([]);
    expect([server.size, server.unread]).toEqual([0, 0]);
    expect(told(sent(server))).toHaveLength(1);
    expect(client.size).toBe(1);
  });

  test('ignores FIN twice and data after it', () => {
    const { client } = connected(version);
    for (const one of [
      frame(version, 'PSH', 3, 'reply'),
      frame(version, 'FIN', 3),
      frame(version, 'FIN', 3),
      frame(version, 'PSH', 3, 'what?'),
    ])
      client.handleBytes(one);
    expect(heard(client)).toEqual(['data 3 reply', 'finished 3']);
    expect(client.unread).toBe(5);
  });

  test('answers NOP with one of its own, for peers that close what is silent', () => {
    const { client, server } = connected(version);
    for (const smux of [client, server]) {
      for (const id of [0, 3, 0xffff_ffff]) smux.handleBytes(frame(version, 'NOP', id));
      expect(events(smux)).toEqual([]);
      expect(told(sent(smux))).toEqual(['NOP 0']);
      expect(sent(smux)).toEqual([]);
    }
  });

  test('sends what opens and ends streams, and windows, ahead of the bytes of others', () => {
    const { client, server } = connected(version);
    for (let i = 0; i < 100; i++) client.write(client.open(), new Uint8Array(60 * KIB));
    sent(client, 2048);
    const small = client.open();
    client.closeWrite(small);
    const first = framesOf(client.pollTransmit(2048)!).map((one) => `${one.command} ${one.id}`);
    expect(first.filter((told) => told.endsWith(` ${small}`))).toEqual([`SYN ${small}`, `FIN ${small}`]);
    expect(server.size).toBe(1);
  });

  test('counts what waits to be consumed, and is full at its receive buffer', () => {
    const { client, server } = connected(version, { receiveBuffer: 10 });
    client.open();
    client.write(3, text('123456'));
    client.write(5, text('7890'));
    exchange(client, server);
    // The windows are the bound of version 2: their updates would not come through a channel that stands still.
    expect([server.unread, server.full]).toEqual([10, version === 1]);
    server.consumed(3, 1);
    expect([server.unread, server.full]).toEqual([9, false]);
    server.consumed(3, 100);
    expect(server.unread).toBe(4);
    server.reset(5);
    expect(server.unread).toBe(0);
  });

  test('opens no more streams than it may, until one is over', () => {
    const client = session('client', version, { maxStreams: 2 });
    client.open();
    client.open();
    expect(() => client.open()).toThrow(expect.objectContaining({ code: 'ERR_SMUX_STREAMS' }));
    client.reset(3);
    expect(client.open()).toBe(7);
  });

  test('opens no streams as a server', () => {
    expect(() => session('server', version).open()).toThrow(SmuxError);
  });

  test('is silent when it is closed', () => {
    const { client } = connected(version);
    client.write(3, text('hello'));
    client.close();
    expect(client.pollTransmit(2048)).toBeUndefined();
    client.handleBytes(frame(version, 'PSH', 3, 'hello'));
    client.handleBytes(text('rubbish, but too late'));
    expect(events(client)).toEqual([]);
    expect([client.size, client.unread, client.full]).toEqual([0, 0, false]);
    expect(client.write(3, text('hello'))).toBe(5);
    expect(() => client.open()).toThrow(expect.objectContaining({ code: 'ERR_SMUX_CLOSED' }));
  });

  test('never sends more at once than it is let', () => {
    for (const limit of [2048, 2049, 4000, 8192, 10_000, 32_768, 100_000]) {
      const client = session('client', version);
      for (let i = 0; i < 50; i++) {
        client.write(client.open(), new Uint8Array(i * 700));
        if (i % 5 === 0) client.closeWrite(client.open());
      }
      let longest = 0;
      let total = 0;
      for (let piece = client.pollTransmit(limit); piece; piece = client.pollTransmit(limit)) {
        longest = Math.max(longest, piece.length);
        total += piece.length;
        for (const { payload } of framesOf(piece)) expect(payload.length).toBeLessThanOrEqual(32_768);
      }
      expect(longest).toBeLessThanOrEqual(limit);
      expect(total).toBeGreaterThan((49 * 50 * 700) / 2);
    }
    expect(() => session('client', version).pollTransmit(2047)).toThrow(RangeError);
  });

  test('lets a small stream wait for one frame of each other stream, and no longer', () => {
    const { client } = connected(version);
    const bulk = 10;
    for (let i = 0; i < bulk; i++) client.write(client.open(), new Uint8Array(128 * KIB));
    sentPieces(client, 5);
    client.write(3, text('a key'));
    let before = 0;
    for (const piece of sentPieces(client, 100)) {
      const frames = framesOf(piece);
      const mine = frames.findIndex(({ id }) => id === 3);
      before += frames.slice(0, mine < 0 ? undefined : mine).length;
      if (mine >= 0) break;
    }
    expect(before).toBeLessThanOrEqual(bulk);
  });

  test('lets streams share alike', () => {
    const client = session('client', version);
    const ids = [client.open(), client.open(), client.open()];
    const bytes = new Map<number, number>();
    for (let turn = 0; turn < 5; turn++) {
      for (const id of ids) client.write(id, new Uint8Array(128 * KIB));
      for (const { id, payload } of framesOf(client.pollTransmit(32_768)!))
        bytes.set(id, (bytes.get(id) ?? 0) + payload.length);
    }
    const shares = ids.map((id) => bytes.get(id) ?? 0);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(3 * 8192);
  });
});

describe('version 1', () => {
  test('has no windows: what is written is sent', () => {
    const { client } = connected(1);
    for (let i = 0; i < 40; i++) {
      expect(client.write(3, new Uint8Array(32 * KIB))).toBe(32 * KIB);
      expect(transmitted(client).length).toBeGreaterThan(32 * KIB);
    }
  });

  test('sends no window updates', () => {
    const { client, server } = connected(1);
    for (let i = 0; i < 40; i++) {
      client.write(3, new Uint8Array(32 * KIB));
      exchange(client, server);
      server.consumed(3, 32 * KIB);
    }
    expect(sent(server)).toEqual([]);
  });

  test('takes FIN for the end of both directions, and drops what the peer will not take', () => {
    const { client, server } = connected(1);
    client.write(3, text('question'));
    server.write(3, text('nobody reads this'));
    server.handleBytes(frame(1, 'FIN', 3));
    expect(heard(server)).toEqual(['finished 3']);
    expect(server.write(3, text('nor this'))).toBe(8);
    expect(server.size).toBe(1);
    expect(sent(server)).toEqual([]);
    server.closeWrite(3);
    expect(told(sent(server))).toEqual(['FIN 3']);
    expect(server.size).toBe(0);
  });

  test('ends a direction that was to end behind what the peer will not take', () => {
    const { server } = connected(1);
    server.write(3, text('nobody reads this'));
    server.closeWrite(3);
    server.handleBytes(frame(1, 'FIN', 3));
    expect(told(sent(server))).toEqual(['FIN 3']);
    expect(server.size).toBe(0);
  });

  test('still delivers what comes after its own FIN', () => {
    const { client, server } = connected(1);
    client.closeWrite(3);
    const fin = transmitted(client);
    server.write(3, text('under way'));
    exchange(client, server);
    server.handleBytes(fin);
    expect(heard(client)).toEqual(['data 3 under way']);
  });

  test('resets with FIN, and says it once', () => {
    const { client } = connected(1);
    client.closeWrite(3);
    expect(told(sent(client))).toEqual(['FIN 3']);
    client.reset(3, { code: 'E', message: 'for nobody' });
    expect(sent(client)).toEqual([]);
    expect(client.size).toBe(0);
  });

  test('has no reason for a reset', () => {
    const { server } = connected(1);
    server.reset(3, { code: 'ECONNREFUSED', message: 'connection refused' });
    expect(told(sent(server))).toEqual(['FIN 3']);
  });
});

describe('version 2', () => {
  test('ends one direction with FIN, so that the reply still arrives', () => {
    const { client, server } = connected(2);
    client.write(3, text('question'));
    client.closeWrite(3);
    exchange(client, server);
    expect(heard(server)).toEqual(['data 3 question', 'finished 3']);
    server.write(3, text('answer'));
    server.closeWrite(3);
    exchange(client, server);
    expect(heard(client)).toEqual(['data 3 answer', 'finished 3']);
    client.consumed(3, 6);
    server.consumed(3, 8);
    expect([client.size, server.size]).toEqual([0, 0]);
  });

  test('sends a window ahead of the reader, and the rest as it reads', () => {
    const { client, server } = connected(2, { sendBuffer: 8192 * KIB });
    client.write(3, new Uint8Array(100 * KIB));
    exchange(client, server);
    expect(server.unread).toBe(INITIAL_WINDOW);
    server.consumed(3, 32 * KIB - 1);
    expect(sent(server)).toEqual([]);
    server.consumed(3, 1);
    expect(told(sent(server))).toEqual([`UPD 3 ${32 * KIB}+${INITIAL_WINDOW}`]);
  });

  test('goes on when the window opens', () => {
    const { client, server } = connected(2, { sendBuffer: 8192 * KIB });
    client.write(3, new Uint8Array(100 * KIB));
    exchange(client, server);
    server.consumed(3, INITIAL_WINDOW);
    exchange(client, server);
    expect(server.unread).toBe(100 * KIB - INITIAL_WINDOW);
  });

  test('doubles the window of a reader that keeps up, as far as 1 MiB', () => {
    const { client, server } = connected(2, { sendBuffer: 8192 * KIB });
    client.write(3, new Uint8Array(8192 * KIB));
    const windows: number[] = [];
    for (;;) {
      exchange(client, server);
      if (server.unread === 0) break;
      windows.push(server.unread / KIB);
      server.consumed(3, server.unread);
    }
    expect(windows.slice(0, 5)).toEqual([64, 128, 256, 512, 1024]);
    expect(Math.max(...windows)).toBe(1024);
  });

  test('widens windows only as far as all together may grow', () => {
    const { client, server } = connected(2, { sendBuffer: 8192 * KIB, receiveBuffer: 100 * KIB });
    client.open();
    for (const id of [3, 5]) client.write(id, new Uint8Array(2048 * KIB));
    const most = [0, 0];
    for (let i = 0; i < 10; i++) {
      exchange(client, server);
      const unread = new Map<number, number>();
      for (const event of events(server)) {
        if (event.type !== 'data') continue;
        unread.set(event.streamId, (unread.get(event.streamId) ?? 0) + event.bytes.length);
      }
      most[0] = Math.max(most[0]!, unread.get(3) ?? 0);
      most[1] = Math.max(most[1]!, unread.get(5) ?? 0);
      for (const [id, bytes] of unread) server.consumed(id, bytes);
    }
    expect(most[0]! + most[1]!).toBe(2 * INITIAL_WINDOW + 100 * KIB);
  });

  test('does not widen the window of a reader that lags', () => {
    const { client, server } = connected(2, { sendBuffer: 8192 * KIB });
    client.write(3, new Uint8Array(2048 * KIB));
    for (let i = 0; i < 8; i++) {
      exchange(client, server);
      expect(server.unread).toBe(INITIAL_WINDOW);
      server.consumed(3, 32 * KIB);
    }
  });

  test('holds up one stream, and no other', () => {
    const { client, server } = connected(2);
    client.open();
    for (let i = 0; i < 10; i++) {
      client.write(3, new Uint8Array(100 * KIB));
      exchange(client, server);
    }
    events(server);
    expect(client.write(3, text('x'))).toBe(0);
    client.write(5, text('swift'));
    exchange(client, server);
    expect(heard(server)).toEqual(['data 5 swift']);
  });

  test('keeps the end back until the window lets the last byte through', () => {
    const { client, server } = connected(2, { sendBuffer: 8192 * KIB });
    client.write(3, new Uint8Array(INITIAL_WINDOW + 1));
    client.closeWrite(3);
    exchange(client, server);
    expect(events(server).some(({ type }) => type === 'finished')).toBe(false);
    server.consumed(3, INITIAL_WINDOW);
    exchange(client, server);
    expect(events(server).at(-1)).toEqual({ type: 'finished', streamId: 3 });
    server.consumed(3, 1);
    server.closeWrite(3);
    exchange(client, server);
    expect([client.size, server.size, server.unread]).toEqual([0, 0, 0]);
  });

  test('updates no window of a direction that has ended', () => {
    const { client, server } = connected(2, { sendBuffer: 8192 * KIB });
    client.write(3, new Uint8Array(50 * KIB));
    client.closeWrite(3);
    exchange(client, server);
    server.consumed(3, 50 * KIB);
    expect(sent(server)).toEqual([]);
  });

  test('says why a stream was reset', () => {
    const { client, server } = connected(2);
    server.reset(3, { code: 'ECONNREFUSED', message: 'Nobody listens on port 1.' });
    exchange(client, server);
    expect(events(client)).toEqual([
      {
        type: 'reset',
        streamId: 3,
        reason: { code: 'ECONNREFUSED', message: 'Nobody listens on port 1.' },
      },
    ]);
    expect([client.size, server.size]).toEqual([0, 0]);
  });

  test('resets without a reason', () => {
    const { client, server } = connected(2);
    server.reset(3);
    exchange(client, server);
    expect(events(client)).toEqual([{ type: 'reset', streamId: 3 }]);
  });

  test.each([
    ['ASCII', 'x'],
    ['two bytes of UTF-8', 'é'],
    ['six bytes of JSON', '\u0001'],
    ['half of a pair', '\ud800'],
  ])('cuts a long reason at 64 and 256 characters, of %s', (_, character) => {
    const { client, server } = connected(2);
    server.reset(3, { code: character.repeat(100), message: character.repeat(1000) });
    const piece = server.pollTransmit(2048)!;
    client.handleBytes(piece);
    expect(events(client)).toEqual([
      {
        type: 'reset',
        streamId: 3,
        reason: { code: character.repeat(64), message: character.repeat(256) },
      },
    ]);
  });

  test('resets a stream whose one direction has ended', () => {
    const { client, server } = connected(2);
    client.closeWrite(3);
    exchange(client, server);
    client.reset(3);
    exchange(client, server);
    expect(heard(server)).toEqual(['finished 3', 'reset 3']);
  });

  test('has nothing to say of a stream that is over but for what waits to be consumed', () => {
    const { client, server } = connected(2);
    client.write(3, text('bye'));
    client.closeWrite(3);
    server.closeWrite(3);
    exchange(client, server);
    server.reset(3);
    expect(sent(server)).toEqual([]);
    expect([server.size, server.unread]).toEqual([0, 0]);
  });
});

test('stream ids come to an end, and none is used twice', () => {
  expect(nextStreamId(1)).toBe(3);
  expect(nextStreamId(0xffff_fffd)).toBe(0xffff_ffff);
  expect(nextStreamId(0xffff_ffff)).toBeUndefined();
});

function sentPieces(client: { pollTransmit(limit: number): Uint8Array | undefined }, count: number) {
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const piece = client.pollTransmit(8192 + 100);
    if (piece) pieces.push(piece);
  }
  return pieces;
}
