import { concat, fromUtf8 } from '../base/encoding.ts';
import { decodeBase64Line } from './base64-lines.ts';
import { chunksOf } from './chunks.ts';
import { CopyError } from './copy-error.ts';

/** One line of a script (the words after its full stop), or bytes of the file. */
export type CopyAnswer = readonly string[] | Uint8Array;

/**
 * Reads what a copy script prints.
 *
 * @throws {CopyError} `ERR_COPY_FAILED` for what is neither a line of a script nor base64
 */
export async function* copyAnswers(
  path: string,
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<CopyAnswer, void, void> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunksOf(stream)) {
    const text = rest.length > 0 ? concat([rest, chunk]) : chunk;
    const bytes = new Uint8Array(Math.ceil(text.length / 4) * 3);
    let length = 0;
    let start = 0;
    for (let end = text.indexOf(LF); end >= 0; end = text.indexOf(LF, start)) {
      const line = text.subarray(start, text[end - 1] === CR ? end - 1 : end);
      start = end + 1;
      if (line[0] !== FULL_STOP) {
        const decoded = decodeBase64Line(line, bytes, length);
        if (decoded === undefined) throw unreadable(path);
        length += decoded;
        continue;
      }
      if (length > 0) yield bytes.slice(0, length);
      length = 0;
      yield fromUtf8(line.subarray(1)).split(' ');
    }
    if (length > 0) yield bytes.subarray(0, length);
    rest = text.subarray(start);
    if (rest.length > MAX_LINE) throw unreadable(path);
  }
  if (rest.length > 0) throw unreadable(path);
}

const LF = 0x0a;
const CR = 0x0d;
const FULL_STOP = 0x2e;
/** Bytes. The programs that write base64 make lines of 64 or 76. */
const MAX_LINE = 4_096;

function unreadable(path: string): CopyError {
  return new CopyError(
    'ERR_COPY_FAILED',
    path,
    'the node answered what is no part of a copy. Copying needs sh and the usual tools there.',
  );
}
