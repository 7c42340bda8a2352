import { utf8 } from '../base/encoding.ts';
import { MessageType, PayloadFlag, PayloadType } from '../channel/constants.ts';
import { MessageError } from '../channel/error.ts';
import { HEADER_LENGTH, Offset } from '../channel/message.ts';
import { parseAcknowledge } from '../channel/payload/acknowledge.ts';

/**
 * The few bytes of stream messages and acknowledges that the relay looks at. It reads them in place, for
 * `peekMessageType` has seen that the header is there. The digest is the ends' affair: it says nothing of the header,
 * and a sender can lie to its own session only.
 */

/** Position in the sender's stream. Retransmissions repeat it, so they do not keep an idle session alive. */
export function sequenceNumberOf(frame: Uint8Array): number {
  return (
    readUint32(frame, Offset.SequenceNumber) * 0x1_0000_0000 + readUint32(frame, Offset.SequenceNumber + 4)
  );
}

/** Resizes and flags do not reset the idle timer (CONTROL-PLANE.md section 4.3). */
export function isActivity(frame: Uint8Array): boolean {
  const type = payloadTypeOf(frame);
  return type !== PayloadType.Size && type !== PayloadType.Flag;
}

/** The client asks the agent to end the session. Flags are never encrypted (PROTOCOL.md section 8). */
export function isTerminateFlag(frame: Uint8Array): boolean {
  const payload = HEADER_LENGTH + 4;
  return (
    payloadTypeOf(frame) === PayloadType.Flag &&
    frame.length === payload + 4 &&
    readUint32(frame, payload) === PayloadFlag.TerminateSession
  );
}

/**
 * The sequence number that an acknowledge is for; `undefined` when it is not for a message of `streamType`, or is none
 * that could be read. There is one for every message, so the form in which both real programs and hawser write them is
 * read without a parser.
 */
export function acknowledgedNumber(frame: Uint8Array, streamType: StreamType): number | undefined {
  const payload = readUint32(frame, 0) + 4;
  const start = payload + BEFORE_ID[streamType].length + ID_LENGTH;
  if (!standsAt(frame, payload, BEFORE_ID[streamType]) || !standsAt(frame, start, BEFORE_NUMBER))
    return parsedNumber(frame.subarray(payload), streamType);
  let number = 0;
  let at = start + BEFORE_NUMBER.length;
  for (; isDigit(frame[at]); at++) number = number * 10 + frame[at]! - ZERO;
  if (frame.length - at !== AFTER_NUMBER.length || !standsAt(frame, at, AFTER_NUMBER))
    return parsedNumber(frame.subarray(payload), streamType);
  return Number.isSafeInteger(number) ? number : undefined;
}

export type StreamType = typeof MessageType.InputStreamData | typeof MessageType.OutputStreamData;

const BEFORE_ID: Readonly<Record<StreamType, Uint8Array>> = {
  input_stream_data: beforeId(MessageType.InputStreamData),
  output_stream_data: beforeId(MessageType.OutputStreamData),
};
const ID_LENGTH = 36;
const BEFORE_NUMBER = utf8('","AcknowledgedMessageSequenceNumber":');
const AFTER_NUMBER = utf8(',"IsSequentialMessage":true}');
const ZERO = 48;

function beforeId(streamType: StreamType): Uint8Array {
  return utf8(`{"AcknowledgedMessageType":"${streamType}","AcknowledgedMessageId":"`);
}

/** Bytes. What is longer says more than an acknowledge, and is not worth a parser's time. */
const MAX_ACKNOWLEDGE = 1024;

function parsedNumber(payload: Uint8Array, streamType: StreamType): number | undefined {
  if (payload.length > MAX_ACKNOWLEDGE) return undefined;
  try {
    const { messageType, sequenceNumber } = parseAcknowledge(payload);
    return messageType === streamType ? sequenceNumber : undefined;
  } catch (error) {
    if (error instanceof MessageError) return undefined;
    throw error;
  }
}

function standsAt(frame: Uint8Array, offset: number, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (frame[offset + i] !== bytes[i]) return false;
  return true;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= ZERO + 9;
}

function payloadTypeOf(frame: Uint8Array): number {
  return readUint32(frame, 0) === HEADER_LENGTH ? readUint32(frame, Offset.PayloadType) : PayloadType.None;
}

function readUint32(frame: Uint8Array, offset: number): number {
  return (
    ((frame[offset]! << 24) | (frame[offset + 1]! << 16) | (frame[offset + 2]! << 8) | frame[offset + 3]!) >>>
    0
  );
}
