import { HawserError } from '../../base/error.ts';

export type PortErrorCode =
  /** The far side could not connect to the destination. */
  | 'ERR_PORT_REFUSED'
  /** The connection was reset, or the session that carried it is over. */
  | 'ERR_PORT_RESET'
  /** The session takes no connection now: it carries one at a time, or as many as it may. */
  | 'ERR_PORT_BUSY'
  /** The session document is not for ports, or asks for something that this end cannot do. */
  | 'ERR_PORT_PROPERTIES';

/** What goes wrong with a forwarded connection or the session that carries it. */
export class PortError extends HawserError {
  declare readonly code: PortErrorCode;
  /** Why the far side could not connect, where it says so: for example `ECONNREFUSED`. */
  readonly reason: string | undefined;

  constructor(code: PortErrorCode, message: string, options: ErrorOptions & { reason?: string } = {}) {
    super(code, message, options);
    this.reason = options.reason;
  }
}
