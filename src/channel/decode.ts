import type { PayloadDigest } from '../crypto/digest.ts';
import { MessageType } from './constants.ts';
import { MessageError } from './error.ts';
import { HEADER_LENGTH, Offset, ReceivedMessage, SHORT_HEADER_LENGTH } from './message.ts';
import { readMessageType } from './message-type.ts';

/**
 * Reads one AgentMessage (PROTOCOL.md section 2) and checks it: HeaderLength 112 or 116, a MessageType, a
 * CreatedDate, a PayloadLength that agrees with the frame, a digest that agrees with the payload.
 * `start_publication` and `pause_publication` pass without CreatedDate and digest, as the real plugin lets them.
 *
 * The payload is a view of `frame`, and nothing of the size of the frame is allocated.
 *
 * @throws {MessageError} for every input that is not such a message, and nothing else
 */
export function decodeMessage(frame: Uint8Array, digest: PayloadDigest): ReceivedMessage {
  const headerLength = readHeaderLength(frame);
  const payloadLength = readUint32(frame, headerLength);
  const payloadOffset = headerLength + 4;
  if (payloadLength !== frame.length - payloadOffset) {
    throw new MessageError(
      'ERR_MESSAGE_LENGTH',
      `PayloadLength says ${payloadLength} bytes, the frame holds ${frame.length - payloadOffset}.`,
    );
  }
  const payload = frame.subarray(payloadOffset);
  const message = new ReceivedMessage(
    frame,
    headerLength,
    readMessageType(frame),
    readUint32(frame, Offset.SchemaVersion),
    readInteger(frame, Offset.CreatedDate, 'CreatedDate'),
    readInteger(frame, Offset.SequenceNumber, 'SequenceNumber'),
    readInteger(frame, Offset.Flags, 'Flags'),
    headerLength === HEADER_LENGTH ? readUint32(frame, Offset.PayloadType) : 0,
    payload,
  );
  if (
    message.messageType !== MessageType.StartPublication &&
    message.messageType !== MessageType.PausePublication
  ) {
    if (message.createdDate === 0)
      throw new MessageError('ERR_MESSAGE_FIELD', 'The message has no CreatedDate.');
    if (payloadLength !== 0 && !digest.matches(payload, frame, Offset.PayloadDigest)) {
      throw new MessageError(
        'ERR_MESSAGE_DIGEST',
        `The payload of a ${message.messageType} message does not match its digest.`,
      );
    }
  }
  return message;
}

/**
 * The MessageType alone, for relays, which pass frames on and leave the rest to the ends.
 *
 * @throws {MessageError} when the frame is too short to be a message or has no type
 */
export function peekMessageType(frame: Uint8Array): string {
  readHeaderLength(frame);
  return readMessageType(frame);
}

function readHeaderLength(frame: Uint8Array): number {
  if (frame.length < SHORT_HEADER_LENGTH + 4) {
    throw new MessageError(
      'ERR_MESSAGE_LENGTH',
      `A message has at least 116 bytes, this frame has ${frame.length}.`,
    );
  }
  const headerLength = readUint32(frame, 0);
  if (headerLength !== HEADER_LENGTH && headerLength !== SHORT_HEADER_LENGTH) {
    throw new MessageError(
      'ERR_MESSAGE_HEADER',
      `HeaderLength must be 112 or 116, the frame says ${headerLength}.`,
    );
  }
  if (frame.length < headerLength + 4) {
    throw new MessageError(
      'ERR_MESSAGE_LENGTH',
      `The frame ends inside its header, after ${frame.length} bytes.`,
    );
  }
  return headerLength;
}

function readUint32(frame: Uint8Array, offset: number): number {
  return (
    ((frame[offset]! << 24) | (frame[offset + 1]! << 16) | (frame[offset + 2]! << 8) | frame[offset + 3]!) >>>
    0
  );
}

/** 64 bits, signed, refused where JavaScript could not count them exactly. */
function readInteger(frame: Uint8Array, offset: number, field: string): number {
  const high = readUint32(frame, offset) | 0;
  const value = high * 0x1_0000_0000 + readUint32(frame, offset + 4);
  if (!Number.isSafeInteger(value)) throw new MessageError('ERR_MESSAGE_FIELD', `${field} is out of range.`);
  return value;
}
