/** The chunks of a stream, or of anything else that can be iterated. Not every browser can iterate a stream itself. */
export async function* chunksOf(
  source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  if (!('getReader' in source)) {
    yield* source;
    return;
  }
  const reader = source.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    // Left before the end: whoever fills the stream need not go on. At the end this does nothing.
    reader.cancel().catch(() => {});
  }
}

/** The same bytes in pieces of `size`, but for the last. */
export async function* blocksOf(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, void, void> {
  let block = new Uint8Array(size);
  let length = 0;
  for await (const chunk of source) {
    for (let start = 0; start < chunk.length; ) {
      const piece = chunk.subarray(start, start + size - length);
      block.set(piece, length);
      length += piece.length;
      start += piece.length;
      if (length < size) continue;
      yield block;
      block = new Uint8Array(size);
      length = 0;
    }
  }
  if (length > 0) yield block.subarray(0, length);
}
