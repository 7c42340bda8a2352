import crypto from 'node:crypto';
import { encodeMessage, formatChannelClosed, MessageType, PayloadType } from 'hawser/channel';
import { sha256Digest } from 'hawser/crypto';
import { describe, expect, test } from 'vitest';
import { MAX_NONCES, NonceCounter, NonceMemory } from '../../src/channel/encryption/nonces.ts';
import { DATA_KEY, encryptedPair, plainPair, SESSION } from './encrypted-pair.ts';

describe.each([
  ['synchronous', false],
  ['slow and disorderly', true],
])('with %s ciphers', (_, slow) => {
  test('both ends become ready, encrypted', () => {
    const { pair } = encryptedPair(slow);
    for (const end of [pair.client, pair.agent]) {
      expect(end.events.find(({ type }) => type === 'ready')).toMatchObject({
        handshake: { encrypted: true },
      });
    }
  });

  test('everything arrives in the order in which it was sent, whatever is encrypted of it', () => {
    const { pair } = encryptedPair(slow);
    const { channel } = pair.agent;
    const told: string[] = [];
    for (let i = 0; i < 50; i++) {
      channel.send(Buffer.from(`${i}`), i % 3 === 0 ? PayloadType.StdErr : PayloadType.Output);
      if (i % 7 === 0) channel.sendFlag(3);
    }
    channel.sendExitCode(9);
    pair.run(5000);
    for (const event of pair.client.events) {
      if (event.type === 'data') told.push(`${event.payloadType}:${Buffer.from(event.payload)}`);
      if (event.type === 'flag') told.push('flag');
      if (event.type === 'exitCode') told.push(`exit ${event.exitCode}`);
    }
    const expected: string[] = [];
    for (let i = 0; i < 50; i++) {
      const text = `${i % 3 === 0 ? PayloadType.StdErr : PayloadType.Output}:`;
      const last = expected.at(-1);
      if (last?.startsWith(text)) expected[expected.length - 1] += `${i}`;
      else expected.push(`${text}${i}`);
      if (i % 7 === 0) expected.push('flag');
    }
    expect(told).toEqual([...expected, 'exit 9']);
  });

  test('channel_closed waits for what came before it', () => {
    const { pair } = encryptedPair(slow);
    const { deliver } = pair;
    pair.deliver = (frame, to) => (to === 'client' ? [...deliver(frame, to), closing()] : [frame]);
    pair.agent.channel.send(Buffer.from('last words'));
    pair.run(100);
    expect(pair.client.text).toBe('last words');
    expect(pair.client.typesOfEvents().slice(-2)).toEqual(['data', 'closed']);
  });

  test('a message that is sent again is the same ciphertext, and no nonce is used for two', () => {
    const { pair, wire } = encryptedPair(slow);
    const { deliver } = pair;
    let count = 0;
    pair.deliver = (frame, to) => {
      deliver(frame, to);
      return count++ % 3 === 0 ? [] : [frame];
    };
    for (let i = 0; i < 40; i++) {
      pair.agent.channel.send(Buffer.alloc(2000, i));
      pair.client.channel.send(Buffer.alloc(1500, i));
      pair.run(10);
    }
    pair.run(60_000);
    expect(pair.client.text.length).toBe(80_000);
    const frames = new Map<string, string>();
    const nonces = new Map<string, string>();
    for (const { to, message } of wire) {
      if (message.payloadType !== PayloadType.Output) continue;
      const number = `${to} ${message.sequenceNumber}`;
      const payload = Buffer.from(message.payload).toString('hex');
      const nonce = `${to} ${payload.slice(0, 24)}`;
      expect(frames.get(number) ?? payload).toBe(payload);
      expect(nonces.get(nonce) ?? number).toBe(number);
      frames.set(number, payload);
      nonces.set(nonce, number);
    }
    expect(wire.length).toBeGreaterThan(frames.size);
  });

  test('an end that stops reading makes the other one stop', () => {
    const { pair } = encryptedPair(slow);
    pair.client.reading = false;
    let taken = 0;
    for (let i = 0; i < 200; i++) {
      taken += pair.agent.channel.send(Buffer.alloc(65_536));
      pair.run(100);
    }
    expect(taken).toBeLessThan(4 * 1024 * 1024);
    expect(pair.client.channel.stats.receivedBytes).toBeLessThan(2.5 * 1024 * 1024);
    pair.client.reading = true;
    pair.run(120_000);
    expect(pair.client.text.length).toBe(taken);
  });

  test('the keys are gone when the channel is closed', () => {
    const { pair, keys } = encryptedPair(slow);
    pair.client.channel.close();
    pair.agent.channel.close();
    expect(keys.map(({ destroyed }) => destroyed)).toEqual([1, 1, 1, 1]);
    expect(pair.client.channel.send(Buffer.from('more'))).toBe(0);
  });
});

test('the data key is filled with zeros once it is split', () => {
  const pair = plainPair();
  pair.agent.channel.startHandshake(SESSION, pair.now, { encryption: { keyId: 'key' } });
  pair.run(200);
  const plaintext = DATA_KEY.slice();
  pair.client.channel.handleDataKey({ plaintext, ciphertext: Uint8Array.of(1) }, pair.now);
  expect(plaintext.every((byte) => byte === 0)).toBe(true);
});

test('an agent waits 15 seconds for its challenge to come back', () => {
  const pair = plainPair();
  pair.agent.channel.startHandshake(SESSION, pair.now, { encryption: { keyId: 'key' } });
  pair.run(200);
  pair.client.channel.handleDataKey({ plaintext: DATA_KEY.slice(), ciphertext: Uint8Array.of(1) }, pair.now);
  pair.run(200);
  pair.deliver = (frame, to) => (to === 'client' ? [] : [frame]);
  pair.agent.channel.handleDataKey({ plaintext: DATA_KEY.slice() }, pair.now);
  pair.run(14_000);
  expect(pair.agent.typesOfEvents()).not.toContain('failed');
  pair.run(1_000);
  const message = expect.stringContaining('Timed out waiting for encryption challenge');
  expect(pair.agent.events.at(-1)).toMatchObject({ error: { code: 'ERR_HANDSHAKE_TIMEOUT', message } });
});

describe('nonces', () => {
  test('count up from the first, and carry', () => {
    const counter = new NonceCounter(Uint8Array.of(0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7));
    expect([...counter.next()]).toEqual([0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
    expect([...counter.next()]).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
  });

  test.each([
    ['that count', (i: number) => numbered(1000 + i)],
    ['that count past the end', (i: number) => numbered((1n << 96n) - 500n + BigInt(i))],
    ['drawn by chance', (i: number) => Buffer.from(sha(i).subarray(0, 12))],
    ['that overtake each other', (i: number) => numbered(i % 2 === 0 ? i + 1 : i - 1)],
  ])('%s are each known the second time', (_, nonce) => {
    const memory = new NonceMemory();
    for (let i = 0; i < 1000; i++) expect(memory.add(nonce(i))).toBe(true);
    for (let i = 0; i < 1000; i++) expect(memory.add(nonce(i))).toBe(false);
  });

  test('are known when one was left out, which something in between may have kept back', () => {
    const memory = new NonceMemory();
    for (let i = 0; i < 400_000; i++) if (i !== 5) memory.add(numbered(i));
    for (const used of [0, 4, 6, 7, 100_000, 399_999]) expect(memory.add(numbered(used))).toBe(false);
    expect(memory.add(numbered(400_000))).toBe(true);
  });

  test('drawn by chance are known for long, however many they are', () => {
    const memory = new NonceMemory();
    for (let i = 0; i < MAX_NONCES; i++) memory.add(scattered(i));
    for (let i = MAX_NONCES / 2; i < MAX_NONCES; i++) if (memory.add(scattered(i))) throw new Error(`${i}`);
    for (let i = MAX_NONCES; i < MAX_NONCES + 10; i++) expect(memory.add(scattered(i))).toBe(true);
  });
});

/** Far from each other, as nonces drawn by chance are. */
function scattered(i: number): Uint8Array {
  return numbered(BigInt(i + 1) * 0x9e3779b97f4a7c15f39cc060n);
}

function numbered(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(12);
  let left = BigInt(value) & ((1n << 96n) - 1n);
  for (let i = 0; i < 12; i++, left >>= 8n) bytes[i] = Number(left & 0xffn);
  return bytes;
}

function sha(i: number): Buffer {
  return crypto.createHash('sha256').update(`${i}`).digest();
}

function closing(): Uint8Array {
  const payload = formatChannelClosed({
    messageId: '11111111-2222-4333-8444-555555555555',
    createdDate: '',
    destinationId: 'mi-1',
    sessionId: 'test',
    output: '',
  });
  const messageType = MessageType.ChannelClosed;
  const messageId = '11111111-2222-4333-8444-555555555555';
  return encodeMessage({ messageType, messageId, createdDate: 1, flags: 3, payload }, sha256Digest);
}
