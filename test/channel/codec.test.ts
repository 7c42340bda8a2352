import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeMessage,
  encodeMessage,
  frameLength,
  MessageError,
  MessageType,
  peekMessageType,
} from '../../src/channel/index.ts';
import { sha256Digest } from '../../src/crypto/digest.ts';

const ID = '0f8fad5b-d9cb-469f-a165-70867728950e';

function encode(fields: Partial<Parameters<typeof encodeMessage>[0]> = {}): Uint8Array {
  return encodeMessage(
    {
      messageType: MessageType.InputStreamData,
      messageId: ID,
      createdDate: 1_700_000_000_000,
      payloadType: 1,
      payload: bytes('ls\n'),
      ...fields,
    },
    sha256Digest,
  );
}

describe('encodeMessage', () => {
  test('writes the layout of PROTOCOL.md section 2, byte for byte', () => {
    const frame = Buffer.from(encode({ sequenceNumber: 0x1_0000_0002, flags: 3 }));
    expect(frame.readUInt32BE(0)).toBe(116);
    expect(frame.toString('latin1', 4, 36)).toBe('input_stream_data'.padEnd(32));
    expect(frame.readUInt32BE(36)).toBe(1);
    expect(frame.readBigInt64BE(40)).toBe(1_700_000_000_000n);
    expect(frame.readBigInt64BE(48)).toBe(0x1_0000_0002n);
    expect(frame.readBigInt64BE(56)).toBe(3n);
    expect(frame.toString('hex', 64, 80)).toBe('a16570867728950e0f8fad5bd9cb469f');
    expect(frame.readUInt32BE(112)).toBe(1);
    expect(frame.readUInt32BE(116)).toBe(3);
    expect(frame.toString('latin1', 120)).toBe('ls\n');
  });

  test('writes into memory that is given, and only as much as it needs', () => {
    const target = new Uint8Array(500).fill(7);
    const frame = encodeMessage(
      { messageType: MessageType.Acknowledge, messageId: ID, createdDate: 1, payload: bytes('{}') },
      sha256Digest,
      target,
    );
    expect(frame.buffer).toBe(target.buffer);
    expect(frame.length).toBe(frameLength(2));
    expect(target.subarray(frame.length).every((byte) => byte === 7)).toBe(true);
    expect(decodeMessage(frame, sha256Digest).payloadType).toBe(0);
  });

  test.each([
    ['a type that is empty', { messageType: '' }],
    ['a type over 32 bytes', { messageType: 'x'.repeat(33) }],
    ['a type that is not ASCII', { messageType: 'é' }],
    ['an id that is no UUID', { messageId: 'no' }],
    ['an id with other characters', { messageId: ID.replace('0', 'g') }],
    ['a sequence number that is no integer', { sequenceNumber: 0.5 }],
    ['a date that is not a number', { createdDate: Number.NaN }],
    ['a header length of its own', { headerLength: 120 }],
  ])('refuses %s', (_, fields) => {
    expect(() => encode(fields)).toThrow(MessageError);
  });

  test('refuses a target that is too small', () => {
    const fields = { messageType: 'x', messageId: ID, createdDate: 1, payload: bytes('abc') };
    expect(() => encodeMessage(fields, sha256Digest, new Uint8Array(122))).toThrow(MessageError);
  });
});

describe('decodeMessage', () => {
  test('gives back every field that was written, whatever they are', () => {
    const field = fc.record({
      messageType: fc.stringMatching(/^[!-~]{1,32}$/),
      messageId: fc.uuid(),
      createdDate: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      sequenceNumber: fc.maxSafeInteger(),
      flags: fc.maxSafeNat(),
      payloadType: fc.integer({ min: 0, max: 0xffff_ffff }),
      schemaVersion: fc.integer({ min: 0, max: 0xffff_ffff }),
      payload: fc.uint8Array({ maxLength: 200 }),
    });
    fc.assert(
      fc.property(field, (fields) => {
        const {
          messageType,
          messageId,
          createdDate,
          sequenceNumber,
          flags,
          payloadType,
          schemaVersion,
          payload,
        } = decodeMessage(encodeMessage(fields, sha256Digest), sha256Digest);
        expect({
          messageType,
          messageId,
          createdDate,
          sequenceNumber,
          flags,
          payloadType,
          schemaVersion,
          payload,
        }).toEqual(fields);
      }),
    );
  });

  test('reads a 112-byte header, with no payload type, and a type padded with NUL', () => {
    const frame = encode({ headerLength: 112, messageType: 'channel_closed', payload: bytes('{}') });
    frame.fill(0, 4 + 'channel_closed'.length, 36);
    const message = decodeMessage(frame, sha256Digest);
    expect(message).toMatchObject({ headerLength: 112, messageType: 'channel_closed', payloadType: 0 });
    expect(text(message.payload)).toBe('{}');
  });

  test('gives the payload as a view of the frame', () => {
    const frame = encode();
    expect(decodeMessage(frame, sha256Digest).payload.buffer).toBe(frame.buffer);
  });

  test('lets start and pause publication pass without date and digest, as the plugin does', () => {
    for (const messageType of [MessageType.StartPublication, MessageType.PausePublication]) {
      const frame = encode({ messageType, createdDate: 0, payloadDigest: new Uint8Array(32) });
      expect(decodeMessage(frame, sha256Digest).messageType).toBe(messageType);
    }
  });

  const flaws: [string, string, (frame: Uint8Array) => Uint8Array][] = [
    ['nothing at all', 'ERR_MESSAGE_LENGTH', () => new Uint8Array(0)],
    ['a frame cut inside its header', 'ERR_MESSAGE_LENGTH', (frame) => frame.subarray(0, 115)],
    ['a frame cut before its payload length', 'ERR_MESSAGE_LENGTH', (frame) => frame.subarray(0, 119)],
    ['a payload cut short', 'ERR_MESSAGE_LENGTH', (frame) => frame.subarray(0, frame.length - 1)],
    ['bytes after the payload', 'ERR_MESSAGE_LENGTH', (frame) => Uint8Array.of(...frame, 0)],
    ['a payload length of 4 GiB', 'ERR_MESSAGE_LENGTH', (frame) => frame.fill(255, 116, 120)],
    ['a header length of 0', 'ERR_MESSAGE_HEADER', (frame) => frame.fill(0, 0, 4)],
    ['a header length beyond the frame', 'ERR_MESSAGE_HEADER', (frame) => frame.fill(127, 0, 4)],
    ['an empty type', 'ERR_MESSAGE_FIELD', (frame) => frame.fill(32, 4, 36)],
    ['no date', 'ERR_MESSAGE_FIELD', (frame) => frame.fill(0, 40, 48)],
    ['a date no number can hold', 'ERR_MESSAGE_FIELD', (frame) => frame.fill(127, 40, 48)],
    ['a changed payload', 'ERR_MESSAGE_DIGEST', (frame) => frame.fill(0, 120, 121)],
    ['a changed digest', 'ERR_MESSAGE_DIGEST', (frame) => frame.fill(0, 111, 112)],
  ];
  test.each(flaws)('refuses %s with %s', (_, code, spoil) => {
    expect(() => decodeMessage(spoil(encode()), sha256Digest)).toThrow(
      expect.objectContaining({ name: 'MessageError', code }),
    );
  });

  test('never puts payload bytes into an error', () => {
    const frame = encode({ payload: bytes('secret') });
    frame[121] = 0;
    expect(() => decodeMessage(frame, sha256Digest)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('ecret') }),
    );
  });
});

test('peekMessageType reads the type of a frame whose payload it does not check', () => {
  const frame = encode();
  frame[120] = 0;
  expect(peekMessageType(frame)).toBe('input_stream_data');
  expect(() => peekMessageType(frame.subarray(0, 50))).toThrow(MessageError);
});

function bytes(ascii: string): Uint8Array {
  return new TextEncoder().encode(ascii);
}

function text(payload: Uint8Array): string {
  return new TextDecoder().decode(payload);
}
