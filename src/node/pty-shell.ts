import type { AgentSession, SessionHandler } from '../agent/session.ts';
import { utf8 } from '../base/encoding.ts';
import { loadNodePty, type NodePty } from './node-pty.ts';
import type { PtyProcess } from './pty-process.ts';
import { runInTerminal } from './pty-session.ts';
import { refuseRunAs, type ShellOptions, shellCommand, TERMINAL } from './shell.ts';

export interface PtyShellOptions extends ShellOptions {
  /** Default: the installed `@lydell/node-pty`. */
  readonly nodePty?: NodePty;
}

/**
 * A real shell in a pseudo-terminal: the handler for `Standard_Stream`. Needs the optional peer dependency
 * `@lydell/node-pty`.
 *
 * `TERM` is `xterm-256color`, `LANG` is `C.UTF-8` if unset. The document's `shellProfile.linux` is typed in
 * first. The session ends when the shell does, with its exit status; a cancelled session ends the shell and
 * everything started from it, by SIGHUP and then SIGKILL.
 *
 * The handler fails with {@link NodeError} `ERR_NODE_PTY_MISSING`, `ERR_SHELL_START` or `ERR_RUN_AS`.
 */
export function ptyShell(options: PtyShellOptions = {}): SessionHandler {
  return async (session) => {
    const nodePty = options.nodePty ?? (await loadNodePty());
    refuseRunAs(session);
    const command = shellCommand(options, TERMINAL);
    const exitCode = await runInTerminal(session, nodePty, command, (pty) => typeProfile(session, pty));
    return { exitCode };
  };
}

async function typeProfile(session: AgentSession, pty: PtyProcess): Promise<void> {
  const { linux = '' } = (session.inputs.shellProfile ?? {}) as { linux?: string };
  if (linux !== '') await pty.write(utf8(`${linux}\n`));
}
