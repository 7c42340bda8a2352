import { AgentError } from '../agent/error.ts';
import { utf8 } from '../base/encoding.ts';

/** A profile in a form that a terminal takes. */
export interface TypedProfile {
  readonly typed: Uint8Array;
  /** Have to be in the shell's environment. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * A terminal drops, without a word, what is too much of one line, as long as the shell reads whole lines: a `sh` always
 * does, a `bash` until it has started. Such a line goes by the environment, and what is typed evaluates it.
 *
 * @param profile every line with its end
 * @throws {AgentError} `ERR_AGENT_START` for a line that is too long for that, too: 120 KB
 */
export function typedProfile(profile: string): TypedProfile {
  const variables: Record<string, string> = {};
  const typed = profile.split('\n').map((line) => {
    const { length } = utf8(line);
    if (length <= LINE_LIMIT) return line;
    if (length > VARIABLE_LIMIT) {
      throw new AgentError(
        'ERR_AGENT_START',
        `A line of the shell profile has ${length} bytes; a shell can be given ${VARIABLE_LIMIT}. Split it.`,
      );
    }
    const name = `SHELL_PROFILE_LINE_${Object.keys(variables).length + 1}`;
    variables[name] = line;
    return `eval "$${name}"`;
  });
  return { typed: utf8(typed.join('\n')), variables };
}

/** Bytes without the line end: MAX_CANON of macOS, and what Linux does (`N_TTY_BUF_SIZE`). */
const LINE_LIMIT = process.platform === 'darwin' ? 1_023 : 4_095;
/** Bytes; Linux takes 128 KiB, with the name. */
const VARIABLE_LIMIT = 120_000;
