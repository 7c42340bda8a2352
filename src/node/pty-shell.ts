import type { SessionHandler } from '../agent/session.ts';
import { shellProfile } from '../agent/shell-profile.ts';
import { asUserInTerminal } from './as-user.ts';
import { loadNodePty, type NodePty } from './node-pty.ts';
import { runInTerminal } from './pty-session.ts';
import { sessionUser } from './session-user.ts';
import { SHELL_PLATFORM, type ShellOptions, shellCommand, TERMINAL } from './shell.ts';
import { typedProfile } from './typed-profile.ts';

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
 * The handler fails with `AgentError` `ERR_AGENT_START` for preferences of the wrong shape, with `RunAsError` where
 * the shell cannot run as it should, and with {@link NodeError} `ERR_NODE_PTY_MISSING`, `ERR_SHELL_START` or
 * `ERR_SYSTEM_PROGRAM`.
 */
export function ptyShell(options: PtyShellOptions = {}): SessionHandler {
  return async (session) => {
    const nodePty = options.nodePty ?? (await loadNodePty());
    const profile = typedProfile(shellProfile(session.inputs, SHELL_PLATFORM));
    const user = await sessionUser(session, options);
    const shell = await shellCommand(options, user, { ...TERMINAL, ...profile.variables });
    const command = user ? asUserInTerminal(shell, user) : shell;
    const exitCode = await runInTerminal(session, nodePty, command, (pty) => pty.write(profile.typed));
    return { exitCode };
  };
}
