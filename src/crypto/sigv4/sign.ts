import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { HawserError } from '../../base/error.ts';
import type { Credentials } from '../credentials.ts';

/** A request to be signed. */
export interface SignableRequest {
  readonly method: string;
  /** Where it will be sent, query included. */
  readonly url: URL;
  /**
   * All of them are signed but those that the network may change, such as `user-agent`. `authorization`,
   * `date`, `x-amz-date` and `x-amz-security-token` are replaced. `host` is that of the URL when left out.
   */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface SignOptions {
  readonly credentials: Credentials;
  readonly region: string;
  /** `ssm` for the API, `ssmmessages` for the message gateway. */
  readonly service: string;
  /** Milliseconds since the epoch. The same request at the same second has the same signature. */
  readonly now: number;
}

/**
 * Signs a request with AWS Signature Version 4, header form.
 *
 * The answer is every header to send: those given, under lower-case names, and `host`, `x-amz-date`,
 * `authorization`, and `x-amz-security-token` for temporary credentials.
 *
 * @throws {HawserError} `ERR_SIGN_REQUEST` when a header could not be sent as it would be signed: a name given
 * twice, or characters other than printable ASCII
 */
export async function signRequest(
  request: SignableRequest,
  { credentials, region, service, now }: SignOptions,
): Promise<Record<string, string>> {
  const { url } = request;
  const headers: Record<string, string> = { host: url.host, ...lowerCase(request.headers) };
  // A retry may come with the headers of the last try, and with other credentials.
  delete headers['x-amz-security-token'];

  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
    region,
    service,
    sha256: Sha256,
    // `x-amz-content-sha256` is for S3; the services here hash the body they get.
    applyChecksum: false,
  });
  const signed = await signer.sign(
    {
      method: request.method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: queryOf(url),
      headers,
      body: request.body,
    },
    { signingDate: new Date(now) },
  );
  return signed.headers;
}

// Through maps, because a name may be `toString`, which every object has.

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  const lower = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (!HEADER_NAME.test(key)) throw unfit(name, 'its name is no HTTP header name');
    if (lower.has(key)) throw unfit(name, 'it is given twice; join the values with a comma');
    if (!HEADER_VALUE.test(value)) throw unfit(name, 'its value holds characters other than printable ASCII');
    lower.set(key, value);
  }
  return Object.fromEntries(lower);
}

function queryOf(url: URL): Record<string, string[]> {
  const query = new Map<string, string[]>();
  url.searchParams.forEach((value, name) => {
    query.set(name, [...(query.get(name) ?? []), value]);
  });
  return Object.fromEntries(query);
}

/** The value is left out of the message: it may be a secret. */
function unfit(name: string, why: string): HawserError {
  return new HawserError('ERR_SIGN_REQUEST', `The header ${JSON.stringify(name)} cannot be signed: ${why}.`);
}

const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;
