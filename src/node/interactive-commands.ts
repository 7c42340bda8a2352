import type { SessionHandler } from '../agent/session.ts';
import { shellProperties } from '../agent/shell-properties.ts';
import { loadNodePty, type NodePty } from './node-pty.ts';
import { runInTerminal } from './pty-session.ts';
import { type CommandOptions, refuseRunAs, SHELL_PLATFORM, shellCommand, TERMINAL } from './shell.ts';

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
 * with {@link NodeError} `ERR_NODE_PTY_MISSING`, `ERR_SHELL_START` or `ERR_RUN_AS`.
 */
export function interactiveCommands(options: InteractiveCommandsOptions = {}): SessionHandler {
  return async (session) => {
    const { commands, runAsElevated } = shellProperties(session, SHELL_PLATFORM);
    if (!runAsElevated) refuseRunAs(session);
    const command = shellCommand({ ...options, shell: 'sh' }, TERMINAL);
    const nodePty = options.nodePty ?? (await loadNodePty());
    await session.handshake();
    const exitCode = await runInTerminal(session, nodePty, { ...command, args: ['-c', commands] });
    return { exitCode };
  };
}
