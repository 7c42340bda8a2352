import { execFile } from 'node:child_process';
import { accessSync, constants, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { NodeError } from './error.ts';

/** What a program of the operating system has said. */
export interface Answer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Where a program of the operating system is. Never looked for in a PATH: it is run as root, and a PATH may lead
 * to somebody else's.
 *
 * @param accept tells between programs of one name
 */
export function systemProgram(
  name: string,
  accept: (path: string) => boolean = () => true,
): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find((path) => isExecutable(path) && accept(path));
}

/** Whether this is one of the many names of BusyBox, whose programs know fewer options. */
export function isBusyBox(path: string): boolean {
  return basename(realpathSync(path)).startsWith('busybox');
}

/**
 * Runs a program of the operating system with a bare environment.
 *
 * @throws {NodeError} `ERR_SYSTEM_PROGRAM` when there is none, or it has not ended after ten seconds
 */
export function runSystemProgram(
  name: string,
  args: readonly string[],
  path: string | undefined = systemProgram(name),
): Promise<Answer> {
  if (path === undefined) {
    throw new NodeError('ERR_SYSTEM_PROGRAM', `There is no program ${name} in ${FOLDERS.join(', ')}.`);
  }
  const options = { cwd: '/', env: { PATH: FOLDERS.join(':'), LC_ALL: 'C' }, timeout: TIMEOUT };
  return new Promise((resolve, reject) => {
    execFile(path, args, options, (cause, stdout, stderr) => {
      const status = cause === null ? 0 : cause.code;
      if (typeof status === 'number') resolve({ status, stdout, stderr });
      else reject(new NodeError('ERR_SYSTEM_PROGRAM', `${name} did not answer.`, { cause }));
    });
  });
}

/** Where only root may write. */
const FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
/** Milliseconds. User databases may be on the network. */
const TIMEOUT = 10_000;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
