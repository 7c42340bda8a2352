import { utf8 } from '../../base/encoding.ts';
import type { Credentials } from '../credentials.ts';
import { type PayloadDigest, sha256Digest } from '../digest.ts';
import { equalBytes } from '../equal.ts';
import type { PathEncoding } from './canonical-request.ts';
import { invalidSignature, SIGNATURE_MISMATCH, SignatureError, unrecognized } from './error.ts';
import { signature } from './signature.ts';
import {
  type ExpectedScope,
  MAX_CLOCK_SKEW,
  type ReadOptions,
  type ReceivedRequest,
  readSignedRequest,
} from './signed-request.ts';
import { SigningKeyCache } from './signing-key-cache.ts';

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
  /** Default `normal`. */
  readonly pathEncoding?: PathEncoding;
  /** Whether a body may be left unsigned (`UNSIGNED-PAYLOAD`), as S3 allows. Default false. */
  readonly unsignedPayload?: boolean;
  /**
   * Whether the session token of a presigned URL is signed with the rest of the query. Default true; a few services
   * (IoT) have it added after signing. It must be the right one either way.
   */
  readonly signedSessionToken?: boolean;
}

/**
 * Checks AWS Signature Version 4 in both of its forms, as a service: in the `Authorization` header, and in the query of
 * a presigned URL. A request with both is refused, as AWS does.
 *
 * The list of signed headers is the client's, as every SDK signs another one, but `host` and `x-amz-date` (which the
 * query form has in the query) must be in it, and so must `x-amz-target` when the request has one (CONTROL-PLANE.md
 * section 1.1). The body is always hashed here. A good request can be replayed while its date is within the skew, or
 * until the presigned URL expires: SigV4 has no nonce.
 *
 * An unknown access key is told from a wrong signature by its error, as at AWS, so nothing tries to hide it
 * in the timing; signatures and tokens are compared in constant time.
 */
export class SignatureVerifier<T extends KeyRecord = KeyRecord> {
  readonly #lookup: SignatureVerifierOptions<T>['lookup'];
  readonly #options: ReadOptions;
  readonly #signingKeys: SigningKeyCache;

  constructor({ lookup, maxSigningKeys = 1000, ...options }: SignatureVerifierOptions<T>) {
    const { digest = sha256Digest } = options;
    this.#lookup = lookup;
    this.#options = {
      maxClockSkew: options.maxClockSkew ?? MAX_CLOCK_SKEW,
      digest,
      pathEncoding: options.pathEncoding ?? 'normal',
      unsignedPayload: options.unsignedPayload ?? false,
      signedSessionToken: options.signedSessionToken ?? true,
    };
    this.#signingKeys = new SigningKeyCache(maxSigningKeys, digest);
  }

  /**
   * The record of the access key that signed the request.
   *
   * @throws {SignatureError} saying what to answer
   */
  async verify(request: ReceivedRequest, expected: ExpectedScope): Promise<T> {
    const signed = readSignedRequest(request, expected, this.#options);
    const { accessKeyId, scope, stringToSign, signature: given, sessionToken } = signed;
    const key = await this.#lookup(accessKeyId);
    // A host that looks keys up in a plain object finds `constructor` there, which is no record of a key.
    if (typeof key?.secretAccessKey !== 'string' || key.secretAccessKey === '') throw unrecognized();
    const signingKey = this.#signingKeys.get(accessKeyId, key.secretAccessKey, scope);
    const correct = signature(signingKey, stringToSign, this.#options.digest);
    if (!HEX_SIGNATURE.test(given) || !equalBytes(utf8(correct), utf8(given))) {
      throw invalidSignature(SIGNATURE_MISMATCH);
    }
    checkToken(key, sessionToken);
    checkExpiration(key, expected.now);
    return key;
  }
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

const HEX_SIGNATURE = /^[0-9a-f]{64}$/;
