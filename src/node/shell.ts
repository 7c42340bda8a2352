import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { AgentSession } from '../agent/session.ts';
import type { ShellPlatform } from '../agent/shell-properties.ts';
import { NodeError } from './error.ts';

/** What every program of a session can be told. */
export interface CommandOptions {
  /** Variables on top of this process's own; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: this process's own, as AWS's agent does. */
  readonly cwd?: string;
}

/** What shells of both kinds can be told. */
export interface ShellOptions extends CommandOptions {
  /** Program, run without arguments. Default `bash` where there is one, else `sh`. */
  readonly shell?: string;
}

/** What to start, and where. */
export interface Command extends Surroundings {
  readonly program: string;
  readonly args: readonly string[];
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** What terminals of sessions are, to the programs in them. */
export const TERMINAL = { TERM: 'xterm-256color' };

/** The part of a document's properties that is meant for this machine. */
export const SHELL_PLATFORM: ShellPlatform =
  process.platform === 'darwin' ? 'macos' : process.platform === 'win32' ? 'windows' : 'linux';

/**
 * @param variables set over this process's own, under those of the options
 * @throws {NodeError} `ERR_SHELL_START`
 */
export function shellCommand(
  options: ShellOptions,
  variables: Readonly<Record<string, string>> = {},
): Command {
  const { env, cwd } = surroundings(options, variables);
  const shells = options.shell === undefined ? ['bash', 'sh'] : [options.shell];
  const program = shells.find((shell) => findProgram(shell, env.PATH) !== undefined);
  if (program === undefined) throw unstartable(`there is no program ${shells.at(-1)}`);
  return { program, args: [], env, cwd };
}

/** @throws {NodeError} `ERR_SHELL_START` when the folder does not exist */
export function surroundings(
  options: CommandOptions,
  variables: Readonly<Record<string, string>> = {},
): Surroundings {
  const own = { ...process.env };
  for (const name of OF_OTHER_TERMINALS) delete own[name];
  const given = { LANG: 'C.UTF-8', ...own, ...variables, ...options.env };
  const env = Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const { cwd = process.cwd() } = options;
  if (!existsSync(cwd)) throw unstartable(`the folder ${cwd} does not exist`);
  return { cwd, env };
}

/** Said of the terminal that the agent itself may run in; a shell in another one would believe them. */
const OF_OTHER_TERMINALS = ['TMUX', 'TMUX_PANE', 'STY', 'WINDOW', 'WINDOWID', 'TERMCAP', 'COLUMNS', 'LINES'];

/**
 * Where a program is, by the rules of shells: a name with a slash is a path, any other is looked for in `path`.
 * Looked for here, since a terminal would start with a program that is not there, and end without a word.
 */
export function findProgram(name: string, path = ''): string | undefined {
  if (name.includes('/')) return isExecutable(name) ? name : undefined;
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/**
 * Running as the agent's user where another was asked for would hand out the wrong rights.
 *
 * @throws {NodeError} `ERR_RUN_AS`
 */
export function refuseRunAs({ inputs }: AgentSession): void {
  if (inputs.runAsEnabled !== true && inputs.runAsEnabled !== 'true') return;
  throw new NodeError(
    'ERR_RUN_AS',
    'The session document asks for another operating-system user (runAsEnabled), which this agent cannot do yet.',
  );
}

function unstartable(why: string): NodeError {
  return new NodeError('ERR_SHELL_START', `The shell cannot be started: ${why}.`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
