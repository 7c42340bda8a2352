import { HawserError } from '../../base/error.ts';

/** The names under which AWS refuses a signature (CONTROL-PLANE.md section 1.4). */
export type SignatureErrorCode =
  /** The request carries no signature at all. */
  | 'MissingAuthenticationTokenException'
  /** The `Authorization` header, or what stands for it in the query, cannot be read. */
  | 'IncompleteSignatureException'
  /** The access key is unknown, or its session token is wrong, missing or one too many. */
  | 'UnrecognizedClientException'
  /** The temporary credentials are past their end. */
  | 'ExpiredTokenException'
  /** Everything else: signature, clock, scope, a header that should have been signed. */
  | 'InvalidSignatureException';

/**
 * A request whose signature is refused. `code` is `ERR_SIGNATURE`; `awsCode` and `status` are what to answer.
 *
 * The message is fit to be sent to the caller: it holds no signature, canonical request or secret, and of the
 * request only what has passed the parser.
 */
export class SignatureError extends HawserError {
  /** The error code of AWS, for `__type` and `x-amzn-errortype`. */
  readonly awsCode: SignatureErrorCode;
  /** HTTP status of the answer. The JSON protocol of AWS uses 400 for all of these. */
  readonly status = 400;

  constructor(awsCode: SignatureErrorCode, message: string) {
    super('ERR_SIGNATURE', message);
    this.awsCode = awsCode;
  }
}

export function invalidSignature(message: string): SignatureError {
  return new SignatureError('InvalidSignatureException', message);
}

export function incomplete(message: string): SignatureError {
  return new SignatureError('IncompleteSignatureException', message);
}

/** The access key or its session token is not known. */
export function unrecognized(): SignatureError {
  return new SignatureError(
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  );
}

export const SIGNATURE_MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
