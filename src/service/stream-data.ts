import { PayloadFlag, PayloadType } from '../channel/constants.ts';
import { HEADER_LENGTH, Offset } from '../channel/message.ts';

/**
 * The few bytes of a stream message that the relay looks at. It reads them in place, for `peekMessageType` has
 * seen that the header is there, and believes them no further than its own timers go: the digest is the ends'
 * affair.
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

function payloadTypeOf(frame: Uint8Array): number {
  return readUint32(frame, 0) === HEADER_LENGTH ? readUint32(frame, Offset.PayloadType) : PayloadType.None;
}

function readUint32(frame: Uint8Array, offset: number): number {
  return (
    ((frame[offset]! << 24) | (frame[offset + 1]! << 16) | (frame[offset + 2]! << 8) | frame[offset + 3]!) >>>
    0
  );
}
