import crypto from 'node:crypto';
import {
  type AgentMessage,
  decodeMessage,
  encodeMessage,
  formatEncryptionChallenge,
  formatPublication,
  MessageType,
  PayloadType,
} from 'hawser/channel';
import { sha256Digest, syncAesGcm } from 'hawser/crypto';
import { describe, expect, test } from 'vitest';
import { PayloadEncryption } from '../../src/channel/encryption/payload-encryption.ts';
import { DATA_KEY, encryptedPair, plainPair, SESSION } from './encrypted-pair.ts';
import type { Pair } from './pair.ts';

const UUID = '11111111-2222-4333-8444-555555555555';

/** The first message of this type reaches the other end changed, or with others behind it. */
function meddle(pair: Pair, payloadType: number, change: (message: AgentMessage) => readonly Uint8Array[]) {
  let done = false;
  pair.deliver = (frame) => {
    const message = decodeMessage(frame, sha256Digest);
    if (done || message.payloadType !== payloadType) return [frame];
    done = true;
    return change(message);
  };
}

/** The first message of this type comes once more as the next one, and all behind it move up. */
function double(pair: Pair, payloadType: number) {
  let at: { readonly messageType: string; readonly sequenceNumber: number } | undefined;
  pair.deliver = (frame) => {
    const original = decodeMessage(frame, sha256Digest);
    if (original.payloadType === payloadType) at ??= original;
    if (!at || original.messageType !== at.messageType || original.sequenceNumber < at.sequenceNumber)
      return [frame];
    const moved = message(original, { sequenceNumber: original.sequenceNumber + 1 });
    return original.sequenceNumber === at.sequenceNumber ? [frame, moved] : [moved];
  };
}

function message(
  original: AgentMessage,
  changes: { payload?: object | Uint8Array; sequenceNumber?: number; payloadType?: number },
) {
  const { messageType, messageId, createdDate, flags } = original;
  const { payload = original.payload, sequenceNumber = original.sequenceNumber } = changes;
  const { payloadType = original.payloadType } = changes;
  return encodeMessage(
    {
      messageType,
      messageId: messageId!,
      createdDate,
      flags,
      payloadType,
      sequenceNumber,
      payload: payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload)),
    },
    sha256Digest,
  );
}

function begin(pair: Pair): Pair {
  pair.agent.channel.startHandshake(SESSION, pair.now, { encryption: { keyId: 'key' } });
  pair.run(200);
  return pair;
}

describe('an agent does not wait for ever', () => {
  test.each<[string, unknown]>([
    ['nothing', null],
    ['a number', 3],
    ['no data key', {}],
    ['a data key that is no text', { KMSCipherTextKey: 5 }],
    ['a data key that is no base64', { KMSCipherTextKey: '?' }],
    ['an empty data key', { KMSCipherTextKey: '' }],
    ['a data key that KMS would not take', { KMSCipherTextKey: 'A'.repeat(9000) }],
  ])('for a client whose result is %s', (_, result) => {
    const pair = begin(plainPair());
    meddle(pair, PayloadType.HandshakeResponse, (response) => {
      const json = JSON.parse(Buffer.from(response.payload).toString());
      json.ProcessedClientActions[1].ActionResult = result;
      return [message(response, { payload: json })];
    });
    pair.client.channel.handleDataKey(
      { plaintext: DATA_KEY.slice(), ciphertext: Uint8Array.of(1) },
      pair.now,
    );
    pair.run(20_000);
    expect(pair.agent.events.at(-1)).toMatchObject({ type: 'failed', error: { code: 'ERR_ENCRYPTION_KEY' } });
  });
});

describe.each([
  ['synchronous', false],
  ['slow', true],
])('a challenge counts once, with %s ciphers', (_, slow) => {
  test.each([
    ['the one of the agent', PayloadType.EncChallengeRequest],
    ['the answer of the client', PayloadType.EncChallengeResponse],
  ])('%s', (_, payloadType) => {
    const { pair } = encryptedPair(slow, (pair) => double(pair, payloadType));
    pair.run(1_000);
    const told = [...pair.client.events, ...pair.agent.events].map(({ type }) => type);
    expect(told.filter((type) => type === 'ready')).toHaveLength(2);
    expect(told).not.toContain('failed');
    expect(told).toContain('dropped');
  });
});

test('a data key that nobody waits for is filled with zeros all the same', () => {
  const pair = begin(plainPair());
  const key = { ciphertext: Uint8Array.of(1) };
  const plaintexts = [1, 2, 3].map(() => DATA_KEY.slice());
  pair.agent.channel.handleDataKey({ plaintext: plaintexts[0]! }, pair.now);
  pair.client.channel.handleDataKey({ plaintext: plaintexts[1]!, ...key }, pair.now);
  pair.client.channel.handleDataKey({ plaintext: plaintexts[2]!, ...key }, pair.now);
  expect(plaintexts.map((bytes) => Math.max(...bytes))).toEqual([0, 0, 0]);
});

test('a payload that turns out to be spoilt when the channel is closed touches no key any more', () => {
  const { pair } = encryptedPair(true);
  meddle(pair, PayloadType.Output, (output) => [message(output, { payload: new Uint8Array(50) })]);
  pair.agent.channel.send(Buffer.from('hello'));
  while (!pair.client.channel.decrypting) pair.run(1);
  pair.client.channel.close();
  expect(pair.client.channel.decrypting).toBe(false);
  pair.run(1_000);
  expect(pair.client.typesOfEvents()).not.toContain('failed');
});

test.each(['KMSKeyId', 'Challenge'])('a client does not take a %s that KMS would not', (member) => {
  const pair = plainPair();
  meddle(pair, PayloadType.HandshakeRequest, (request) => {
    const json = JSON.parse(Buffer.from(request.payload).toString());
    json.RequestedClientActions[1].ActionParameters[member] = 'x'.repeat(9000);
    return [message(request, { payload: json })];
  });
  begin(pair);
  expect(pair.client.typesOfEvents()).toEqual(['dropped']);
});

test('a payload is no larger than the service takes, encrypted', () => {
  const { pair, wire } = encryptedPair(false);
  const payload = formatPublication({ payloadSize: 4_000 });
  const fields = { messageType: MessageType.StartPublication, messageId: UUID, createdDate: 1, flags: 3 };
  pair.agent.channel.handleMessage(encodeMessage({ ...fields, payload }, sha256Digest), pair.now);
  pair.agent.channel.send(Buffer.alloc(50_000));
  pair.run(1_000);
  expect(Math.max(...wire.map(({ message }) => message.payload.length))).toBe(4_000);
});

test('a client tries payloads as large as encrypted ones will be', () => {
  const { pair, wire } = encryptedPair(false, undefined, { payloadSize: 4_000 });
  pair.client.channel.send(Buffer.alloc(50_000));
  pair.run(2_000);
  const sizes = wire.filter(({ to }) => to === 'agent').map(({ message }) => message.payload.length);
  expect(Math.max(...sizes)).toBe(4_028);
  expect(sizes.indexOf(4_028)).toBe(
    wire
      .filter(({ to }) => to === 'agent')
      .findIndex(({ message }) => message.payloadType === PayloadType.Size),
  );
});

test('a client that has no data key says so in the words of the real plugin', () => {
  const pair = begin(plainPair());
  let told: unknown;
  meddle(pair, PayloadType.HandshakeResponse, (response) => {
    told = JSON.parse(Buffer.from(response.payload).toString());
    return [message(response, {})];
  });
  pair.client.channel.handleDataKeyError(new Error('no rights'));
  pair.run(1_000);
  const error = expect.stringMatching(/^Failed to process action KMSEncryption: no rights /);
  expect(told).toMatchObject({
    ProcessedClientActions: [
      { ActionType: 'SessionType', ActionStatus: 1, Error: '' },
      { ActionType: 'KMSEncryption', ActionStatus: 2, ActionResult: null, Error: error },
    ],
    Errors: [error],
  });
  expect(pair.agent.events.at(-1)).toMatchObject({
    error: {
      code: 'ERR_ENCRYPTION_REFUSED',
      message: expect.stringContaining(
        'KMSEncryption failed on client with status 2 error: Failed to process action KMSEncryption: no rights',
      ),
    },
  });
});

test('a client does not go on with an agent that has not shown that it has the data key', () => {
  const { pair } = encryptedPair(false, (pair) =>
    meddle(pair, PayloadType.EncChallengeRequest, (challenge) => [
      message(challenge, {
        payloadType: PayloadType.HandshakeComplete,
        payload: { HandshakeTimeToComplete: 1, CustomerMessage: '' },
      }),
    ]),
  );
  expect(pair.client.typesOfEvents()).not.toContain('ready');
  const error = expect.objectContaining({ code: 'ERR_ENCRYPTION_CHALLENGE' });
  expect(pair.client.events).toContainEqual({ type: 'failed', error });
});

test('an agent does not go on with a client that sends another challenge back', () => {
  const pair = begin(plainPair());
  pair.client.channel.handleDataKey({ plaintext: DATA_KEY.slice(), ciphertext: Uint8Array.of(1) }, pair.now);
  pair.run(200);
  const client = new PayloadEncryption({
    role: 'client',
    dataKey: DATA_KEY,
    aesGcm: syncAesGcm(crypto),
    randomBytes: (length) => new Uint8Array(length),
  });
  meddle(pair, PayloadType.EncChallengeResponse, (response) => {
    let payload = new Uint8Array(0);
    client.seal(new Uint8Array(64).fill(5), (sealed) => {
      payload = new Uint8Array(formatEncryptionChallenge(sealed!));
    });
    return [message(response, { payload })];
  });
  pair.agent.channel.handleDataKey({ plaintext: DATA_KEY.slice() }, pair.now);
  pair.run(500);
  const error = { code: 'ERR_ENCRYPTION_CHALLENGE', message: expect.stringContaining('does not match') };
  expect(pair.agent.events.at(-1)).toMatchObject({ type: 'failed', error });
});

test('an end whose platform cannot encrypt says so, and does not fall silent', () => {
  const { pair, keys } = encryptedPair(true);
  for (const key of keys) key.seal = (_nonce, _plaintext, done) => pair.schedule(1, () => done(undefined));
  pair.agent.channel.send(Buffer.from('never seen'));
  pair.run(500);
  expect(pair.agent.events.at(-1)).toMatchObject({
    type: 'failed',
    error: { code: 'ERR_ENCRYPTION_CIPHER' },
  });
  expect(pair.client.text).toBe('');
});
