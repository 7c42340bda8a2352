import { utf8 } from '../base/encoding.ts';
import { commandOutput, controlSignal } from './command-output.ts';
import type { AgentSession, SessionHandler } from './session.ts';
import { type ShellPlatform, type ShellProperties, shellProperties } from './shell-properties.ts';
import { splitWords } from './split-words.ts';
import {
  runVirtualCommand,
  type VirtualCommands,
  VirtualInterrupt,
  type VirtualIo,
} from './virtual-command.ts';
import { VirtualTerminal } from './virtual-terminal.ts';

export interface VirtualCommandsOptions {
  /** By name; anything else is "command not found", status 127. */
  readonly commands?: VirtualCommands;
  /** Which part of the document's properties counts. Default `linux`. */
  readonly platform?: ShellPlatform;
}

/**
 * Command sessions that run no programs, only what they are given, in any runtime: a handler for both
 * `InteractiveCommands` (in a terminal, with input) and `NonInteractiveCommands` (with pipes, without).
 *
 *     const run = virtualCommands({ commands: { uname: 'Linux\n' } });
 *     const handlers = { InteractiveCommands: run, NonInteractiveCommands: run };
 *
 * The document's command is split into words like a shell's (quotes, backslash), and is one command: `a; b` is
 * `a` with the words `;` and `b`. Its status ends the session. The handler fails with {@link AgentError}
 * `ERR_AGENT_START` for a document that AWS's agent would refuse, too.
 */
export function virtualCommands({
  commands = {},
  platform = 'linux',
}: VirtualCommandsOptions = {}): SessionHandler {
  return async (session) => {
    const properties = shellProperties(session, platform);
    const [name, ...args] = splitWords(properties.commands);
    if (name === undefined) return { exitCode: 0 };
    await session.handshake();
    const exitCode =
      session.sessionType === 'NonInteractiveCommands'
        ? await runWithPipes(session, properties, commands, name, args)
        : await new VirtualTerminal(session).run(commands, name, args);
    return { exitCode };
  };
}

async function runWithPipes(
  session: AgentSession,
  properties: ShellProperties,
  commands: VirtualCommands,
  name: string,
  args: readonly string[],
): Promise<number> {
  const output = commandOutput(session, properties);
  const command = new AbortController();
  const { signal } = command;
  session.signal.addEventListener('abort', () => command.abort(session.signal.reason));
  const to = (write: (bytes: Uint8Array) => Promise<void>) => async (text: string | Uint8Array) => {
    signal.throwIfAborted();
    await write(typeof text === 'string' ? utf8(text) : text);
  };
  const io: VirtualIo = {
    signal,
    session,
    readLine: async () => undefined,
    write: to(output.stdout),
    writeStderr: to(output.stderr),
  };
  void interrupts(session, command);
  const exitCode = await runVirtualCommand(commands, name, args, io);
  await output.exited(exitCode);
  return exitCode;
}

async function interrupts(session: AgentSession, command: AbortController): Promise<void> {
  for await (const bytes of session.input) {
    for (const byte of bytes) {
      const signal = controlSignal(byte);
      if (signal) command.abort(new VirtualInterrupt(signal));
    }
  }
}
