import type { CopyAnswer } from './copy-answers.ts';
import { CopyError, errorOf } from './copy-error.ts';
import { SessionError } from './errors.ts';
import type { SessionOptions } from './session.ts';
import type { SessionEnd } from './session-end.ts';

/** What copies in both directions can be told. */
export interface CopyOptions extends Omit<SessionOptions, 'size'> {
  /** A session document with a parameter `command`, and more parameters for it. Defaults at each direction. */
  readonly documentName?: string | undefined;
  readonly parameters?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** For the audit log: one line, 1 to 256 characters. */
  readonly reason?: string | undefined;
  /** Called as the copy goes on. */
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
}

export interface CopyProgress {
  /** Of the file, those of earlier tries included. For an upload, those that the node has written. */
  readonly bytes: number;
  /** Of the whole file, where it is known. */
  readonly total: number | undefined;
}

/** @throws {SessionError} `ERR_SESSION_ARGUMENT` */
export function checkPath(path: string): void {
  if (path !== '' && !path.includes('\0')) return;
  throw new SessionError('ERR_SESSION_ARGUMENT', 'A path on a node has at least one character, and no NUL.');
}

/** The words of a line that should come now. @throws {CopyError} what the node says instead */
export function expectLine(path: string, answer: CopyAnswer, name: string): readonly string[] {
  if (answer instanceof Uint8Array) throw unexpected(path);
  const [first, ...words] = answer;
  if (first === 'error') throw errorOf(path, words);
  if (first !== name) throw unexpected(path);
  return words;
}

/** @throws {CopyError} for what is no count */
export function countIn(path: string, word: string | undefined): number {
  const count = /^\d{1,16}$/.test(word ?? '') ? Number(word) : -1;
  if (!Number.isSafeInteger(count) || count < 0) throw unexpected(path);
  return count;
}

/** The session ended before the copy did. */
export function broken(path: string, { reason, message, error }: SessionEnd): CopyError {
  return new CopyError(
    'ERR_COPY_SESSION',
    path,
    `the session ended (${reason}) before all was there.${message && ` It said: ${message}`}`,
    error && { cause: error },
  );
}

function unexpected(path: string): CopyError {
  return new CopyError('ERR_COPY_FAILED', path, 'the node answered out of turn.');
}
