import { existsSync } from 'node:fs';
import { commandOutput, controlSignal } from '../agent/command-output.ts';
import type { AgentSession, SessionHandler } from '../agent/session.ts';
import { shellProperties } from '../agent/shell-properties.ts';
import { splitWords } from '../agent/split-words.ts';
import { utf8 } from '../base/encoding.ts';
import { asUser } from './as-user.ts';
import type { Command, Surroundings } from './command.ts';
import type { LocalUser } from './local-user.ts';
import { type PipedOutput, PipedProcess } from './piped-process.ts';
import { sessionUser } from './session-user.ts';
import {
  type CommandOptions,
  elevatedHome,
  findProgram,
  SHELL_PLATFORM,
  surroundings,
  TERMINAL,
} from './shell.ts';

/**
 * A document's command with pipes instead of a terminal and no input: the handler for `NonInteractiveCommands`. The
 * command is split into words and run without a shell, so `;`, `|`, `$x` and `*` are plain characters, unless it is
 * itself `sh -c '…'` (CONTROL-PLANE.md section 3.4).
 *
 * With `separateOutputStream`, stdout is `Output`, stderr `StdErr`, and the exit status follows as `ExitCode`;
 * without, both streams are one, in the order in which the command wrote (PROTOCOL.md section 10). AWS's agent sends
 * that only when the command has ended; this one sends it as it comes. The session's own exit status tells hawser's
 * clients in either case.
 *
 * Ctrl-C (0x03) and Ctrl-\ (0x1c) from the client are SIGINT and SIGQUIT to the command's process group; other
 * input is ignored. A program that does not exist is status 127, one that cannot be executed 126, with a word on
 * stderr, as shells say it. A cancelled session ends the command and everything started from it, by SIGHUP and
 * then SIGKILL.
 *
 * The handler fails with `AgentError` `ERR_AGENT_START` for a document without a command for this platform, or with
 * one that cannot be split, with `RunAsError` where it cannot run as it should, and with {@link NodeError}
 * `ERR_SHELL_START` or `ERR_SYSTEM_PROGRAM`.
 */
export function nonInteractiveCommands(options: CommandOptions = {}): SessionHandler {
  return async (session) => {
    const properties = shellProperties(session, SHELL_PLATFORM);
    const { runAsElevated, separateOutputStream } = properties;
    const words = splitWords(properties.commands);
    await session.handshake();
    const user = await sessionUser(session, options, runAsElevated);
    const variables = { ...TERMINAL, ...(runAsElevated && elevatedHome()) };
    const where = await surroundings(options, user, variables);
    const output = commandOutput(session, properties);
    const exitCode = await run(session, words, { ...where, user }, output, separateOutputStream);
    await output.exited(exitCode);
    return { exitCode };
  };
}

/** What shells answer. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

async function run(
  session: AgentSession,
  [name, ...args]: readonly string[],
  { user, ...where }: Surroundings & { readonly user: LocalUser | undefined },
  output: PipedOutput,
  apart: boolean,
): Promise<number> {
  if (name === undefined) return 0; // a comment alone
  const program = findProgram(name, where.env.PATH);
  if (program === undefined) {
    const exists = name.includes('/') && existsSync(name);
    await output.stderr(utf8(`${name}: ${exists ? 'permission denied' : 'command not found'}\n`));
    return exists ? NOT_EXECUTABLE : NOT_FOUND;
  }
  const plain = apart ? { program, args, ...where } : merged(program, args, where);
  const start = user ? asUser(plain, user) : plain;
  let command: PipedProcess;
  try {
    command = await PipedProcess.start(start, 'ignore');
  } catch {
    await output.stderr(utf8(`${name}: cannot be executed\n`));
    return NOT_EXECUTABLE;
  }
  void forwardSignals(session, command);
  return command.run(session, output);
}

/** Two pipes would lose the order between the streams; a shell can make them one, and then becomes the program. */
function merged(program: string, args: readonly string[], where: Surroundings): Command {
  return { program: 'sh', args: ['-c', 'exec "$@" 2>&1', 'sh', program, ...args], ...where };
}

async function forwardSignals(session: AgentSession, command: PipedProcess): Promise<void> {
  for await (const bytes of session.input) {
    for (const byte of bytes) {
      const signal = controlSignal(byte);
      if (signal) command.signal(signal);
    }
  }
}
