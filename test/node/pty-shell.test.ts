import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import * as nodePty from '@lydell/node-pty';
import { attachTerminal, type NodePty, ptyShell } from 'hawser/node';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Collector, isAlive, world } from './world.ts';

/** A shell in a terminal, at its prompt `test> `; what it shows is collected. */
async function terminal(shell: 'bash' | 'sh', inputs?: Record<string, unknown>) {
  const { session, agent } = await world(ptyShell({ shell }), inputs);
  const stdin = new PassThrough();
  const screen = new Collector();
  const stdout = Object.assign(screen, { columns: 80, rows: 24 });
  const ended = attachTerminal(session, { stdin, stdout, stderr: new Collector() });
  const type = (text: string | Uint8Array) => stdin.write(text);
  // Quotes in the middle: the echo of what is typed must not be taken for what is meant.
  type("bind 'set enable-bracketed-paste off' 2>/dev/null; PS1='te''st> '\r");
  await screen.until('test> ');
  return { session, agent, screen, stdout, type, stdin, ended };
}

describe.each(['bash', 'sh'] as const)('ptyShell with %s', (shell) => {
  test('runs commands in a terminal, and ends with its exit status', async () => {
    const { screen, type, ended } = await terminal(shell);
    type('tty; echo $TERM $((6*7))\r');
    expect(await screen.until('xterm-256color 42\r\n')).toContain('/dev/pts/');
    type('exit 7\r');
    expect(await ended).toMatchObject({ reason: 'CommandExited', exitCode: 7 });
  });

  test('has the size of the client, and follows it', async () => {
    const { screen, stdout, type } = await terminal(shell);
    type('stty size\r');
    await screen.until('\r\n24 80\r\n');
    await screen.until('test> ');
    stdout.columns = 91;
    stdout.rows = 33;
    stdout.emit('resize');
    type('stty size\r');
    await screen.until('\r\n33 91\r\n');
  });

  test('ends at end of input with the status of the last command', async () => {
    const { type, stdin, ended } = await terminal(shell);
    type('(exit 3)\n');
    stdin.end();
    expect(await ended).toMatchObject({ exitCode: 3 });
  });

  test('is interrupted by Ctrl-C', async () => {
    const { screen, type } = await terminal(shell);
    // One process in the foreground: an interrupt between two would meet the shell itself.
    type(`sh -c 'echo star""ted; exec sleep 1000'\r`);
    await screen.until('started\r\n');
    type('\x03');
    await screen.until('test> ');
    type('echo status $?\r');
    await screen.until('status 130');
  });
});

describe('ptyShell', () => {
  test('passes bytes, so a character split over messages arrives whole', async () => {
    const { screen, type } = await terminal('bash');
    type("stty -echo; printf 'rea''dy\\n'; cat\r");
    await screen.until('ready\r\n');
    const bytes = Buffer.from('日本語 é\n');
    for (const byte of bytes) {
      type(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    await screen.until('日本語 é\r\n');
  });

  test('delivers a million bytes to the last one, though the shell ends at once', async () => {
    const { screen, type, ended } = await terminal('bash');
    type('seq 1 150000; exit 5\r');
    expect(await ended).toMatchObject({ exitCode: 5 });
    const lines = screen.text.split('\r\n');
    const from = lines.indexOf('1');
    expect(lines.slice(from, from + 150_000)).toEqual(Array.from({ length: 150_000 }, (_, i) => `${i + 1}`));
  });

  test('delivers the last output to a reader that comes late', async () => {
    const { session } = await world(ptyShell({ shell: 'sh', env: { PS1: '$ ' } }));
    const writer = session.stdin.getWriter();
    await writer.write(new TextEncoder().encode('stty -echo; seq 1 400000; exit 6\n'));
    await new Promise((resolve) => session.once('ready', resolve));
    const output = await new Response(session.stdout as ReadableStream<Uint8Array<ArrayBuffer>>).text();
    expect(output.endsWith('399999\r\n400000\r\n')).toBe(true);
    expect(await session.ended).toMatchObject({ exitCode: 6 });
  });

  test('stops the terminal while the client does not read', async () => {
    let tell!: () => void;
    const paused = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const spawn = (...args: Parameters<NodePty['spawn']>) => {
      const pty = (nodePty as unknown as NodePty).spawn(...args);
      const pause = pty.pause.bind(pty);
      return Object.assign(pty, {
        pause() {
          tell();
          pause();
        },
      });
    };
    const { session } = await world(ptyShell({ shell: 'sh', nodePty: { spawn } }));
    await session.stdin.getWriter().write(new TextEncoder().encode('seq 1 700000; exit\n'));
    await paused;
    const output = await new Response(session.stdout as ReadableStream<Uint8Array<ArrayBuffer>>).text();
    expect(output.endsWith('\r\n700000\r\n')).toBe(true);
  });

  test('takes a large paste', async () => {
    const { screen, type } = await terminal('bash');
    type('stty raw -echo; echo rea""dy; head -c 2000000 | sha256sum; stty sane\r');
    await screen.until('ready');
    type(Buffer.alloc(2_000_000, 'paste '));
    expect(await screen.until('  -')).toContain(sha256(Buffer.alloc(2_000_000, 'paste ')));
  });

  test('types the profile of the document first', async () => {
    const { session } = await world(ptyShell({ shell: 'sh' }), {
      shellProfile: { linux: 'echo from the $((1+1))nd profile' },
    });
    const screen = new Collector();
    void attachTerminal(session, { stdin: new PassThrough(), stdout: screen });
    await screen.until('from the 2nd profile\r\n');
  });

  test('says how a shell ended that was killed by a signal', async () => {
    const { type, ended } = await terminal('bash');
    type('kill -KILL $$\r');
    expect(await ended).toMatchObject({ exitCode: 137 });
  });

  test('ends everything that was started from it when the session is terminated', async () => {
    const { screen, type, session, agent } = await terminal('sh');
    type(
      'sleep 1000 & nohup sleep 1001 >/dev/null 2>&1 & sleep 1002 | sleep 1003 & jobs -p; echo $$ do""ne\r',
    );
    const shown = await screen.until(' done\r\n');
    const pids = [...shown.matchAll(/^\d+/gm)].map(Number);
    expect(pids.length).toBeGreaterThanOrEqual(4);
    expect(pids.every(isAlive)).toBe(true);
    const ended = new Promise((resolve) => agent.once('sessionEnded', resolve));
    await session.terminate();
    await ended;
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('fails with a clear error when the shell or the folder does not exist', async () => {
    const shell = await world(ptyShell({ shell: 'no-such-shell' }));
    expect(await shell.session.ended).toMatchObject({
      reason: 'AgentFailure',
      message: 'The shell cannot be started: there is no program no-such-shell.',
    });
    const folder = await world(ptyShell({ cwd: '/no/such/folder' }));
    expect(await folder.session.ended).toMatchObject({
      reason: 'AgentFailure',
      message: 'The shell cannot be started: the folder /no/such/folder does not exist.',
    });
  });

  test('says what to install when node-pty is missing', async () => {
    vi.doMock('@lydell/node-pty', () => {
      throw new Error('Cannot find package');
    });
    onTestFinished(() => {
      vi.doUnmock('@lydell/node-pty');
    });
    const { session } = await world(ptyShell());
    expect(await session.ended).toMatchObject({
      reason: 'AgentFailure',
      message: expect.stringContaining('npm install @lydell/node-pty'),
    });
  });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
