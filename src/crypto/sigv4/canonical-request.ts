import { utf8 } from '../../base/encoding.ts';

/**
 * The form of a request that both ends hash, so that what the network may change on the way does not count.
 * Section "Create a canonical request" of AWS's signing guide.
 */
export interface CanonicalRequest {
  readonly method: string;
  /** Path as on the wire, without the query. */
  readonly path: string;
  /** Query as on the wire, with or without its `?`. */
  readonly query: string;
  /** The signed headers, in order: lower-case name, and the value with repeated lines joined by `,`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** SHA-256 of the body in hex, or what stands for it. */
  readonly payloadHash: string;
}

/**
 * @param normalizePath false leaves `.`, `..` and `//` in the path
 */
export function canonicalRequest(request: CanonicalRequest, normalizePath = true): string {
  return [
    request.method,
    canonicalPath(request.path, normalizePath),
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

/**
 * Every service but S3 encodes the path once more than the wire does: `%20` becomes `%2520`.
 */
function canonicalPath(path: string, normalize: boolean): string {
  return encode(utf8(normalize ? normalizePath(path) : path), isPathByte) || '/';
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

function canonicalQuery(query: string): string {
  const parameters = query
    .replace(/^\?/, '')
    .split('&')
    .filter((parameter) => parameter !== '')
    .map((parameter) => {
      const [name, value] = splitOnce(parameter, '=');
      return [encode(decode(name)), encode(decode(value))] as const;
    });
  // By name first: `a-b=1` comes after `a=2`, though `-` sorts before `=`.
  parameters.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
  return parameters.map(([name, value]) => `${name}=${value}`).join('&');
}

/**
 * Undoes percent-encoding as `URLSearchParams` does, `+` for a space included: two queries with one canonical
 * form then mean the same to a reader. On bytes, because they need not be UTF-8.
 */
function decode(text: string): Uint8Array {
  const source = utf8(text);
  const target = new Uint8Array(source.length);
  let length = 0;
  for (let i = 0; i < source.length; i++) {
    const byte = source[i]!;
    const escaped = byte === PERCENT ? hexByte(source, i + 1) : undefined;
    if (escaped !== undefined) i += 2;
    target[length++] = escaped ?? (byte === PLUS ? SPACE : byte);
  }
  return target.subarray(0, length);
}

function hexByte(bytes: Uint8Array, at: number): number | undefined {
  const pair = String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0);
  return /^[0-9a-f]{2}$/i.test(pair) ? Number.parseInt(pair, 16) : undefined;
}

function encode(bytes: Uint8Array, plain: (byte: number) => boolean = isUnreserved): string {
  let text = '';
  for (const byte of bytes) {
    text += plain(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;
const UNRESERVED = new Set(utf8('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~'));
const SLASH = 0x2f;

function isUnreserved(byte: number): boolean {
  return UNRESERVED.has(byte);
}

function isPathByte(byte: number): boolean {
  return byte === SLASH || UNRESERVED.has(byte);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
