import type { PayloadDigest } from '../crypto/digest.ts';
import { MessageError } from './error.ts';
import { FRAME_OVERHEAD, HEADER_LENGTH, Offset, SHORT_HEADER_LENGTH } from './message.ts';
import { writeMessageType } from './message-type.ts';
import { writeUuid } from './uuid.ts';

/** The fields of a message to write. Those with a default may be left out. */
export interface MessageFields {
  readonly messageType: string;
  /** A UUID; every message has its own. */
  readonly messageId: string;
  /** Milliseconds since the epoch; fractions are cut. */
  readonly createdDate: number;
  readonly payload: Uint8Array;
  /** Default 0. */
  readonly sequenceNumber?: number;
  /** Default 0. */
  readonly flags?: number;
  /** Default 0. */
  readonly payloadType?: number;
  /** Default 1. */
  readonly schemaVersion?: number;
  /** 116 (default), or 112 to leave out PayloadType. */
  readonly headerLength?: number;
  /** Written as it is instead of the digest of the payload. Only for tools that must reproduce a frame. */
  readonly payloadDigest?: Uint8Array;
}

/** Length of the frame that {@link encodeMessage} makes of a payload. */
export function frameLength(payloadLength: number): number {
  return FRAME_OVERHEAD + payloadLength;
}

/**
 * Writes one AgentMessage (PROTOCOL.md section 2).
 *
 * @param target where to write, to save the allocation: at least {@link frameLength} bytes
 * @returns the frame: new memory, or the used part of `target`
 * @throws {MessageError} when a field does not fit the wire
 */
export function encodeMessage(fields: MessageFields, digest: PayloadDigest, target?: Uint8Array): Uint8Array {
  const { payload, headerLength = HEADER_LENGTH } = fields;
  if (headerLength !== HEADER_LENGTH && headerLength !== SHORT_HEADER_LENGTH) {
    throw new MessageError('ERR_MESSAGE_HEADER', `HeaderLength must be 112 or 116, got ${headerLength}.`);
  }
  const length = headerLength + 4 + payload.length;
  if (target !== undefined && target.length < length) {
    throw new MessageError(
      'ERR_MESSAGE_LENGTH',
      `The frame needs ${length} bytes, the target has ${target.length}.`,
    );
  }
  const frame =
    target === undefined
      ? new Uint8Array(length)
      : target.length === length
        ? target
        : target.subarray(0, length);

  writeUint32(frame, 0, headerLength);
  writeMessageType(fields.messageType, frame);
  writeUint32(frame, Offset.SchemaVersion, fields.schemaVersion ?? 1);
  writeInteger(frame, Offset.CreatedDate, Math.trunc(fields.createdDate), 'CreatedDate');
  writeInteger(frame, Offset.SequenceNumber, fields.sequenceNumber ?? 0, 'SequenceNumber');
  writeInteger(frame, Offset.Flags, fields.flags ?? 0, 'Flags');
  if (!writeUuid(fields.messageId, frame, Offset.MessageId)) {
    throw new MessageError('ERR_MESSAGE_FIELD', 'MessageId must be a UUID.');
  }
  if (headerLength === HEADER_LENGTH) writeUint32(frame, Offset.PayloadType, fields.payloadType ?? 0);
  writeUint32(frame, headerLength, payload.length);
  frame.set(payload, headerLength + 4);
  if (fields.payloadDigest) frame.set(fields.payloadDigest.subarray(0, 32), Offset.PayloadDigest);
  else digest.write(payload, frame, Offset.PayloadDigest);
  return frame;
}

function writeUint32(frame: Uint8Array, offset: number, value: number): void {
  frame[offset] = value >>> 24;
  frame[offset + 1] = value >>> 16;
  frame[offset + 2] = value >>> 8;
  frame[offset + 3] = value;
}

/** 64 bits of which JavaScript can count 53. */
function writeInteger(frame: Uint8Array, offset: number, value: number, field: string): void {
  if (!Number.isSafeInteger(value))
    throw new MessageError('ERR_MESSAGE_FIELD', `${field} must be a safe integer, got ${value}.`);
  writeUint32(frame, offset, Math.floor(value / 0x1_0000_0000));
  writeUint32(frame, offset + 4, value >>> 0);
}
