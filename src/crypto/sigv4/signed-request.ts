import type { PayloadDigest } from '../digest.ts';
import { type Authorization, type CredentialScope, parseAuthorization, TERMINATOR } from './authorization.ts';
import { canonicalRequest, foldWhitespace } from './canonical-request.ts';
import { formatAmzDate, parseAmzDate } from './date.ts';
import { invalidSignature, SignatureError } from './error.ts';
import { sha256Hex, stringToSign } from './signature.ts';

/** A request as it was received. A `Request` gives `method`, `new URL(url)`, `headers`, and its bytes. */
export interface ReceivedRequest {
  readonly method: string;
  readonly url: Pick<URL, 'host' | 'pathname' | 'search'>;
  /**
   * `Headers` do. They join repeated lines with `, ` where SigV4 joins with `,`: whoever must accept repeated
   * signed headers gives a `get` over the lines instead. (No client of Session Manager sends any.)
   */
  readonly headers: Pick<Headers, 'get'>;
  /** The whole body, empty for none. Its size must be bounded before it comes here. */
  readonly body: Uint8Array;
}

/** The one scope that is accepted, and the time. */
export interface ExpectedScope {
  readonly region: string;
  /** `ssm` for the API, `ssmmessages` for the message gateway. */
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface ReadOptions {
  /** Milliseconds, either way. */
  readonly maxClockSkew: number;
  readonly digest: PayloadDigest;
  readonly normalizePath: boolean;
}

/** A request whose signature is all that is left to check. */
export interface SignedRequest extends Authorization {
  /** What was signed, if the request is as its sender made it. */
  readonly stringToSign: string;
}

/**
 * Takes the signature out of a request, and makes what it should be the signature of.
 *
 * @throws {SignatureError} for a request that could not be good whatever its key
 */
export function readSignedRequest(
  request: ReceivedRequest,
  expected: ExpectedScope,
  { maxClockSkew, digest, normalizePath }: ReadOptions,
): SignedRequest {
  const authorization = readAuthorization(request);
  const amzDate = checkDate(request, expected.now, maxClockSkew);
  checkScope(authorization.scope, expected, amzDate);
  checkSignedHeaders(authorization, request);
  const payloadHash = hashBody(request, digest);
  const canonical = canonicalRequest(
    {
      method: request.method,
      path: request.url.pathname,
      query: request.url.search,
      headers: signedHeaders(authorization, request),
      payloadHash,
    },
    normalizePath,
  );
  return { ...authorization, stringToSign: stringToSign(canonical, amzDate, authorization.scope, digest) };
}

function readAuthorization(request: ReceivedRequest): Authorization {
  const header = request.headers.get('authorization');
  if (!header) {
    throw new SignatureError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  return parseAuthorization(header);
}

function checkDate(request: ReceivedRequest, now: number, limit: number): string {
  const amzDate = request.headers.get('x-amz-date');
  if (amzDate === null) {
    throw invalidSignature("The request has no 'X-Amz-Date' header. Send and sign one.");
  }
  const time = parseAmzDate(amzDate);
  if (time === undefined) {
    throw invalidSignature("Date in 'X-Amz-Date' must be in ISO-8601 'basic format', yyyymmddThhmmssZ.");
  }
  if (time < now - limit) {
    throw invalidSignature(
      `Signature expired: ${amzDate} is now earlier than ${formatAmzDate(now - limit)} (${skewText(now, '-', limit)})`,
    );
  }
  if (time > now + limit) {
    throw invalidSignature(
      `Signature not yet current: ${amzDate} is still later than ${formatAmzDate(now + limit)} (${skewText(now, '+', limit)})`,
    );
  }
  return amzDate;
}

/** Hashes what was received; what the client says of it can only be refused, never believed. */
function hashBody(request: ReceivedRequest, digest: PayloadDigest): string {
  const payloadHash = sha256Hex(request.body, digest);
  const stated = request.headers.get('x-amz-content-sha256');
  if (stated !== null && stated !== payloadHash) {
    throw invalidSignature("The 'x-amz-content-sha256' header does not match the body that was received.");
  }
  return payloadHash;
}

function checkScope(scope: CredentialScope, expected: ExpectedScope, amzDate: string): void {
  if (scope.terminator !== TERMINATOR) {
    throw invalidSignature(
      `Credential should be scoped with a valid terminator: '${TERMINATOR}', not '${scope.terminator}'.`,
    );
  }
  if (scope.service !== expected.service) {
    throw invalidSignature(`Credential should be scoped to correct service: '${expected.service}'.`);
  }
  if (scope.region !== expected.region) {
    throw invalidSignature(`Credential should be scoped to a valid region, not '${scope.region}'.`);
  }
  if (scope.date !== amzDate.slice(0, 8)) {
    throw invalidSignature(
      `Date in Credential scope does not match the day of 'X-Amz-Date': '${scope.date}' != '${amzDate.slice(0, 8)}'.`,
    );
  }
}

function checkSignedHeaders({ signedHeaders }: Authorization, request: ReceivedRequest): void {
  const required = ['host', 'x-amz-date'];
  // It names the operation: unsigned, a captured TerminateSession could be made a ResumeSession.
  if (request.headers.get('x-amz-target') !== null) required.push('x-amz-target');
  const missing = required.filter((name) => !signedHeaders.includes(name));
  if (missing.length > 0) {
    throw invalidSignature(`These headers must be in SignedHeaders and are not: ${missing.join(', ')}.`);
  }
}

function signedHeaders(authorization: Authorization, request: ReceivedRequest): [string, string][] {
  return authorization.signedHeaders.map((name) => {
    const value = request.headers.get(name) ?? framing(name, request);
    if (value === undefined) throw invalidSignature(`The signed header '${name}' is not in the request.`);
    // The bytes on the wire were signed; text that was made of other bytes has lost them.
    if (!/^[\x20-\x7e]*$/.test(foldWhitespace(value))) {
      throw invalidSignature(`The signed header '${name}' holds characters that are not printable ASCII.`);
    }
    return [name, value];
  });
}

/** Two headers that belong to the connection: some runtimes keep them out of `Request.headers`. */
function framing(name: string, request: ReceivedRequest): string | undefined {
  if (name === 'host') return request.url.host;
  if (name === 'content-length') return `${request.body.length}`;
  return undefined;
}

function skewText(now: number, sign: string, limit: number): string {
  return `${formatAmzDate(now)} ${sign} ${Number((limit / MINUTE).toFixed(2))} min.`;
}

const MINUTE = 60_000;

/** Milliseconds; as AWS documents. */
export const MAX_CLOCK_SKEW = 5 * MINUTE;
