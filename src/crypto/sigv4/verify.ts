import { utf8 } from '../../base/encoding.ts';
import type { Credentials } from '../credentials.ts';
import { type PayloadDigest, sha256Digest } from '../digest.ts';
import { equalBytes } from '../equal.ts';
import { type Authorization, type CredentialScope, parseAuthorization, TERMINATOR } from './authorization.ts';
import { canonicalRequest, foldWhitespace } from './canonical-request.ts';
import { formatAmzDate, parseAmzDate } from './date.ts';
import { invalidSignature, SignatureError } from './error.ts';
import { sha256Hex, signature, stringToSign } from './signature.ts';
import { SigningKeyCache } from './signing-key-cache.ts';

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

/** What must be known of an access key. The record that was looked up may hold more, such as the principal. */
export type KeyRecord = Pick<Credentials, 'secretAccessKey' | 'sessionToken' | 'expiration'>;

export interface SignatureVerifierOptions<T extends KeyRecord> {
  /**
   * Finds the record of an access key; `undefined` when there is none. The id has 1 to 128 characters of
   * `[A-Za-z0-9_-]`. What it throws, {@link SignatureVerifier.verify} throws.
   */
  readonly lookup: (accessKeyId: string) => T | undefined | Promise<T | undefined>;
  /** How far `X-Amz-Date` may be off, either way, in milliseconds. Default 5 minutes, as AWS documents. */
  readonly maxClockSkew?: number;
  /** SHA-256 of body and canonical request. Default: portable, pure JavaScript. */
  readonly digest?: PayloadDigest;
  /** Signing keys kept, one for each access key, day and service. Default 1000. */
  readonly maxSigningKeys?: number;
  /** Resolve `.`, `..` and `//` in the path, as all services but S3 do. Default true. */
  readonly normalizePath?: boolean;
}

/**
 * Checks AWS Signature Version 4 in its header form (`Authorization`), as a service.
 *
 * The list of signed headers is the client's, as every SDK signs another one, but `host` and `x-amz-date` must
 * be in it, and so must `x-amz-target` when the request has one (CONTROL-PLANE.md section 1.1). The body is
 * always hashed here. A good request can be replayed while its date is within the skew: SigV4 has no nonce.
 *
 * An unknown access key is told from a wrong signature by its error, as at AWS, so nothing tries to hide it
 * in the timing; signatures and tokens are compared in constant time.
 */
export class SignatureVerifier<T extends KeyRecord = KeyRecord> {
  readonly #lookup: SignatureVerifierOptions<T>['lookup'];
  readonly #maxClockSkew: number;
  readonly #digest: PayloadDigest;
  readonly #signingKeys: SigningKeyCache;
  readonly #normalizePath: boolean;

  constructor(options: SignatureVerifierOptions<T>) {
    this.#lookup = options.lookup;
    this.#maxClockSkew = options.maxClockSkew ?? 5 * MINUTE;
    this.#digest = options.digest ?? sha256Digest;
    this.#signingKeys = new SigningKeyCache(options.maxSigningKeys ?? 1000);
    this.#normalizePath = options.normalizePath ?? true;
  }

  /**
   * The record of the access key that signed the request.
   *
   * @throws {SignatureError} saying what to answer
   */
  async verify(request: ReceivedRequest, expected: ExpectedScope): Promise<T> {
    const authorization = readAuthorization(request);
    const amzDate = this.#checkDate(request, expected.now);
    checkScope(authorization.scope, expected, amzDate);
    checkSignedHeaders(authorization, request);
    const payloadHash = this.#hashBody(request);
    const canonical = canonicalRequest(
      {
        method: request.method,
        path: request.url.pathname,
        query: request.url.search,
        headers: signedHeaders(authorization, request),
        payloadHash,
      },
      this.#normalizePath,
    );

    const key = await this.#lookup(authorization.accessKeyId);
    // A host that looks keys up in a plain object finds `constructor` there, which is no record of a key.
    if (typeof key?.secretAccessKey !== 'string' || key.secretAccessKey === '') throw unrecognized();
    const signingKey = this.#signingKeys.get(
      authorization.accessKeyId,
      key.secretAccessKey,
      authorization.scope,
    );
    const correct = signature(
      signingKey,
      stringToSign(canonical, amzDate, authorization.scope, this.#digest),
    );
    if (!equalBytes(utf8(correct), utf8(authorization.signature))) throw invalidSignature(MISMATCH);
    checkToken(key, request.headers.get('x-amz-security-token'));
    checkExpiration(key, expected.now);
    return key;
  }

  #checkDate(request: ReceivedRequest, now: number): string {
    const amzDate = request.headers.get('x-amz-date');
    if (amzDate === null) {
      throw invalidSignature("The request has no 'X-Amz-Date' header. Send and sign one.");
    }
    const time = parseAmzDate(amzDate);
    if (time === undefined) {
      throw invalidSignature("Date in 'X-Amz-Date' must be in ISO-8601 'basic format', yyyymmddThhmmssZ.");
    }
    const limit = this.#maxClockSkew;
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
  #hashBody(request: ReceivedRequest): string {
    const payloadHash = sha256Hex(request.body, this.#digest);
    const stated = request.headers.get('x-amz-content-sha256');
    if (stated !== null && stated !== payloadHash) {
      throw invalidSignature("The 'x-amz-content-sha256' header does not match the body that was received.");
    }
    return payloadHash;
  }
}

function readAuthorization(request: ReceivedRequest): Authorization {
  const header = request.headers.get('authorization');
  if (!header) {
    throw new SignatureError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  return parseAuthorization(header);
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

function checkToken(key: KeyRecord, token: string | null): void {
  if (!equalBytes(utf8(key.sessionToken ?? ''), utf8(token ?? ''))) throw unrecognized();
}

function checkExpiration(key: KeyRecord, now: number): void {
  if (key.expiration && key.expiration.getTime() <= now) {
    throw new SignatureError(
      'ExpiredTokenException',
      'The security token included in the request is expired',
    );
  }
}

function unrecognized(): SignatureError {
  return new SignatureError(
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  );
}

function skewText(now: number, sign: string, limit: number): string {
  return `${formatAmzDate(now)} ${sign} ${Number((limit / MINUTE).toFixed(2))} min.`;
}

const MINUTE = 60_000;

const MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
