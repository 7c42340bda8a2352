import { describe, expect, test } from 'vitest';
import * as channel from '../../src/channel/index.ts';
import { decodeMessage, encodeMessage, MessageError, type MessageFields } from '../../src/channel/index.ts';
import { payloadDigest, sha256Digest } from '../../src/crypto/digest.ts';
import { isFrame, type RecordedFrame, readRecording, recordingNames } from '../support/recording.ts';

const anyDigest = { ...payloadDigest(() => new Uint8Array(32)), matches: () => true };

const frames = recordingNames().flatMap((name) =>
  readRecording(name)
    .filter(isFrame)
    .map((frame) => ({ name, frame })),
);
const binary = frames.filter(({ frame }) => frame.binary);

describe('every frame recorded from the real programs', () => {
  test('is there', () => {
    expect(recordingNames().length).toBe(35);
    expect(binary.length).toBe(1500);
  });

  test('decodes with its digest, but for the zeroed ones of recording 21', () => {
    const refused = binary
      .filter(({ frame }) => !decodes(frame.data))
      .map(({ name, frame }) => `${name} ${frame.modified}`);
    expect(new Set(refused)).toEqual(new Set(['21-zero-digest true']));
    for (const { frame } of binary) if (frame.original) expect(decodes(frame.original)).toBe(true);
  });

  test('re-encodes to the same bytes', () => {
    for (const { frame } of binary) {
      const message = decodeMessage(frame.data, anyDigest);
      const fields: MessageFields = {
        messageType: message.messageType,
        messageId: message.messageId,
        createdDate: message.createdDate,
        sequenceNumber: message.sequenceNumber,
        flags: message.flags,
        payloadType: message.payloadType,
        schemaVersion: message.schemaVersion,
        headerLength: message.headerLength,
        payload: message.payload,
      };
      const again = encodeMessage(
        frame.modified ? { ...fields, payloadDigest: message.payloadDigest } : fields,
        sha256Digest,
      );
      expect(Buffer.from(again).equals(Buffer.from(frame.data))).toBe(true);
    }
  });

  test('has a payload that its parser reads and its formatter writes again to the same bytes', () => {
    let count = 0;
    for (const { name, frame } of binary) {
      const { messageType, payloadType, payload } = decodeMessage(frame.data, anyDigest);
      const codec = PAYLOADS[`${messageType}/${payloadType}`] ?? PAYLOADS[messageType];
      if (!codec) continue;
      count++;
      expect(text(codec(payload)), name).toBe(text(payload));
    }
    expect(count).toBeGreaterThan(700);
  });

  test('that opens a channel is read and written again to the same text', () => {
    const opening = frames.filter(({ frame }) => !frame.binary);
    expect(opening.length).toBeGreaterThan(60);
    for (const { frame } of opening) {
      const opens = text(frame.data);
      expect(channel.formatOpenDataChannel(channel.parseOpenDataChannel(opens))).toBe(opens);
    }
  });
});

/** Parse, then format. */
const PAYLOADS: Record<string, (payload: Uint8Array) => Uint8Array> = {
  acknowledge: (p) => channel.formatAcknowledge(channel.parseAcknowledge(p)),
  agent_session_state: (p) => channel.formatSessionState(channel.parseSessionState(p)),
  channel_closed: (p) => channel.formatChannelClosed(channel.parseChannelClosed(p)),
  interactive_shell: (p) => channel.formatStartSessionTask(channel.parseStartSessionTask(p)),
  agent_task_complete: (p) => channel.formatAgentTaskComplete(channel.parseAgentTaskComplete(p)),
  agent_task_acknowledge: (p) => channel.formatAgentTaskAcknowledge(channel.parseAgentTaskAcknowledge(p)),
  'input_stream_data/3': (p) => channel.formatSize(channel.parseSize(p)),
  'output_stream_data/5': (p) => channel.formatHandshakeRequest(channel.parseHandshakeRequest(p)),
  'input_stream_data/6': (p) => channel.formatHandshakeResponse(channel.parseHandshakeResponse(p)),
  'output_stream_data/7': (p) => channel.formatHandshakeComplete(channel.parseHandshakeComplete(p)),
  'output_stream_data/8': (p) => channel.formatEncryptionChallenge(channel.parseEncryptionChallenge(p)),
  'input_stream_data/9': (p) => channel.formatEncryptionChallenge(channel.parseEncryptionChallenge(p)),
  'input_stream_data/10': (p) => channel.formatFlag(channel.parseFlag(p)),
  'output_stream_data/10': (p) => channel.formatFlag(channel.parseFlag(p)),
};

function decodes(data: RecordedFrame['data']): boolean {
  try {
    decodeMessage(data, sha256Digest);
    return true;
  } catch (error) {
    if (error instanceof MessageError && error.code === 'ERR_MESSAGE_DIGEST') return false;
    throw error;
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
