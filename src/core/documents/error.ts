import { HawserError } from '../../base/error.ts';

/** The parameters of a StartSession do not fit the document. AWS names it `InvalidParameters`. */
export class ParameterError extends HawserError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_PARAMETERS', message, options);
  }
}
