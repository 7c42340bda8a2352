import type { Writable } from 'node:stream';
import type { AgentSession, SessionHandler } from '../agent/session.ts';
import { NodeError } from './error.ts';
import { PipedProcess } from './piped-process.ts';
import { Unquoter } from './quoting.ts';
import { refuseRunAs, type ShellOptions, shellCommand } from './shell.ts';

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
    void feed(session, shell.stdin);
    const exitCode = await shell.run(session, {
      stdout: (bytes) => session.write(bytes),
      stderr: (bytes) => session.writeStderr(bytes),
    });
    return { exitCode };
  };
}

async function start(options: ShellOptions, session: AgentSession): Promise<PipedProcess> {
  refuseRunAs(session);
  const command = shellCommand(options);
  try {
    return await PipedProcess.start(command, 'pipe');
  } catch (cause) {
    throw new NodeError('ERR_SHELL_START', `The shell ${command.program} could not be started.`, { cause });
  }
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
