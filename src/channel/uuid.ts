/**
 * MessageId on the wire: the 16 bytes of a UUID with bytes 8..15 first and bytes 0..7 after them
 * (PROTOCOL.md section 2).
 */

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Where each byte of the UUID stands in its text form. */
const TEXT_POSITIONS = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

export function formatUuid(bytes: Uint8Array, offset: number): string {
  let text = '';
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    text += HEX[bytes[offset + (i ^ 8)]!];
  }
  return text;
}

/** Writes `text` at `offset`. Whether it was a UUID: if not, what was written means nothing. */
export function writeUuid(text: string, bytes: Uint8Array, offset: number): boolean {
  if (text.length !== 36) return false;
  let bad = 0;
  for (let i = 0; i < 16; i++) {
    const at = TEXT_POSITIONS[i]!;
    const high = hexDigit(text.charCodeAt(at));
    const low = hexDigit(text.charCodeAt(at + 1));
    bad |= high | low;
    bytes[offset + (i ^ 8)] = (high << 4) | low;
  }
  return bad >= 0 && text[8] === '-' && text[13] === '-' && text[18] === '-' && text[23] === '-';
}

/** 0..15, or a negative number for anything that is not a hexadecimal digit. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
