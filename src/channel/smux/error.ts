import { HawserError } from '../../base/error.ts';

export type SmuxErrorCode =
  /** The peer sent what is no frame of the agreed version. The session is over. */
  | 'ERR_SMUX_FRAME'
  /** As many streams are open as may be, or every id has been used. */
  | 'ERR_SMUX_STREAMS'
  /** The session is over. */
  | 'ERR_SMUX_CLOSED';

export class SmuxError extends HawserError {
  declare readonly code: SmuxErrorCode;

  constructor(code: SmuxErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
