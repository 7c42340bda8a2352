import { utf8 } from '../../base/encoding.ts';
import type { Credentials } from '../credentials.ts';
import { type PayloadDigest, sha256Digest } from '../digest.ts';
import { equalBytes } from '../equal.ts';
import { invalidSignature, SIGNATURE_MISMATCH, SignatureError, unrecognized } from './error.ts';
import { signature } from './signature.ts';
import {
  type ExpectedScope,
  MAX_CLOCK_SKEW,
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
    this.#maxClockSkew = options.maxClockSkew ?? MAX_CLOCK_SKEW;
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
    const {
      accessKeyId,
      scope,
      stringToSign,
      signature: given,
    } = readSignedRequest(request, expected, {
      maxClockSkew: this.#maxClockSkew,
      digest: this.#digest,
      normalizePath: this.#normalizePath,
    });
    const key = await this.#lookup(accessKeyId);
    // A host that looks keys up in a plain object finds `constructor` there, which is no record of a key.
    if (typeof key?.secretAccessKey !== 'string' || key.secretAccessKey === '') throw unrecognized();
    const signingKey = this.#signingKeys.get(accessKeyId, key.secretAccessKey, scope);
    const correct = signature(signingKey, stringToSign);
    if (!equalBytes(utf8(correct), utf8(given))) throw invalidSignature(SIGNATURE_MISMATCH);
    checkToken(key, request.headers.get('x-amz-security-token'));
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
