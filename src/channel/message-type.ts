import { fromUtf8 } from '../base/encoding.ts';
import { MessageType } from './constants.ts';
import { MessageError } from './error.ts';
import { Offset } from './message.ts';

/**
 * MessageType on the wire: 32 bytes, padded with spaces; readers trim NUL and white space, since AWS's service
 * has been seen to pad with NUL (PROTOCOL.md section 13).
 */
const LENGTH = 32;

/** The padded bytes of the known types, so that the hot path compares and copies and never decodes text. */
const KNOWN = Object.values(MessageType).map((type) => ({ type: type as string, padded: pad(type) }));
const PADDED = new Map(KNOWN.map(({ type, padded }) => [type, padded]));

export function readMessageType(frame: Uint8Array): string {
  for (const { type, padded } of KNOWN) if (standsIn(frame, padded)) return type;
  const text = fromUtf8(frame.subarray(Offset.MessageType, Offset.MessageType + LENGTH));
  const type = trim(text);
  if (type === '') throw new MessageError('ERR_MESSAGE_FIELD', 'The message has no MessageType.');
  return type;
}

/** @throws {MessageError} for an empty type, one over 32 bytes, or one with anything but printable ASCII */
export function writeMessageType(type: string, frame: Uint8Array): void {
  const known = PADDED.get(type);
  if (known) {
    frame.set(known, Offset.MessageType);
    return;
  }
  if (!/^[!-~]{1,32}$/.test(type)) {
    throw new MessageError(
      'ERR_MESSAGE_FIELD',
      `MessageType must be 1 to 32 printable ASCII characters, got ${JSON.stringify(type)}.`,
    );
  }
  frame.set(pad(type), Offset.MessageType);
}

function standsIn(frame: Uint8Array, padded: Uint8Array): boolean {
  for (let i = 0; i < LENGTH; i++) if (frame[Offset.MessageType + i] !== padded[i]) return false;
  return true;
}

function pad(type: string): Uint8Array {
  return Uint8Array.from({ length: LENGTH }, (_, i) => (i < type.length ? type.charCodeAt(i) : 32));
}

/** NUL first, then white space, both ends: the order of the real readers. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) === 0) start++;
  while (end > start && text.charCodeAt(end - 1) === 0) end--;
  return text.slice(start, end).trim();
}
