import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bundle, root, runtimes } from './runtimes.ts';
import { world } from './world.ts';

const inCi = process.env.CI === 'true';
const cache = join(root, 'node_modules/.cache/hawser');

for (const runtime of runtimes) {
  const missing = !runtime.installed && !inCi;
  const name = `${runtime.name} runs sessions, encrypted ones too, and resumes them when the connection is cut`;

  test.skipIf(missing)(missing ? `${name} (skipped: not installed)` : name, async () => {
    const folder = temporaryFolder();
    const script = await bundle(runtime, folder);
    const { url, report, close } = await world(['end', 'reset', 'end'], readFileSync(script, 'utf8'));
    onTestFinished(close);
    const { child, printed, exited } = start(runtime.command({ url, script, folder }));
    onTestFinished(async () => {
      kill(child);
      await exited;
    });

    const died = exited.then((how) => ({ [`ended by itself with ${how}`]: printed.join('') }));
    const session = {
      events: ['ready', 'reconnecting', 'resumed', 'ended'],
      greeting: 'hello jané',
      counted: true,
      reason: 'CommandExited',
      exitCode: 3,
    };
    expect(await Promise.race([report, died])).toEqual({
      client: session,
      broker: session,
      encrypted: session,
      aesGcm: runtime.aesGcm,
      localKeys: true,
    });
    if (runtime.ends) expect(await exited).toBe('status 0');
    if (runtime.silent) expect(printed.join('')).toBe('');
  });
}

function temporaryFolder(): string {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'runtime-'));
  onTestFinished(() => rmSync(folder, { recursive: true, maxRetries: 5 }));
  return folder;
}

/** In a process group of its own: browsers are many processes. */
function start([command, ...args]: readonly [string, ...string[]]) {
  const child = spawn(command, args, { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => printed.push(`${text}`));
  const exited = once(child, 'close').then(
    ([status, signal]) => (signal ? `signal ${signal}` : `status ${status}`),
    (error: Error) => error.message,
  );
  return { child, printed, exited };
}

function kill({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
