import { base64, fromBase64, utf8 } from '../../base/encoding.ts';
import { type PayloadDigest, sha256Digest } from '../digest.ts';
import { verifyPss } from '../rsa/pss.ts';
import { parseRsaPublicKey } from '../rsa/public-key.ts';
import { ALGORITHM, TERMINATOR } from './authorization.ts';
import { canonicalRequest } from './canonical-request.ts';
import { formatAmzDate } from './date.ts';
import { invalidSignature, SIGNATURE_MISMATCH, unrecognized } from './error.ts';
import { parseQuery } from './query.ts';
import { headersToSign, type SignableRequest } from './signable-request.ts';
import { sha256Hex, stringToSign } from './signature.ts';
import {
  type ExpectedScope,
  MAX_CLOCK_SKEW,
  type ReceivedRequest,
  readSignedRequest,
} from './signed-request.ts';

/**
 * The key of a hybrid node: what it registers with, and asks for its role's credentials with (CONTROL-PLANE.md section
 * 2.8).
 */
export interface NodeKey {
  /** Base64 of the DER `SubjectPublicKeyInfo`, RSA. */
  readonly publicKey: string;
  /** RSASSA-PSS, SHA-256, with a salt of 32 bytes. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

export interface NodeSignOptions {
  /** `mi-…`; it stands where SigV4 has the access key id. */
  readonly instanceId: string;
  readonly key: NodeKey;
  readonly region: string;
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** SHA-256 of body and canonical request. Default: portable, pure JavaScript. */
  readonly digest?: PayloadDigest;
}

/**
 * Signs a request as hybrid nodes do: Signature Version 4 with an RSA signature in base64 in the place of the HMAC. All
 * headers that are given are signed; the hash of the body is sent and not signed, as AWS's agent does.
 *
 * @returns every header to send, under lower-case names
 * @throws {HawserError} `ERR_SIGN_REQUEST` when a header could not be sent as it would be signed, as for
 * {@link signRequest}
 */
export async function signWithNodeKey(
  request: SignableRequest,
  options: NodeSignOptions,
): Promise<Record<string, string>> {
  const { instanceId, key, region, service, now, digest = sha256Digest } = options;
  const { method, url, body = new Uint8Array() } = request;
  const amzDate = formatAmzDate(now);
  const { [PAYLOAD_HASH]: _, ...given } = headersToSign(request);
  const headers = Object.entries({ ...given, 'x-amz-date': amzDate }).sort(([a], [b]) => (a < b ? -1 : 1));
  const payloadHash = sha256Hex(body, digest);
  const query = parseQuery(url.search);
  const canonical = canonicalRequest({ method, path: url.pathname, query, headers, payloadHash });
  const scope = { date: amzDate.slice(0, 8), region, service, terminator: TERMINATOR };
  const signature = await key.sign(utf8(stringToSign(canonical, amzDate, scope, digest)));
  const credential = `${instanceId}/${scope.date}/${region}/${service}/${TERMINATOR}`;
  const names = headers.map(([name]) => name).join(';');
  return {
    ...Object.fromEntries(headers),
    [PAYLOAD_HASH]: payloadHash,
    authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${base64(signature)}`,
  };
}

const PAYLOAD_HASH = 'x-amz-content-sha256';

export interface NodeSignatureVerifierOptions<T extends { readonly publicKey: string }> {
  /**
   * Finds the record of a node by its id, or several while it changes its key; `undefined` when there is none. The id has
   * 1 to 128 characters of `[A-Za-z0-9_-]`. What it throws, {@link NodeSignatureVerifier.verify} throws.
   */
  readonly lookup: (instanceId: string) => Found<T> | Promise<Found<T>>;
  /** SHA-256 of body and canonical request. Default: portable, pure JavaScript. */
  readonly digest?: PayloadDigest;
  /** How far `X-Amz-Date` may be off, either way, in milliseconds. Default 5 minutes. */
  readonly maxClockSkew?: number;
}

type Found<T> = T | readonly T[] | undefined;

/** Checks the signatures of {@link signWithNodeKey} and of AWS's agent, as a service. */
export class NodeSignatureVerifier<T extends { readonly publicKey: string }> {
  readonly #lookup: NodeSignatureVerifierOptions<T>['lookup'];
  readonly #maxClockSkew: number;
  readonly #digest: PayloadDigest;

  constructor({
    lookup,
    digest = sha256Digest,
    maxClockSkew = MAX_CLOCK_SKEW,
  }: NodeSignatureVerifierOptions<T>) {
    this.#lookup = lookup;
    this.#digest = digest;
    this.#maxClockSkew = maxClockSkew;
  }

  /**
   * The record of the node that signed the request, with the key that it signed with.
   *
   * @throws {SignatureError} saying what to answer; `UnrecognizedClientException` for a node that is not known
   * @throws {HawserError} `ERR_PUBLIC_KEY` when the key of the record cannot be read
   */
  async verify(request: ReceivedRequest, expected: ExpectedScope): Promise<T> {
    const read = { ...expected, forms: ['header'] } as const;
    const { accessKeyId, stringToSign, signature } = readSignedRequest(request, read, {
      maxClockSkew: this.#maxClockSkew,
      digest: this.#digest,
      pathEncoding: 'normal',
      unsignedPayload: false,
      signedSessionToken: true,
    });
    const nodes = [(await this.#lookup(accessKeyId)) ?? []].flat() as T[];
    if (nodes.length === 0) throw unrecognized();
    const given = fromBase64(signature);
    const signed = utf8(stringToSign);
    const signer = nodes.find(
      ({ publicKey }) => given && verifyPss(parseRsaPublicKey(publicKey), signed, given, this.#digest),
    );
    if (!signer) throw invalidSignature(SIGNATURE_MISMATCH);
    return signer;
  }
}
