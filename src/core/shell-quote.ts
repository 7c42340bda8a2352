import { SessionError } from './errors.ts';

/**
 * Words as a command line that POSIX shells, and the word splitting of AWS's agent, read as exactly these words.
 *
 * Parameter tokens in them stay text: `{{` and `$$` are taken apart, for which the agent would look when it puts
 * the line into a session document (CONTROL-PLANE.md section 3.3).
 *
 * @throws {SessionError} `ERR_SESSION_ARGUMENT` for a NUL, which no command line can carry
 */
export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

function quoteWord(word: string): string {
  if (word.includes('\0')) {
    throw new SessionError('ERR_SESSION_ARGUMENT', 'A command line cannot carry a NUL character.');
  }
  if (PLAIN.test(word)) return word;
  const quoted = word.replaceAll("'", `'\\''`).replace(/\{(?=\{)|\$(?=\$)/g, "$&''");
  return `'${quoted}'`;
}

const PLAIN = /^[a-zA-Z0-9_@%+:,./-]+$/;
