import { HawserError } from '../base/error.ts';

export type CopyErrorCode =
  /** No such file, or no folder to put it into. */
  | 'ERR_COPY_MISSING'
  | 'ERR_COPY_PERMISSION'
  /** The path is a folder, a device, or anything else that is no plain file. */
  | 'ERR_COPY_NOT_A_FILE'
  | 'ERR_COPY_DISK_FULL'
  /** What arrived is not what was sent, or the file changed meanwhile. */
  | 'ERR_COPY_DIGEST'
  /** The node lacks a program that copying needs. */
  | 'ERR_COPY_TOOLS'
  /** The session ended before the copy was complete. Another try goes on where this one stopped. */
  | 'ERR_COPY_SESSION'
  /** The node could not do it for another reason, or answered what no copy answers. */
  | 'ERR_COPY_FAILED';

/** A file that was not copied. The message names the path on the node. */
export class CopyError extends HawserError {
  declare readonly code: CopyErrorCode;
  /** On the node. */
  readonly path: string;

  constructor(code: CopyErrorCode, path: string, message: string, options?: ErrorOptions) {
    super(code, `${JSON.stringify(path)} was not copied: ${message}`, options);
    this.path = path;
  }
}

/** What a script on the node says went wrong: `error <kind> <text of the system>`. */
export function errorOf(path: string, [kind = '', ...text]: readonly string[]): CopyError {
  const [code, words] = Object.hasOwn(KINDS, kind) ? KINDS[kind]! : KINDS.other!;
  const said = text.join(' ').trim().slice(0, MAX_TEXT);
  return new CopyError(code, path, `${words}${said && ` (${said})`}.`);
}

const KINDS: Readonly<Record<string, readonly [CopyErrorCode, string]>> = {
  missing: ['ERR_COPY_MISSING', 'there is no such file or folder on the node'],
  permission: ['ERR_COPY_PERMISSION', 'the session’s user on the node may not do that'],
  file: ['ERR_COPY_NOT_A_FILE', 'it is no plain file on the node'],
  full: ['ERR_COPY_DISK_FULL', 'the node has no space left for it'],
  digest: ['ERR_COPY_DIGEST', 'its SHA-256 on the node is not that of what was sent; try again'],
  tools: ['ERR_COPY_TOOLS', 'the node lacks a program for it'],
  other: ['ERR_COPY_FAILED', 'the node could not do it'],
};

/** Characters. */
const MAX_TEXT = 300;
