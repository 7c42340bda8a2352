import { concat } from '../base/encoding.ts';
import { ApiError } from './api-error.ts';

/**
 * The body of a request, read no further than `limit` bytes.
 *
 * @throws {ApiError} `RequestEntityTooLargeException`, status 413
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length')) > limit) throw tooLarge(limit);
  const reader = request.body?.getReader();
  if (!reader) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return concat(parts);
    length += value.length;
    if (length > limit) {
      await reader.cancel();
      throw tooLarge(limit);
    }
    parts.push(value);
  }
}

function tooLarge(limit: number): ApiError {
  return new ApiError(
    'RequestEntityTooLargeException',
    `The request body is larger than ${limit} bytes.`,
    413,
  );
}
