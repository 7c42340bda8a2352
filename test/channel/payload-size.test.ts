import { describe, expect, test } from 'vitest';
import {
  type AgentMessage,
  type DataChannelOptions,
  decodeMessage,
  encodeMessage,
  formatPublication,
  MessageType,
  PayloadType,
} from '../../src/channel/index.ts';
import { sha256Digest } from '../../src/crypto/digest.ts';
import { Pair } from './pair.ts';

const LARGE = 32_768;
const DATA = Uint8Array.from({ length: 1_500_000 }, (_, i) => (i * 7 + (i >> 8)) % 251);

describe('large payloads', () => {
  test('are used by a client once a message of their size, with nothing in it, has arrived', () => {
    const { pair, sent } = port({ payloadSize: LARGE });
    upload(pair);
    const sizes = sent.map(({ payload }) => payload.length);
    const trial = sizes.indexOf(LARGE);
    expect(sent[trial]).toMatchObject({ payloadType: PayloadType.Size });
    expect(sizes.slice(0, trial).every((size) => size <= 1_024)).toBe(true);
    expect(sizes.slice(trial + 1)).toContain(LARGE);
    expect(received(pair).equals(DATA)).toBe(true);
  });

  test('are not tried while small ones do', () => {
    const { pair, sent } = port({ payloadSize: LARGE });
    for (let key = 0; key < 100; key++) {
      pair.client.channel.send(DATA.subarray(0, 10));
      pair.run(100);
    }
    expect(sent.every(({ payload }) => payload.length === 10)).toBe(true);
  });

  test('are given up for good when the connection closes on the trial, with nothing lost or doubled', () => {
    const { pair, sent } = port({ payloadSize: LARGE });
    closeOnLarge(pair);
    upload(pair, 100_000);
    expect(sent.filter(({ payload }) => payload.length > 1_024)).toHaveLength(1);
    expect(received(pair).equals(DATA)).toBe(true);
  });

  test('are given up when their trial had arrived and only the acknowledge was lost', () => {
    const { pair, sent } = port({ payloadSize: LARGE });
    let cut = false;
    const { deliver } = pair;
    pair.deliver = (frame, to) => {
      if (to === 'client' && !cut && sent.some(({ payload }) => payload.length === LARGE)) {
        cut = true;
        pair.cutSoon = true;
        return [];
      }
      return deliver.call(pair, frame, to);
    };
    upload(pair, 400_000);
    expect(cut).toBe(true);
    expect(received(pair).equals(DATA)).toBe(true);
  });

  test('are what the service offers, in port sessions', () => {
    const { pair, sent } = port({});
    offer(pair, 1_000_000);
    upload(pair);
    expect(Math.max(...sent.map(({ payload }) => payload.length))).toBe(LARGE);
    expect(received(pair).equals(DATA)).toBe(true);
  });

  test('are no larger than the service offers, and never beyond what the application asked for', () => {
    const offered = port({});
    offer(offered.pair, 5_000);
    upload(offered.pair);
    expect(Math.max(...offered.sent.map(({ payload }) => payload.length))).toBe(5_000);

    const asked = port({ payloadSize: 1_000 });
    offer(asked.pair, LARGE);
    upload(asked.pair);
    expect(Math.max(...asked.sent.map(({ payload }) => payload.length))).toBe(1_000);
  });

  test('leave a shell alone that nobody asked them for', () => {
    const pair = new Pair().connect();
    offer(pair, LARGE);
    pair.agent.channel.send(DATA.subarray(0, 2));
    pair.run(200);
    upload(pair);
    expect(pair.agent.events.filter(({ type }) => type === 'size')).toEqual([]);
    expect(received(pair).length).toBe(DATA.length);
  });

  test('are used by an agent without a trial, which some clients would print', () => {
    const pair = new Pair().connect();
    offer(pair, LARGE);
    const sent = watch(pair, 'client');
    pair.agent.channel.send(DATA);
    pair.run(5_000);
    expect(sent.map(({ payload }) => payload.length)).toContain(LARGE);
    expect(sent.every(({ payloadType }) => payloadType === PayloadType.Output)).toBe(true);
  });

  test('stay small where the service says nothing, or nothing that can be read', () => {
    for (const content of ['{}', '[]', 'nonsense', '{"Hawser":null}', '{"Hawser":{"PayloadSize":"big"}}']) {
      const { pair, sent } = port({});
      startPublication(pair, new TextEncoder().encode(content));
      upload(pair);
      expect(Math.max(...sent.map(({ payload }) => payload.length))).toBe(1_024);
    }
  });
});

/** A port session after its handshake, and what its client sends from then on. */
function port(client: Partial<DataChannelOptions>): { pair: Pair; sent: AgentMessage[] } {
  const pair = new Pair({ client }).connect();
  pair.agent.channel.startHandshake({ sessionType: 'Port', properties: {} }, pair.now);
  pair.run(500);
  return { pair, sent: watch(pair, 'agent') };
}

function watch(pair: Pair, to: 'client' | 'agent'): AgentMessage[] {
  const sent: AgentMessage[] = [];
  const deliver = pair.deliver;
  pair.deliver = (frame, direction) => {
    const message = decodeMessage(frame, sha256Digest);
    const stream = message.messageType.endsWith('stream_data');
    if (direction === to && stream) sent.push(message);
    return deliver.call(pair, frame, direction);
  };
  return sent;
}

function upload(pair: Pair, time = 20_000): void {
  const { channel } = pair.client;
  let rest = DATA.subarray(channel.send(DATA));
  for (const until = pair.now + time; pair.now < until; pair.run(10)) {
    if (channel.writable) rest = rest.subarray(channel.send(rest));
  }
}

function received(pair: Pair): Buffer {
  return Buffer.concat(pair.agent.events.flatMap((event) => (event.type === 'data' ? [event.payload] : [])));
}

/** A relay that drops the connection on every message that is larger than the real programs' own. */
function closeOnLarge(pair: Pair): void {
  const { deliver } = pair;
  pair.deliver = (frame, to) => {
    if (frame.length <= 1_200) return deliver.call(pair, frame, to);
    pair.cutSoon = true;
    deliver.call(pair, frame, to);
    return [];
  };
}

function offer(pair: Pair, payloadSize: number): void {
  startPublication(pair, formatPublication({ payloadSize }));
}

function startPublication(pair: Pair, payload: Uint8Array): void {
  const frame = encodeMessage(
    {
      messageType: MessageType.StartPublication,
      messageId: '00000000-0000-4000-8000-000000000000',
      createdDate: 1,
      payload,
    },
    sha256Digest,
  );
  pair.client.channel.handleMessage(frame, pair.now);
  pair.agent.channel.handleMessage(frame, pair.now);
}
