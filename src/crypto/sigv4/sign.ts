import {
  headersToSign,
  pathToSign,
  queryToSign,
  type SignableRequest,
  type SignOptions,
} from './signable-request.ts';
import { smithySigner } from './smithy.ts';

/**
 * Signs a request with AWS Signature Version 4, header form.
 *
 * The answer is every header to send: those given, under lower-case names, and `host`, `x-amz-date`,
 * `authorization`, `x-amz-security-token` for temporary credentials, and `x-amz-content-sha256` for the service `s3` (where the header
 * `x-amz-content-sha256: UNSIGNED-PAYLOAD` leaves the body unsigned).
 *
 * @throws {HawserError} `ERR_SIGN_REQUEST` when something could not be sent as it would be signed: a header given twice,
 * or with characters other than printable ASCII; a query that is not UTF-8, or is presigned already
 */
export async function signRequest(
  request: SignableRequest,
  options: SignOptions,
): Promise<Record<string, string>> {
  const { pathEncoding = 'normal', signedSessionToken = true, credentials, now } = options;
  const signed = await smithySigner(options).sign(
    {
      method: request.method,
      protocol: request.url.protocol,
      hostname: request.url.host,
      path: pathToSign(request, pathEncoding),
      query: queryToSign(request),
      headers: headersToSign(request),
      body: request.body,
    },
    { signingDate: new Date(now) },
  );
  const { sessionToken } = credentials;
  if (!sessionToken || signedSessionToken) return signed.headers;
  return { ...signed.headers, 'x-amz-security-token': sessionToken };
}
