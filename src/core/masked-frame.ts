/**
 * One binary message as the frame that a WebSocket client sends (RFC 6455 section 5.2).
 *
 * The `ws` package masks byte by byte, which takes more than twice as long as the SHA-256 of the same bytes. Here it
 * goes by four: key and payload stand on a boundary of four bytes, and the last word may reach over the end.
 *
 * @param key 32 random bits, new for each frame
 * @param allocate gives memory whose `byteOffset` is a multiple of four, when only asked for multiples of four
 */
export function maskedFrame(
  payload: Uint8Array,
  key: number,
  allocate: (length: number) => Uint8Array,
): Uint8Array {
  const { length } = payload;
  const headLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const padding = headLength & 2;
  const keyOffset = padding + headLength;
  const end = keyOffset + 4 + length;
  const memory = allocate((end + 3) & ~3);
  writeHead(memory, padding, length);
  memory.set(payload, keyOffset + 4);
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.length >> 2);
  let word = keyOffset >> 2;
  words[word++] = key;
  for (; word < words.length; word++) words[word]! ^= key;
  return memory.subarray(padding, end);
}

function writeHead(frame: Uint8Array, offset: number, length: number): void {
  frame[offset] = FIN | BINARY;
  if (length < 126) {
    frame[offset + 1] = MASKED | length;
  } else if (length < 65_536) {
    frame[offset + 1] = MASKED | 126;
    frame[offset + 2] = length >>> 8;
    frame[offset + 3] = length;
  } else {
    // 64 bits, of which no message needs more than the lower half.
    frame.fill(0, offset + 2, offset + 6);
    frame[offset + 1] = MASKED | 127;
    frame[offset + 6] = length >>> 24;
    frame[offset + 7] = length >>> 16;
    frame[offset + 8] = length >>> 8;
    frame[offset + 9] = length;
  }
}

const FIN = 0x80;
const BINARY = 0x2;
const MASKED = 0x80;
