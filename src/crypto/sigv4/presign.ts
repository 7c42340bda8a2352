import { utf8 } from '../../base/encoding.ts';
import { HawserError } from '../../base/error.ts';
import { UNSIGNED_PAYLOAD } from './payload-hash.ts';
import { canonicalQuery, percentEncode, type QueryParameter } from './query.ts';
import {
  headersToSign,
  pathToSign,
  queryToSign,
  type SignableRequest,
  type SignOptions,
} from './signable-request.ts';
import { MAX_EXPIRES, PARAMETERS, PAYLOAD_HASH_NAME, TOKEN_NAME } from './signature-form.ts';
import { smithySigner } from './smithy.ts';

export interface PresignOptions extends SignOptions {
  /** Seconds that the URL is good for, from `now` on: 1 to 604,800 (a week). */
  readonly expires: number;
  /**
   * Leaves the body out of the signature, for whoever does not know it yet. Default false. S3 takes presigned requests
   * no other way, unless `x-amz-content-sha256` is among the headers; APIs with JSON bodies do not take them so.
   */
  readonly unsignedPayload?: boolean;
}

/**
 * Signs a request with AWS Signature Version 4, query form: whoever has the URL can make the request until it expires.
 * For the upgrade of a WebSocket from where no headers can be set, and for links.
 *
 * The headers given are signed, too, and whoever makes the request must send them as they are; nothing of them goes into
 * the query.
 *
 * @returns the URL. It is a secret: it holds signature and session token
 * @throws {HawserError} `ERR_SIGN_REQUEST` when something could not be sent as it would be signed, as for
 * {@link signRequest}, or `expires` is out of range
 */
export async function presignRequest(request: SignableRequest, options: PresignOptions): Promise<string> {
  const { credentials, now, expires, pathEncoding = 'normal' } = options;
  if (!Number.isInteger(expires) || expires < 1 || expires > MAX_EXPIRES) {
    throw new HawserError(
      'ERR_SIGN_REQUEST',
      `expires must be a whole number of seconds from 1 to ${MAX_EXPIRES} (a week), not ${expires}.`,
    );
  }
  const { url } = request;
  const headers = headersToSign(request);
  const unhoistableHeaders = new Set(Object.keys(headers));
  const unsigned = options.unsignedPayload ? { [PAYLOAD_HASH_NAME]: UNSIGNED_PAYLOAD } : {};
  if (options.unsignedPayload) delete headers[PAYLOAD_HASH_NAME.toLowerCase()];
  const { query } = await smithySigner(options).presign(
    {
      method: request.method,
      protocol: url.protocol,
      hostname: url.host,
      path: pathToSign(request, pathEncoding),
      query: queryToSign(request),
      // The one header that the package is to move into the query: S3 reads it there, and so do we.
      headers: { ...headers, ...unsigned },
      body: request.body,
    },
    { signingDate: new Date(now), expiresIn: expires, unhoistableHeaders },
  );
  const added = PARAMETERS.flatMap((name): QueryParameter[] => {
    const value = name === TOKEN_NAME ? credentials.sessionToken : query?.[name];
    return typeof value === 'string' ? [[name, percentEncode(utf8(value))]] : [];
  });
  const own = url.search.replace(/^\?/, '');
  return `${url.protocol}//${url.host}${url.pathname || '/'}?${own && `${own}&`}${canonicalQuery(added)}`;
}
