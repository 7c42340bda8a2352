import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { ShellPlatform } from '../agent/shell-properties.ts';
import { mayEnter } from './as-user.ts';
import type { Command, Surroundings } from './command.ts';
import { ownEnvironment } from './environment.ts';
import { NodeError } from './error.ts';
import type { LocalUser } from './local-user.ts';
import { isRoot, type RunAsOptions } from './session-user.ts';

/** What every program of a session can be told. */
export interface CommandOptions extends RunAsOptions {
  /** Variables on top of this process's own; undefined takes one away. Another user's program gets these too. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: this process's own, as AWS's agent does; `/` for a user who may not enter that. */
  readonly cwd?: string;
}

/** What shells of both kinds can be told. */
export interface ShellOptions extends CommandOptions {
  /** Program, run without arguments. Default `bash` where there is one, else `sh`. */
  readonly shell?: string;
}

/** What terminals of sessions are, to the programs in them. */
export const TERMINAL = { TERM: 'xterm-256color' };

/** The part of a document's properties that is meant for this machine. */
export const SHELL_PLATFORM: ShellPlatform =
  process.platform === 'darwin' ? 'macos' : process.platform === 'win32' ? 'windows' : 'linux';

/** For a command that is `runAsElevated`, where the agent is root (CONTROL-PLANE.md section 3.5, rule 4). */
export function elevatedHome(): Readonly<Record<string, string>> {
  return isRoot() ? { HOME: process.platform === 'darwin' ? '/var/root' : '/root' } : {};
}

/**
 * @param user see {@link surroundings}
 * @throws {NodeError} `ERR_SHELL_START`
 */
export async function shellCommand(
  options: ShellOptions,
  user: LocalUser | undefined,
  variables: Readonly<Record<string, string>> = {},
): Promise<Command> {
  const { env, cwd } = await surroundings(options, user, variables);
  const shells = options.shell === undefined ? ['bash', 'sh'] : [options.shell];
  const program = shells.find((shell) => findProgram(shell, env.PATH) !== undefined);
  if (program === undefined) throw unstartable(`there is no program ${shells.at(-1)}`);
  return { program, args: [], env, cwd };
}

/**
 * @param user whom the program runs as; undefined for the agent's own
 * @param variables set over this process's own, under those of the options
 * @throws {NodeError} `ERR_SHELL_START` when the folder does not exist, or is closed to the user
 */
export async function surroundings(
  options: CommandOptions,
  user: LocalUser | undefined,
  variables: Readonly<Record<string, string>> = {},
): Promise<Surroundings> {
  const given = { ...ownEnvironment(user), ...variables, ...options.env };
  const env = Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return { cwd: await folderOf(options, user), env };
}

async function folderOf({ cwd }: CommandOptions, user: LocalUser | undefined): Promise<string> {
  const folder = resolve(cwd ?? '.');
  if (!existsSync(folder)) throw unstartable(`the folder ${folder} does not exist`);
  if (!user || (await mayEnter(user, folder))) return folder;
  // It would be a way in to what the folder's folder keeps from the user.
  if (cwd === undefined) return '/';
  throw unstartable(`${user.name} may not enter the folder ${folder}`);
}

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
