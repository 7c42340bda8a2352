import {
  HeaderLines,
  type ReceivedRequest,
  SignatureError,
  SignatureVerifier,
} from '../../src/crypto/index.ts';

/** A signed request as it is on the wire, with what it takes to verify it. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  /** Without its `?`. */
  readonly query: string;
  readonly lines: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  readonly expected: { readonly region: string; readonly service: string; readonly now: number };
}

export interface WireKey {
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** What else a test's verifier is told. */
export type WireOptions = Pick<
  ConstructorParameters<typeof SignatureVerifier>[0],
  'pathEncoding' | 'unsignedPayload' | 'digest'
>;

/** Of somebody else, whose secret is another. */
export const OTHER_ACCESS_KEY_ID = 'AKIAIOSFODNN8EXAMPLE';
/** Of nobody. */
export const UNKNOWN_ACCESS_KEY_ID = 'AKIANOBODY';
/** Of the one caller there is: a user's, and a role's. */
const ACCESS_KEY_IDS = ['AKIAIOSFODNN7EXAMPLE', 'ASIAIOSFODNN7EXAMPLE'];

/** Answers as `SignatureVerifier.verify` does, for the one caller there is. */
export function verifierOf(key: WireKey, options: WireOptions = {}) {
  const other = { ...key, secretAccessKey: 'the secret of another caller' };
  const verifier = new SignatureVerifier<WireKey>({
    lookup: (id) => (ACCESS_KEY_IDS.includes(id) ? key : id === OTHER_ACCESS_KEY_ID ? other : undefined),
    ...options,
  });
  return (request: WireRequest) => verifier.verify(received(request), request.expected);
}

/** Those of the requests that are not refused with a `SignatureError`, by name: there should be none. */
export async function notRefused(
  verify: (request: WireRequest) => Promise<unknown>,
  requests: Iterable<readonly [name: string, request: WireRequest]>,
): Promise<string[]> {
  const names: string[] = [];
  for (const [name, request] of requests) {
    const outcome = await verify(request).catch((reason: unknown) => reason);
    if (!(outcome instanceof SignatureError)) names.push(`${name}: ${outcome}`);
  }
  return names;
}

function received({ method, path, query, lines, body }: WireRequest): ReceivedRequest {
  return {
    method,
    // Behind a proxy the host of the URL is another, so that a missing Host header is noticed.
    url: { host: 'backend.invalid', pathname: path, search: query && `?${query}` },
    headers: new HeaderLines(lines),
    body,
  };
}
