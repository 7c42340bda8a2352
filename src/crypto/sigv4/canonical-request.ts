import { utf8 } from '../../base/encoding.ts';
import { canonicalQuery, percentDecode, percentEncode, type QueryParameter, UNRESERVED } from './query.ts';

/**
 * The form of a request that both ends hash, so that what the network may change on the way does not count.
 * Section "Create a canonical request" of AWS's signing guide.
 */
export interface CanonicalRequest {
  readonly method: string;
  /** Path as on the wire, without the query. */
  readonly path: string;
  readonly query: readonly QueryParameter[];
  /** The signed headers, in order: lower-case name, and the value with repeated lines joined by `,`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** SHA-256 of the body in hex, or what stands for it. */
  readonly payloadHash: string;
}

/**
 * How the path is signed.
 *
 * - `normal`: `.`, `..` and `//` are resolved, and the path is encoded once more than on the wire: `%20` becomes
 *   `%2520`. Every service but S3.
 * - `s3`: the path stays as it is, encoded once, since a key of S3 may hold all of these. Escapes are only spelled in
 *   one way, and `%2F` stays apart from `/`.
 */
export type PathEncoding = 'normal' | 's3';

export function canonicalRequest(request: CanonicalRequest, pathEncoding: PathEncoding = 'normal'): string {
  return [
    request.method,
    canonicalPath(request.path, pathEncoding),
    canonicalQuery(request.query),
    ...request.headers.map(([name, value]) => `${name}:${foldWhitespace(value)}`),
    '',
    request.headers.map(([name]) => name).join(';'),
    request.payloadHash,
  ].join('\n');
}

/**
 * Line breaks of folded headers included, so a value can never bring a line of its own into the canonical
 * request.
 */
export function foldWhitespace(value: string): string {
  return value.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '');
}

export function canonicalPath(path: string, pathEncoding: PathEncoding): string {
  if (pathEncoding === 's3') return eachSegment(path, percentDecode) || '/';
  return eachSegment(normalizePath(path), utf8);
}

/** @param read gives the bytes of a segment that are to be encoded */
function eachSegment(path: string, read: (segment: string) => Uint8Array): string {
  return path
    .split('/')
    .map((segment) => (UNRESERVED.test(segment) ? segment : percentEncode(read(segment))))
    .join('/');
}

function normalizePath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const end = segments.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${segments.join('/')}${end}`;
}
