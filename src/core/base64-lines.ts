/** Base64 in lines of 76 characters, as every `base64` program writes and reads it, straight from bytes to bytes. */
export function encodeBase64Lines(bytes: Uint8Array): Uint8Array {
  const quads = Math.ceil(bytes.length / 3);
  const text = new Uint8Array(4 * quads + Math.ceil(quads / QUADS_PER_LINE));
  let at = 0;
  for (let quad = 0, from = 0; quad < quads; quad++, from += 3) {
    const [a = 0, b, c] = [bytes[from], bytes[from + 1], bytes[from + 2]];
    text[at++] = ALPHABET[a >> 2]!;
    text[at++] = ALPHABET[((a & 3) << 4) | ((b ?? 0) >> 4)]!;
    text[at++] = b === undefined ? PADDING : ALPHABET[((b & 15) << 2) | ((c ?? 0) >> 6)]!;
    text[at++] = c === undefined ? PADDING : ALPHABET[c & 63]!;
    if ((quad + 1) % QUADS_PER_LINE === 0) text[at++] = LF;
  }
  if (quads % QUADS_PER_LINE !== 0) text[at++] = LF;
  return text;
}

/** Decodes one line, without its end, into `target`. @returns the bytes written, or undefined when it is not base64 */
export function decodeBase64Line(line: Uint8Array, target: Uint8Array, offset: number): number | undefined {
  if (line.length % 4 !== 0) return undefined;
  const padding = line.at(-1) !== PADDING ? 0 : line.at(-2) !== PADDING ? 1 : 2;
  let at = offset;
  let invalid = 0;
  for (let i = 0; i < line.length; i += 4) {
    const last = i + 4 === line.length;
    const a = VALUES[line[i]!]!;
    const b = VALUES[line[i + 1]!]!;
    const c = last && padding > 1 ? 0 : VALUES[line[i + 2]!]!;
    const d = last && padding > 0 ? 0 : VALUES[line[i + 3]!]!;
    invalid |= a | b | c | d;
    target[at++] = (a << 2) | (b >> 4);
    target[at++] = (b << 4) | (c >> 2);
    target[at++] = (c << 6) | d;
  }
  return invalid > 63 ? undefined : at - padding - offset;
}

const QUADS_PER_LINE = 19;
const LF = 0x0a;
/** = */
const PADDING = 0x3d;

const ALPHABET = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
/** By character; 64 for one that is not of the alphabet. */
const VALUES = new Uint8Array(256).fill(64);
for (const [value, character] of ALPHABET.entries()) VALUES[character] = value;
