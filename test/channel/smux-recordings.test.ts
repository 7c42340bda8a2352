import { describe, expect, test } from 'vitest';
import { decodeMessage, MessageType, PayloadType } from '../../src/channel/index.ts';
import { sha256Digest } from '../../src/crypto/digest.ts';
import { isFrame, readRecording } from '../support/recording.ts';
import { events, type Frame, framesOf, session, told, transmitted } from './smux-wire.ts';

const RECORDINGS = ['04-port-mux', '05-port-remote-host', '09d-terminate-api-mux', '11-port-closed-mux'];
const ROLES = ['client', 'agent'] as const;
type Role = (typeof ROLES)[number];

interface Piece {
  readonly from: Role;
  readonly bytes: Uint8Array;
}

describe.each(ROLES)("in the place of AWS's %s", (role) => {
  test.each(RECORDINGS)('%s: sends the very bytes that it sent, and hears what it heard', (name) => {
    const recording = piecesOf(name);
    const smux = session(role === 'client' ? 'client' : 'server', 1);
    const output: Uint8Array[] = [];
    const heard: Frame[] = [];
    let unfinished = Buffer.alloc(0);
    for (const { from, bytes } of recording) {
      if (from === role) {
        unfinished = Buffer.concat([unfinished, bytes]);
        const frames = wholeFramesOf(unfinished);
        unfinished = unfinished.subarray(lengthOf(frames));
        for (const { command, id, payload } of frames) {
          if (command === 'SYN') expect(smux.open()).toBe(id);
          else if (command === 'PSH') expect(smux.write(id, payload)).toBe(payload.length);
          else smux.closeWrite(id);
          output.push(transmitted(smux));
        }
      } else {
        smux.handleBytes(bytes);
        for (const event of events(smux)) {
          if (event.type === 'failed') throw event.error;
          const { type, streamId: id } = event;
          const command = ({ opened: 'SYN', data: 'PSH', finished: 'FIN' } as const)[type as 'opened'];
          const payload = event.type === 'data' ? Buffer.from(event.bytes) : Buffer.alloc(0);
          heard.push({ version: 1, command, id, payload });
          smux.consumed(id, payload.length);
        }
      }
    }
    expect(Buffer.concat(output).equals(bytesOf(recording, role))).toBe(true);
    const recorded = framesOf(bytesOf(recording, role === 'client' ? 'agent' : 'client'));
    expect(perStream(heard)).toEqual(perStream(recorded));
    expect(smux.unread).toBe(0);
    expect(smux.size).toBe(name === '09d-terminate-api-mux' ? 1 : 0);
  });
});

test('the recordings hold what they are known for', () => {
  const both = (name: string) => ROLES.map((role) => told(framesOf(bytesOf(piecesOf(name), role))));
  expect(both('11-port-closed-mux')).toEqual([['SYN 3', 'FIN 3'], ['FIN 3']]);
  const [client = [], agent = []] = both('04-port-mux');
  expect(client.filter((one) => one.startsWith('SYN'))).toEqual(['SYN 3', 'SYN 5']);
  expect(agent.slice(-4)).toEqual(['PSH 5 bye-from-server', 'FIN 5', 'PSH 3 still-open', 'FIN 3']);
  // Frames are cut at 1,024 bytes.
  expect(piecesOf('04-port-mux').every(({ bytes }) => bytes.length <= 1024)).toBe(true);
  expect(agent).toContain('PSH 3 (2048)');
});

/** The payloads of the stream, each once, in order. */
function piecesOf(name: string): Piece[] {
  const pieces: Piece[] = [];
  const seen = new Set<string>();
  for (const { binary, channel, from, data } of readRecording(name).filter(isFrame)) {
    if (!binary || channel !== 'data' || from === 'service') continue;
    const { messageType, payloadType, sequenceNumber, payload } = decodeMessage(data, sha256Digest);
    if (messageType !== MessageType.InputStreamData && messageType !== MessageType.OutputStreamData) continue;
    if (payloadType !== PayloadType.Output || seen.has(`${from} ${sequenceNumber}`)) continue;
    seen.add(`${from} ${sequenceNumber}`);
    pieces.push({ from, bytes: payload });
  }
  return pieces;
}

function bytesOf(pieces: readonly Piece[], role: Role): Buffer {
  return Buffer.concat(pieces.filter(({ from }) => from === role).map(({ bytes }) => bytes));
}

function wholeFramesOf(bytes: Buffer): Frame[] {
  let end = 0;
  while (end + 8 <= bytes.length && end + 8 + bytes.readUInt16LE(end + 2) <= bytes.length)
    end += 8 + bytes.readUInt16LE(end + 2);
  return framesOf(bytes.subarray(0, end));
}

function lengthOf(frames: readonly Frame[]): number {
  return frames.reduce((sum, { payload }) => sum + 8 + payload.length, 0);
}

/** What each stream carried, however it was cut, and how it began and ended. */
function perStream(frames: readonly Frame[]): Record<number, { commands: string; text: string }> {
  const streams: Record<number, { commands: string; text: string }> = {};
  for (const { command, id, payload } of frames) {
    streams[id] ??= { commands: '', text: '' };
    const stream = streams[id];
    if (!stream.commands.endsWith(command)) stream.commands += ` ${command}`;
    stream.text += payload.toString('latin1');
  }
  return streams;
}
