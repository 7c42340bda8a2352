import { HawserError } from '../../base/error.ts';
import { EncryptionError } from '../../channel/encryption/error.ts';
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
  if (error instanceof EncryptionError && error.code === 'ERR_ENCRYPTION_NO_TARGET') return OLD_CLI;
  return someCause(error, isUntrusted) ? `${textOf(error)}. ${TRUST}` : textOf(error);
}

function textOf({ message, cause }: Pick<Error, 'message' | 'cause'>): string {
  if (!(cause instanceof Error)) return message;
  if (message.includes(cause.message)) return textOf({ message, cause: cause.cause });
  return `${message} (${textOf(cause)})`;
}

function someCause(error: unknown, test: (error: Error) => boolean): boolean {
  return error instanceof Error && (test(error) || someCause(error.cause, test));
}

/** The words of AWS's plugin. CLIs that hand over three arguments do not say which target they asked for. */
const OLD_CLI =
  'Installed version of CLI does not support Session Manager encryption feature. Please upgrade to the latest version of your CLI (e.g., AWS CLI).';
const TRUST =
  'An authority of your own is named by AWS_CA_BUNDLE: --ca-bundle and ca_bundle of a profile reach no plugin.';
