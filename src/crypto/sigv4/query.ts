import { fromUtf8Strict, utf8 } from '../../base/encoding.ts';

/**
 * A parameter of a query in its canonical spelling: percent-encoded anew, so that `%7e`, `%7E` and `~` are one. Section
 * "Create a canonical request" of AWS's signing guide.
 */
export type QueryParameter = readonly [name: string, value: string];

/**
 * Takes a query apart, in the order of the wire.
 *
 * @param query as on the wire, with or without its `?`
 */
export function parseQuery(query: string): QueryParameter[] {
  return query
    .replace(/^\?/, '')
    .split('&')
    .filter((parameter) => parameter !== '')
    .map((parameter) => {
      const at = parameter.indexOf('=');
      const name = at < 0 ? parameter : parameter.slice(0, at);
      const value = at < 0 ? '' : parameter.slice(at + 1);
      return [respell(name), respell(value)];
    });
}

export function canonicalQuery(parameters: readonly QueryParameter[]): string {
  return [...parameters]
    .sort(
      // By name first: `a-b=1` comes after `a=2`, though `-` sorts before `=`.
      (a, b) => compare(a[0], b[0]) || compare(a[1], b[1]),
    )
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** What a canonical spelling stands for; `undefined` when its bytes are not UTF-8. */
export function plainText(canonical: string): string | undefined {
  if (!canonical.includes('%')) return canonical;
  try {
    return fromUtf8Strict(percentDecode(canonical));
  } catch {
    return undefined;
  }
}

/** Undoes percent-encoding, on bytes, because they need not be UTF-8. What is no escape stays as it is. */
export function percentDecode(text: string): Uint8Array {
  const source = utf8(text);
  const target = new Uint8Array(source.length);
  let length = 0;
  for (let i = 0; i < source.length; i++) {
    const byte = source[i]!;
    const escaped = byte === PERCENT ? hexByte(source, i + 1) : undefined;
    if (escaped !== undefined) i += 2;
    target[length++] = escaped ?? byte;
  }
  return target.subarray(0, length);
}

/** Percent-encodes all bytes but the unreserved characters of RFC 3986, section 2.3. */
export function percentEncode(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += ENCODED[byte];
  return text;
}

/** Nothing in it needs encoding, and nothing is encoded. */
export const UNRESERVED = /^[A-Za-z0-9\-._~]*$/;

/**
 * As `URLSearchParams` reads it, `+` for a space included: two queries with one canonical form then mean the same to a
 * reader.
 */
function respell(text: string): string {
  return UNRESERVED.test(text) ? text : percentEncode(percentDecode(text.replaceAll('+', ' ')));
}

function hexByte(bytes: Uint8Array, at: number): number | undefined {
  const pair = String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0);
  return /^[0-9a-f]{2}$/i.test(pair) ? Number.parseInt(pair, 16) : undefined;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const PERCENT = 0x25;
const ENCODED = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return UNRESERVED.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});
