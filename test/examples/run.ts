import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Finished {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly code: number | null;
}

/** Starts an example as a user does. Killed with the test. */
export function start(example: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, ['scripts/run.mjs', `examples/${example}`, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** Collects what a process prints until it ends. */
export async function finished(child: ChildProcess): Promise<Finished> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr?.on('data', (bytes: Buffer) => stderr.push(bytes));
  const [code] = await once(child, 'close');
  return { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString(), code };
}

/** Runs an example with this input, to its end. */
export async function run(
  example: string,
  options: { args?: string[]; input?: string | Buffer; env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  const child = start(example, options.args, options.env);
  child.stdin?.on('error', () => {}); // it may end without reading all
  child.stdin?.end(options.input ?? '');
  return finished(child);
}

/** What an example needs of the environment to reach a world of the tests as their user. */
export function environmentOf(endpoint: string): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: 'AKIAUSER',
    AWS_SECRET_ACCESS_KEY: 'secret-of-the-user',
    AWS_SESSION_TOKEN: '',
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_SSM: endpoint,
  };
}
