import { fromUtf8, utf8 } from '../../base/encoding.ts';
import { HawserError } from '../../base/error.ts';
import type { Credentials } from '../credentials.ts';
import type { PayloadDigest } from '../digest.ts';
import { canonicalPath, type PathEncoding } from './canonical-request.ts';
import { trimHeader } from './header-lines.ts';
import { parseQuery, plainText } from './query.ts';
import { PARAMETERS } from './signature-form.ts';

/** A request to be signed. */
export interface SignableRequest {
  readonly method: string;
  /**
   * Where it will be sent, query included. A `URL` resolves `..` and encodes spaces: where a key of S3 has them, give
   * the parts as they will be sent.
   */
  readonly url: Pick<URL, 'protocol' | 'host' | 'pathname' | 'search'>;
  /**
   * All of them are signed but those that the network may change, such as `user-agent`. `authorization`,
   * `date`, `x-amz-date` and `x-amz-security-token` are replaced. `host` is that of the URL when left out.
   * A list is the lines of a repeated header; they are sent as one, with commas between.
   */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array;
}

export interface SignOptions {
  readonly credentials: Credentials;
  readonly region: string;
  /** `ssm` for the API, `ssmmessages` for the message gateway. */
  readonly service: string;
  /** Milliseconds since the epoch. The same request at the same second has the same signature. */
  readonly now: number;
  /** Default `normal`. */
  readonly pathEncoding?: PathEncoding;
  /** Whether the session token is signed with the rest. Default true; a few services (IoT) want it added afterwards. */
  readonly signedSessionToken?: boolean;
  /** SHA-256 to sign with. Default: portable, pure JavaScript. */
  readonly digest?: PayloadDigest;
}

/** Headers as they are signed and sent: lower-case names, lines joined, without those that signing makes. */
export function headersToSign({ url, headers }: SignableRequest): Record<string, string> {
  // Through a map, because a name may be `toString`, which every object has.
  const found = new Map([['host', url.host]]);
  const given = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (!HEADER_NAME.test(key)) throw unfitHeader(name, 'its name is no HTTP header name');
    if (given.has(key)) throw unfitHeader(name, 'it is given twice; give its lines in a list');
    given.add(key);
    const joined = [value].flat().map(unfold).join(',');
    if (!HEADER_VALUE.test(joined)) {
      throw unfitHeader(name, 'its value holds characters other than printable ASCII');
    }
    // A retry may come with the headers of the last try, and with other credentials.
    if (!MADE_BY_SIGNING.includes(key)) found.set(key, joined);
  }
  return Object.fromEntries(found);
}

/** The path for `@smithy/signature-v4`, which signs it as it is where it does not encode it. */
export function pathToSign({ url }: SignableRequest, pathEncoding: PathEncoding): string {
  const path = url.pathname || '/';
  if (!PATH.test(path) || fromUtf8(utf8(path)) !== path) {
    throw unfit(
      'The path',
      'it must begin with a slash and have no query, fragment or control character in it',
    );
  }
  return pathEncoding === 's3' ? canonicalPath(path, pathEncoding) : path;
}

/** The query for `@smithy/signature-v4`, taken apart. */
export function queryToSign({ url }: SignableRequest): Record<string, string[]> {
  const query = new Map<string, string[]>();
  for (const parameter of parseQuery(url.search)) {
    // The package takes text and would sign other bytes.
    const [name, value] = parameter.map(plainText);
    if (name === undefined || value === undefined) throw unfit('The query', 'it is not UTF-8');
    if (PARAMETERS.some((known) => known.toLowerCase() === name.toLowerCase())) {
      throw unfit('The query', `it has ${name} already; sign the URL without what presigning has added`);
    }
    query.set(name, [...(query.get(name) ?? []), value]);
  }
  return Object.fromEntries(query);
}

/** A folded line means one with a space there, and may be sent only so (RFC 9112, section 5.2). */
function unfold(line: string): string {
  return trimHeader(line.replace(/\r?\n[ \t]+/g, ' '));
}

function unfitHeader(name: string, why: string): HawserError {
  return unfit(`The header ${JSON.stringify(name)}`, why);
}

/** Values are left out of the message: they may be secrets. */
function unfit(what: string, why: string): HawserError {
  return new HawserError('ERR_SIGN_REQUEST', `${what} cannot be signed: ${why}.`);
}

const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;
const PATH = /^\/[^?#\p{Cc}]*$/u;
const MADE_BY_SIGNING = ['authorization', 'date', 'x-amz-date', 'x-amz-security-token'];
