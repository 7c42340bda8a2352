import { formatUuid } from './uuid.ts';

/**
 * The frame that both channels carry in binary WebSocket messages (PROTOCOL.md section 2). Big endian.
 *
 * | offset | length | field |
 * |---|---|---|
 * | 0 | 4 | HeaderLength: 116, or 112 where PayloadType is left out |
 * | 4 | 32 | MessageType, padded with spaces |
 * | 36 | 4 | SchemaVersion |
 * | 40 | 8 | CreatedDate |
 * | 48 | 8 | SequenceNumber |
 * | 56 | 8 | Flags |
 * | 64 | 16 | MessageId, its two halves swapped |
 * | 80 | 32 | PayloadDigest, SHA-256 |
 * | 112 | 4 | PayloadType |
 * | 116 | 4 | PayloadLength |
 * | 120 | n | Payload |
 */
export interface AgentMessage {
  /** 112 or 116. */
  readonly headerLength: number;
  /** Usually one of `MessageType`; at most 32 bytes of ASCII. */
  readonly messageType: string;
  readonly schemaVersion: number;
  /** Milliseconds since the epoch. */
  readonly createdDate: number;
  /** Position in the sender's own stream; 0 for messages that are not stream data. */
  readonly sequenceNumber: number;
  readonly flags: number;
  /** Lower-case UUID. */
  readonly messageId: string;
  /** SHA-256 of the payload as sent: of the ciphertext, where there is one. */
  readonly payloadDigest: Uint8Array;
  /** One of `PayloadType` for stream data, 0 otherwise. */
  readonly payloadType: number;
  readonly payload: Uint8Array;
}

/** Byte offsets of the fields that more than one file needs. */
export const Offset = {
  MessageType: 4,
  SchemaVersion: 36,
  CreatedDate: 40,
  SequenceNumber: 48,
  Flags: 56,
  MessageId: 64,
  PayloadDigest: 80,
  PayloadType: 112,
} as const;

/** HeaderLength without and with PayloadType. AWS's own service sends some frames with the short one (PROTOCOL.md section 13). */
export const SHORT_HEADER_LENGTH = 112;
export const HEADER_LENGTH = 116;

/** Length of a frame with an empty payload. */
export const FRAME_OVERHEAD = HEADER_LENGTH + 4;

/**
 * A message over the frame it came in. The id and the digest are read when asked for: most messages of a busy
 * channel are never asked.
 */
export class ReceivedMessage implements AgentMessage {
  readonly headerLength: number;
  readonly messageType: string;
  readonly schemaVersion: number;
  readonly createdDate: number;
  readonly sequenceNumber: number;
  readonly flags: number;
  readonly payloadType: number;
  /** A view of the frame, not a copy. */
  readonly payload: Uint8Array;
  readonly #frame: Uint8Array;

  constructor(
    frame: Uint8Array,
    headerLength: number,
    messageType: string,
    schemaVersion: number,
    createdDate: number,
    sequenceNumber: number,
    flags: number,
    payloadType: number,
    payload: Uint8Array,
  ) {
    this.#frame = frame;
    this.headerLength = headerLength;
    this.messageType = messageType;
    this.schemaVersion = schemaVersion;
    this.createdDate = createdDate;
    this.sequenceNumber = sequenceNumber;
    this.flags = flags;
    this.payloadType = payloadType;
    this.payload = payload;
  }

  get messageId(): string {
    return formatUuid(this.#frame, Offset.MessageId);
  }

  get payloadDigest(): Uint8Array {
    return this.#frame.subarray(Offset.PayloadDigest, Offset.PayloadDigest + 32);
  }
}
