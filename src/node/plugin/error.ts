import { HawserError } from '../../base/error.ts';
import { isUntrusted } from '../certificates.ts';

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
  return someCause(error, isUntrusted) ? `${textOf(error)}. ${TRUST}` : textOf(error);
}

function textOf({ message, cause }: Error): string {
  if (!(cause instanceof Error) || cause.message === '' || message.includes(cause.message)) return message;
  return `${message} (${textOf(cause)})`;
}

function someCause(error: unknown, test: (error: Error) => boolean): boolean {
  return error instanceof Error && (test(error) || someCause(error.cause, test));
}

const TRUST =
  'An authority of your own is named by AWS_CA_BUNDLE: --ca-bundle and ca_bundle of a profile reach no plugin.';
