import { HawserError } from '../../base/error.ts';

/** Arguments that no session can be started with. `code` is `ERR_PLUGIN_ARGUMENTS`. */
export class PluginError extends HawserError {
  /** `usage`: it was not asked for a session. `start`: it was, and the session cannot be started. */
  readonly kind: 'usage' | 'start';

  constructor(kind: PluginError['kind'], message: string) {
    super('ERR_PLUGIN_ARGUMENTS', message);
    this.kind = kind;
  }
}

/** What went wrong, with the reason that lies below it: one line, for people. */
export function explain(error: Error): string {
  const { message, cause } = error;
  if (!(cause instanceof Error) || cause.message === '' || message.includes(cause.message)) return message;
  return `${message} (${explain(cause)})`;
}
