import type { SessionHandler } from '../agent/session.ts';
import { shellProperties } from '../agent/shell-properties.ts';
import { asUserInTerminal } from './as-user.ts';
import { loadNodePty, type NodePty } from './node-pty.ts';
import { runInTerminal } from './pty-session.ts';
import { sessionUser } from './session-user.ts';
import { type CommandOptions, elevatedHome, SHELL_PLATFORM, shellCommand, TERMINAL } from './shell.ts';

export interface InteractiveCommandsOptions extends CommandOptions {
  /** Default: the installed `@lydell/node-pty`. */
  readonly nodePty?: NodePty;
}

/**
 * A document's command in a pseudo-terminal: the handler for `InteractiveCommands`. `sh -c` runs the command, with
 * the client's keys as its input, control characters and all. Needs the optional peer dependency
 * `@lydell/node-pty`.
 *
 * Unlike AWS's agent it always does the handshake: a command that waits for input without a word would wait for
 * ever, since the client sends nothing before it has heard something (PROTOCOL.md sections 1.2 and 13).
 *
 * The session ends when the command does, with its exit status; a cancelled session ends the command and
 * everything started from it, by SIGHUP and then SIGKILL.
 *
 * The handler fails with `AgentError` `ERR_AGENT_START` for a document without a command for this platform, and
 * with `RunAsError` where it cannot run as it should, and with {@link NodeError} `ERR_NODE_PTY_MISSING`,
 * `ERR_SHELL_START` or `ERR_SYSTEM_PROGRAM`.
 */
export function interactiveCommands(options: InteractiveCommandsOptions = {}): SessionHandler {
  return async (session) => {
    const { commands, runAsElevated } = shellProperties(session, SHELL_PLATFORM);
    const nodePty = options.nodePty ?? (await loadNodePty());
    await session.handshake();
    const user = await sessionUser(session, options, runAsElevated);
    const variables = { ...TERMINAL, ...(runAsElevated && elevatedHome()) };
    const shell = await shellCommand({ ...options, shell: 'sh' }, user, variables);
    const command = { ...shell, args: ['-c', commands] };
    const exitCode = await runInTerminal(session, nodePty, user ? asUserInTerminal(command, user) : command);
    return { exitCode };
  };
}
