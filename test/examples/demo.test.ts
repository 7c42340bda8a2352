import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { spawn } from '@lydell/node-pty';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Collector, isAlive } from '../node/world.ts';
import { finished, ROOT, run, start } from './run.ts';

describe('the demo, with input from a pipe', () => {
  test('runs it: stdout is exactly what the shell prints, the exit status is its own', async () => {
    const { stdout, stderr, code } = await run('demo.ts', { input: 'echo $((6*7)); exit 3\n' });
    expect(stdout.toString()).toBe('42\n');
    expect(stderr).toBe('');
    expect(code).toBe(3);
  });

  test('ends at the end of input, with the status of the last command', async () => {
    const { stdout, stderr, code } = await run('demo.ts', { input: 'echo one; echo two >&2; (exit 9)' });
    expect(stdout.toString()).toBe('one\n');
    expect(stderr).toBe('two\n');
    expect(code).toBe(9);
  });

  test('passes millions of bytes in and out', async () => {
    const bytes = randomFillSync(Buffer.alloc(4_000_000));
    const { stdout, stderr, code } = await run('demo.ts', {
      input: Buffer.concat([Buffer.from('head -c 4000000 | sha256sum >&2; seq 1 300000; exit\n'), bytes]),
    });
    expect(stderr).toContain(createHash('sha256').update(bytes).digest('hex'));
    expect(code).toBe(0);
    expect(stdout.toString()).toBe(`${Array.from({ length: 300_000 }, (_, i) => i + 1).join('\n')}\n`);
  });

  test('stops when nobody reads its output any more', async () => {
    const child = start('demo.ts');
    child.stdin!.on('error', () => {});
    child.stdin!.write('yes\n');
    await once(child.stdout!, 'data');
    child.stdout!.destroy();
    const [code] = await once(child, 'exit');
    expect(code).not.toBeNull();
  });

  test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)(
    'leaves nothing behind when ended by %s',
    async (signal) => {
      const child = start('demo.ts');
      const stdout = new Collector();
      child.stdout!.pipe(stdout);
      child.stdin!.write('sleep 1000 & sleep 1001 & echo $$ $!; wait\n');
      const pids = (await stdout.until('\n')).trim().split(' ').map(Number);
      expect(pids.filter(isAlive)).toHaveLength(2);
      const done = finished(child);
      child.kill(signal);
      const { code } = await done;
      expect(code).toBe(128 + { SIGTERM: 15, SIGHUP: 1, SIGINT: 2 }[signal]);
      expect(pids.filter(isAlive)).toEqual([]);
    },
  );
});

describe('the demo, in a terminal', () => {
  function terminal() {
    const pty = spawn(process.execPath, ['scripts/run.mjs', 'examples/demo.ts'], {
      cwd: ROOT,
      cols: 80,
      rows: 24,
      env: process.env,
    });
    const screen = new Collector();
    pty.onData((text) => screen.write(text));
    const exited = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
    onTestFinished(() => pty.kill('SIGKILL'));
    return { pty, screen, exited };
  }

  test('is a shell: it runs commands, follows the window, takes Ctrl-C, passes on the exit status', async () => {
    const { pty, screen, exited } = terminal();
    await screen.until('leave it with exit or Ctrl-D');
    pty.write("PS1='te''st> '\r");
    await screen.until('test> ');
    pty.write('echo $((6*7)); stty size\r');
    await screen.until('42\r\n24 80\r\n');
    await screen.until('test> ');

    pty.resize(91, 33);
    pty.write(`while [ "$(stty size)" != "33 91" ]; do :; done; echo "resi""zed"\r`);
    await screen.until('resized\r\n');
    await screen.until('test> ');

    pty.write(`sh -c 'echo star""ted; exec sleep 1000'\r`);
    await screen.until('started\r\n');
    pty.write('\x03');
    await screen.until('test> ');
    pty.write('echo "status $?"\r');
    await screen.until('status 130\r\n');

    pty.write('exit 5\r');
    expect(await exited).toBe(5);
  });

  test('hands the terminal back as it was', async () => {
    const pty = spawn('sh', [], { cwd: ROOT, env: { ...process.env, PS1: '', NODE: process.execPath } });
    onTestFinished(() => pty.kill('SIGKILL'));
    const screen = new Collector();
    pty.onData((text) => screen.write(text));
    pty.write(
      'before=$(stty -g); "$NODE" scripts/run.mjs examples/demo.ts; echo "demo: $?"; [ "$(stty -g)" = "$before" ] && echo sa""me\r',
    );
    await screen.until('leave it with exit or Ctrl-D');
    pty.write('exit 6\r');
    await screen.until('demo: 6\r\n');
    await screen.until('same\r\n');
  });
});
