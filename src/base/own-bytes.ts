/**
 * The bytes in memory of about their own size: a copy, where they are a small part of something larger.
 *
 * Messages are views of what was read from the network at once, 64 KiB with Node.js, so one byte that waits would
 * keep as much; and what came beside it is the sender's choice. Where bytes may wait for long, they are to be counted
 * by what they hold.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > 2 * (bytes.length + HEADER) ? bytes.slice() : bytes;
}

/** What may stand before a payload in a frame of its own. */
const HEADER = 128;
