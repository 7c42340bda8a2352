import { HawserError } from '../base/error.ts';

export type LocalKeyErrorCode =
  /** An alias that cannot be one, or is another key's. */
  'ERR_KEY_ALIAS';

/** A key cannot be made as asked for. */
export class LocalKeyError extends HawserError {
  declare readonly code: LocalKeyErrorCode;

  constructor(code: LocalKeyErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
