import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A program of the test tree that runs in a process of its own, and talks to the test by messages. */
export interface Program {
  /** Killed with the test. */
  start(...args: string[]): ChildProcess;
}

/** Bundled once, from the sources. */
export async function program(entry: string): Promise<Program> {
  const outfile = `${ROOT}node_modules/.cache/hawser/${basename(entry)}.${process.pid}.mjs`;
  await build({
    entryPoints: [`${ROOT}${entry}`],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    tsconfig: `${ROOT}tsconfig.json`,
    logLevel: 'warning',
  });
  afterAll(() => rmSync(outfile));
  return {
    start(...args) {
      const child = fork(outfile, args, { execArgv: [] });
      onTestFinished(() => {
        child.kill('SIGKILL');
      });
      return child;
    },
  };
}

/** By `kill -9`. Resolves once it is gone, and all that it said has come. */
export async function killed(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}
