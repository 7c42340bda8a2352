/**
 * The root of every error that hawser throws or reports.
 *
 * `code` is stable and meant for programs; `message` is for people: it says what happened, to whom, and what
 * to do next. Neither ever carries a credential, a token or session data. The cause is kept in `cause`.
 */
export class HawserError extends Error {
  /** Stable, upper-case identifier, for example `ERR_MESSAGE_DIGEST`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}
