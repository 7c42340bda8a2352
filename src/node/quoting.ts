import { concat } from '../base/encoding.ts';

/**
 * The two control characters of a terminal driver's line mode that a {@link pipeShell} knows, so that input
 * can end although the protocol has no end of input.
 */
export const END_OF_INPUT = 0x04;
/** The next byte is taken as it is. */
const QUOTE = 0x16;

/** Bytes to send so that `bytes` arrive, whatever they are. */
export function quoteInput(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let i = nextSpecial(bytes, 0); i < bytes.length; i = nextSpecial(bytes, i + 1)) {
    parts.push(bytes.subarray(start, i), Uint8Array.of(QUOTE));
    start = i;
  }
  return parts.length === 0 ? bytes : concat([...parts, bytes.subarray(start)]);
}

/** The other direction, for input that comes in pieces cut anywhere. */
export class Unquoter {
  #quoted = false;
  /** Whether the end of input has been seen. Nothing that follows counts. */
  ended = false;

  /** The plain bytes in a piece of input. */
  push(bytes: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    let start = 0;
    let next = 0;
    if (this.#quoted && bytes.length > 0) {
      this.#quoted = false;
      next = 1;
    }
    for (let i = nextSpecial(bytes, next); i < bytes.length && !this.ended; i = nextSpecial(bytes, next)) {
      parts.push(bytes.subarray(start, i));
      start = i + 1;
      next = i + 2;
      if (bytes[i] === END_OF_INPUT) this.ended = true;
      else this.#quoted = next > bytes.length;
    }
    if (this.ended) return concat(parts);
    return parts.length === 0 ? bytes : concat([...parts, bytes.subarray(start)]);
  }
}

function nextSpecial(bytes: Uint8Array, from: number): number {
  let i = from;
  while (i < bytes.length && bytes[i] !== END_OF_INPUT && bytes[i] !== QUOTE) i++;
  return i;
}
