import { HawserError } from '../base/error.ts';
import { ParameterError } from '../core/documents/error.ts';
import { KeyServiceError, type KeyServiceErrorCode, SignatureError } from '../crypto/index.ts';
import type { ServiceContext } from './context.ts';

/** An error to answer a request with. Its message goes to the caller. */
export class ApiError extends HawserError {
  /** As AWS names it: `TargetNotConnected`. */
  readonly awsCode: string;
  /** HTTP status. 400 for nearly everything (CONTROL-PLANE.md section 1.3). */
  readonly status: number;

  constructor(awsCode: string, message: string, status = 400) {
    super('ERR_API', message);
    this.awsCode = awsCode;
    this.status = status;
  }
}

/** What a caller may learn of any error: refusals as they are, everything else as `InternalServerError`. */
export function toApiError(error: unknown, { report }: Pick<ServiceContext, 'report'>): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof SignatureError) return new ApiError(error.awsCode, error.message, error.status);
  if (error instanceof ParameterError) return new ApiError('InvalidParameters', error.message);
  const keyException = error instanceof KeyServiceError && KEY_EXCEPTIONS[error.code];
  // KMS has no text for a ciphertext that it cannot decrypt.
  if (keyException) {
    return new ApiError(keyException, error.code === 'ERR_KEY_CIPHERTEXT' ? '' : error.message);
  }
  report(error);
  return new ApiError('InternalServerError', 'An error occurred on the server side.', 500);
}

/** As KMS names them. */
const KEY_EXCEPTIONS: Readonly<Partial<Record<KeyServiceErrorCode, string>>> = {
  ERR_KEY_ACCESS_DENIED: 'AccessDeniedException',
  ERR_KEY_NOT_FOUND: 'NotFoundException',
  ERR_KEY_UNUSABLE: 'DisabledException',
  ERR_KEY_MISMATCH: 'IncorrectKeyException',
  ERR_KEY_CIPHERTEXT: 'InvalidCiphertextException',
};
