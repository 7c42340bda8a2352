import { HawserError } from '../base/error.ts';
import type { SessionEndReason } from './session-end.ts';

export type ExecErrorCode =
  /** `timeout` was over before the command was. */
  | 'ERR_EXEC_TIMEOUT'
  /** The command printed more than `maxBuffer`. */
  | 'ERR_EXEC_MAX_BUFFER'
  /** The node could not run the command, or not to its end. */
  | 'ERR_EXEC_FAILED'
  /** The session broke before the command had ended; `reason` says how. */
  | 'ERR_EXEC_SESSION'
  /** The session ended, and the exit status that was to be in the output never came. */
  | 'ERR_EXEC_NO_EXIT_CODE';

/** A command that did not come to its end. One that ended with a status other than 0 is no error. */
export class ExecError extends HawserError {
  declare readonly code: ExecErrorCode;
  /** How the session ended, where that is the trouble. */
  readonly reason: SessionEndReason | undefined;

  constructor(
    code: ExecErrorCode,
    message: string,
    options: ErrorOptions & { reason?: SessionEndReason } = {},
  ) {
    super(code, message, options);
    this.reason = options.reason;
  }
}
