import type { Writable } from 'node:stream';
import type { AgentSession, SessionHandler } from '../agent/session.ts';
import { shellProfile } from '../agent/shell-profile.ts';
import { utf8 } from '../base/encoding.ts';
import { asUser } from './as-user.ts';
import { NodeError } from './error.ts';
import { PipedProcess } from './piped-process.ts';
import { Unquoter } from './quoting.ts';
import { sessionUser } from './session-user.ts';
import { SHELL_PLATFORM, type ShellOptions, shellCommand } from './shell.ts';

/**
 * A real shell with pipes instead of a terminal, for scripts: what it prints to stdout is `Output`, byte for
 * byte, stderr comes apart as `StdErr`; no prompt, no echo. Needs no native code.
 *
 * Its input is read as a terminal driver reads it: 0x04 (Ctrl-D) is the end of input, 0x16 (Ctrl-V) takes the
 * next byte as it is. `attachPipes` writes it so. Like `ssh` without a terminal, the session ends when the
 * shell has ended and nobody holds its output open any more; the result is the shell's exit status.
 *
 * The document's `shellProfile.linux` is its first input.
 *
 * The handler fails with `AgentError` `ERR_AGENT_START` for preferences of the wrong shape, with `RunAsError` where
 * the shell cannot run as it should, and with {@link NodeError} `ERR_SHELL_START` or `ERR_SYSTEM_PROGRAM`.
 */
export function pipeShell(options: ShellOptions = {}): SessionHandler {
  return async (session) => {
    // It says nothing of its own accord, and the client would wait for a first word before it sends input.
    await session.handshake();
    const shell = await start(options, session);
    void feed(session, shell.stdin, utf8(shellProfile(session.inputs, SHELL_PLATFORM)));
    const exitCode = await shell.run(session, {
      stdout: (bytes) => session.write(bytes),
      stderr: (bytes) => session.writeStderr(bytes),
    });
    return { exitCode };
  };
}

async function start(options: ShellOptions, session: AgentSession): Promise<PipedProcess> {
  const user = await sessionUser(session, options);
  const shell = await shellCommand(options, user);
  const command = user ? asUser(shell, user) : shell;
  try {
    return await PipedProcess.start(command, 'pipe');
  } catch (cause) {
    throw new NodeError('ERR_SHELL_START', `The shell ${shell.program} could not be started.`, { cause });
  }
}

async function feed(session: AgentSession, stdin: Writable, profile: Uint8Array): Promise<void> {
  const unquoter = new Unquoter();
  await write(stdin, profile);
  for await (const bytes of session.input) {
    if (unquoter.ended) continue;
    const plain = unquoter.push(bytes);
    await write(stdin, plain);
    if (unquoter.ended) stdin.end();
  }
  stdin.end();
}

async function write(stdin: Writable, bytes: Uint8Array): Promise<void> {
  // Called back when written, and also when it never will be.
  if (bytes.length > 0) await new Promise((resolve) => stdin.write(bytes, resolve));
}
