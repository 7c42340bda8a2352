import type { PayloadDigest } from '../digest.ts';
import { type Authorization, type CredentialScope, TERMINATOR } from './authorization.ts';
import { canonicalRequest, foldWhitespace, type PathEncoding } from './canonical-request.ts';
import { formatAmzDate, parseAmzDate } from './date.ts';
import { invalidSignature } from './error.ts';
import { payloadHashOf, UNSIGNED_PAYLOAD } from './payload-hash.ts';
import { parseQuery } from './query.ts';
import { stringToSign } from './signature.ts';
import { type FoundSignature, findSignature, type SignatureForm } from './signature-form.ts';

/** A request as it was received. A `Request` gives `method`, `new URL(url)`, `headers`, and its bytes. */
export interface ReceivedRequest {
  readonly method: string;
  /** A `URL` does, but it resolves `..` and encodes spaces: for `s3`, give the parts of the request line. */
  readonly url: Pick<URL, 'host' | 'pathname' | 'search'>;
  /**
   * `Headers` do. They join repeated lines with `, ` where SigV4 joins with `,`: whoever must accept repeated
   * signed headers gives {@link HeaderLines} instead. (No client of Session Manager sends any.)
   */
  readonly headers: Pick<Headers, 'get'>;
  /** The whole body, empty for none. Its size must be bounded before it comes here. */
  readonly body: Uint8Array;
}

/** The one scope that is accepted, the time, and where the signature may stand. */
export interface ExpectedScope {
  readonly region: string;
  /** `ssm` for the API, `ssmmessages` for the message gateway. */
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /**
   * Default both, as AWS's APIs take them. A presigned URL is a secret for as long as it is good, and URLs get into
   * logs: an endpoint whose clients all sign in the header should say `['header']`.
   */
  readonly forms?: readonly SignatureForm[];
}

export interface ReadOptions {
  /** Milliseconds, either way. */
  readonly maxClockSkew: number;
  readonly digest: PayloadDigest;
  readonly pathEncoding: PathEncoding;
  readonly unsignedPayload: boolean;
  readonly signedSessionToken: boolean;
}

/** A request whose signature is all that is left to check. */
export interface SignedRequest extends Authorization {
  /** What was signed, if the request is as its sender made it. */
  readonly stringToSign: string;
  readonly sessionToken: string | null;
}

/**
 * Takes the signature out of a request, and makes what it should be the signature of.
 *
 * @throws {SignatureError} for a request that could not be good whatever its key
 */
export function readSignedRequest(
  request: ReceivedRequest,
  expected: ExpectedScope,
  options: ReadOptions,
): SignedRequest {
  const { maxClockSkew, digest, pathEncoding, signedSessionToken } = options;
  const { forms = ['header', 'query'], now } = expected;
  const query = parseQuery(request.url.search);
  const found = findSignature(request, query, { forms, signedSessionToken });
  const { authorization, parameters, sessionToken } = found;
  const amzDate = checkDate(found, now, maxClockSkew);
  checkScope(authorization.scope, expected, amzDate);
  checkSignedHeaders(found, request);
  const canonical = canonicalRequest(
    {
      method: request.method,
      path: request.url.pathname,
      query: parameters,
      headers: signedHeaders(authorization, request),
      payloadHash: payloadHashOf(request, statedHash(found, options), options.unsignedPayload, digest),
    },
    pathEncoding,
  );
  return {
    ...authorization,
    sessionToken,
    stringToSign: stringToSign(canonical, amzDate, authorization.scope, digest),
  };
}

function statedHash(
  { payloadHash, expires }: FoundSignature,
  { pathEncoding, unsignedPayload }: ReadOptions,
): string | null {
  // S3 takes the body of a presigned request for unsigned where nothing is said of it, and its clients count on it.
  const unsaid = pathEncoding === 's3' && unsignedPayload && expires !== undefined ? UNSIGNED_PAYLOAD : null;
  return payloadHash ?? unsaid;
}

/** Good from its date, or from as long before as clocks may differ, and for as long after, or what the URL says. */
function checkDate({ amzDate, expires }: FoundSignature, now: number, skew: number): string {
  if (amzDate === null) {
    throw invalidSignature("The request has no 'X-Amz-Date' header. Send and sign one.");
  }
  const time = parseAmzDate(amzDate);
  if (time === undefined) {
    throw invalidSignature("Date in 'X-Amz-Date' must be in ISO-8601 'basic format', yyyymmddThhmmssZ.");
  }
  const life = expires === undefined ? skew : expires * 1000;
  if (time < now - life) {
    throw invalidSignature(
      `Signature expired: ${amzDate} is now earlier than ${formatAmzDate(now - life)} (${skewText(now, '-', life)})`,
    );
  }
  if (time > now + skew) {
    throw invalidSignature(
      `Signature not yet current: ${amzDate} is still later than ${formatAmzDate(now + skew)} (${skewText(now, '+', skew)})`,
    );
  }
  return amzDate;
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

function checkSignedHeaders(
  { authorization: { signedHeaders }, requiredHeaders }: FoundSignature,
  request: ReceivedRequest,
): void {
  const required = [...requiredHeaders];
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
