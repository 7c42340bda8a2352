import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { AgentSession } from '../agent/session.ts';
import { NodeError } from './error.ts';

/** What shells of both kinds can be told. */
export interface ShellOptions {
  /** Program, run without arguments. Default `bash` where there is one, else `sh`. */
  readonly shell?: string;
  /** Variables on top of this process's own; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: this process's own, as AWS's agent does. */
  readonly cwd?: string;
}

export interface ShellCommand {
  readonly program: string;
  readonly env: Record<string, string>;
  readonly cwd: string;
}

/**
 * @param variables set over this process's own, under those of the options
 * @throws {NodeError} `ERR_RUN_AS`, `ERR_SHELL_START`
 */
export function shellCommand(
  options: ShellOptions,
  session: AgentSession,
  variables: Readonly<Record<string, string>> = {},
): ShellCommand {
  refuseRunAs(session);
  const own = { ...process.env };
  for (const name of OF_OTHER_TERMINALS) delete own[name];
  const given = { LANG: 'C.UTF-8', ...own, ...variables, ...options.env };
  const env = Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const { cwd = process.cwd() } = options;
  if (!existsSync(cwd)) throw unstartable(`the folder ${cwd} does not exist`);
  return { program: findShell(options.shell, env.PATH), cwd, env };
}

/** Said of the terminal that the agent itself may run in; a shell in another one would believe them. */
const OF_OTHER_TERMINALS = ['TMUX', 'TMUX_PANE', 'STY', 'WINDOW', 'WINDOWID', 'TERMCAP', 'COLUMNS', 'LINES'];

/** Looked for here, since a terminal would start with a program that is not there, and end without a word. */
function findShell(shell: string | undefined, path = ''): string {
  const folders = path.split(delimiter);
  const exists = (program: string) =>
    program.includes('/')
      ? isExecutable(program)
      : folders.some((folder) => isExecutable(join(folder, program)));
  const found = (shell === undefined ? ['bash', 'sh'] : [shell]).find(exists);
  if (found === undefined) throw unstartable(`there is no program ${shell ?? 'sh'}`);
  return found;
}

function unstartable(why: string): NodeError {
  return new NodeError('ERR_SHELL_START', `The shell cannot be started: ${why}.`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Running as the agent's user where another was asked for would hand out the wrong rights. */
function refuseRunAs({ inputs }: AgentSession): void {
  if (inputs.runAsEnabled !== true && inputs.runAsEnabled !== 'true') return;
  throw new NodeError(
    'ERR_RUN_AS',
    'The session document asks for another operating-system user (runAsEnabled), which this agent cannot do yet.',
  );
}
