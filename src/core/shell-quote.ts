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

/**
 * The same on one line, whatever is in the words: a service may refuse line ends in a parameter (CONTROL-PLANE.md
 * section 3.4, injection). Where there are any, a shell on the node puts them back.
 */
export function commandLine(words: readonly string[]): string {
  const line = quoteWords(words);
  if (!/[\r\n]/.test(line)) return line;
  const escaped = line.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return quoteWords(['sh', '-c', 'exec sh -c "$(printf %b "$1")"', 'sh', escaped]);
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
