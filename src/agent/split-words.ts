import { AgentError } from './error.ts';

/**
 * The words of a command line, by the rules of AWS's agent (CONTROL-PLANE.md section 3.4): split at blanks and
 * line ends; '…' keeps everything, "…" everything but a backslash, which keeps the next character (outside '…'); a
 * word that begins with # begins a comment, up to the line's end. Nothing is expanded.
 *
 * @throws {AgentError} `ERR_AGENT_START` for a quote that is not closed, or a backslash at the end
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!;
    if (character === '\\' && quote !== "'") {
      i++;
      if (i === line.length) throw unsplittable('it ends in a backslash');
      word = (word ?? '') + line[i];
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
    } else if (BLANKS.includes(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '#' && word === undefined) {
      i = line.indexOf('\n', i);
      if (i < 0) break;
    } else word = (word ?? '') + character;
  }
  if (quote !== undefined) throw unsplittable(`a ${quote} is not closed`);
  if (word !== undefined) words.push(word);
  return words;
}

const BLANKS = ' \t\r\n';

function unsplittable(why: string): AgentError {
  return new AgentError('ERR_AGENT_START', `The command cannot be split into words: ${why}.`);
}
