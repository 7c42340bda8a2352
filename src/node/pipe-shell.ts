import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { AgentSession, SessionHandler } from '../agent/session.ts';
import { NodeError } from './error.ts';
import { endProcessSession } from './process-session.ts';
import { Unquoter } from './quoting.ts';
import { type ShellOptions, shellCommand } from './shell.ts';

/**
 * A real shell with pipes instead of a terminal, for scripts: what it prints to stdout is `Output`, byte for
 * byte, stderr comes apart as `StdErr`; no prompt, no echo. Needs no native code.
 *
 * Its input is read as a terminal driver reads it: 0x04 (Ctrl-D) is the end of input, 0x16 (Ctrl-V) takes the
 * next byte as it is. `attachPipes` writes it so. Like `ssh` without a terminal, the session ends when the
 * shell has ended and nobody holds its output open any more; the result is the shell's exit status.
 *
 * The handler fails with {@link NodeError} `ERR_SHELL_START` or `ERR_RUN_AS`.
 */
export function pipeShell(options: ShellOptions = {}): SessionHandler {
  return async (session) => {
    // It says nothing of its own accord, and the client would wait for a first word before it sends input.
    await session.handshake();
    const shell = await start(options, session);

    let cancelled: Promise<void> | undefined;
    const cancel = () => {
      cancelled = endProcessSession(shell.pid!);
    };
    session.signal.addEventListener('abort', cancel);
    if (session.signal.aborted) cancel();
    void feed(session, shell.stdin);

    const exited = new Promise<number>((resolve) => {
      shell.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
    await Promise.all([
      copy(shell.stdout, (bytes) => session.write(bytes)),
      copy(shell.stderr, (bytes) => session.writeStderr(bytes)),
    ]);
    const exitCode = await exited;
    session.signal.removeEventListener('abort', cancel);
    await cancelled;
    return { exitCode };
  };
}

type Shell = ChildProcessByStdio<Writable, Readable, Readable>;

async function start(options: ShellOptions, session: AgentSession): Promise<Shell> {
  const { program, env, cwd } = shellCommand(options, session);
  // Detached: a process session of its own, which can be ended as one.
  const shell = spawn(program, [], { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  shell.stdin.on('error', () => {}); // EPIPE: the shell reads no more, which is its right
  await new Promise<void>((resolve, reject) => {
    shell.once('spawn', resolve);
    shell.once('error', (cause) => {
      reject(new NodeError('ERR_SHELL_START', `The shell ${program} could not be started.`, { cause }));
    });
  });
  return shell;
}

async function feed(session: AgentSession, stdin: Writable): Promise<void> {
  const unquoter = new Unquoter();
  for await (const bytes of session.input) {
    if (unquoter.ended) continue;
    const plain = unquoter.push(bytes);
    // Called back when written, and also when it never will be.
    if (plain.length > 0) await new Promise((resolve) => stdin.write(plain, resolve));
    if (unquoter.ended) stdin.end();
  }
  stdin.end();
}

/** Once the session is over, what the shell still says is read and dropped, so that it can end. */
async function copy(source: Readable, write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  for await (const bytes of source) await write(bytes as Uint8Array).catch(() => {});
}
