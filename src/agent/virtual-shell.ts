import type { AgentSession, SessionHandler, SessionResult } from './session.ts';
import { splitWords } from './split-words.ts';
import type { VirtualCommands } from './virtual-command.ts';
import { VirtualTerminal } from './virtual-terminal.ts';

export interface VirtualShellOptions {
  /** Before each line. Default `$ `. */
  readonly prompt?: string;
  /** Said once, at the start. Default nothing. */
  readonly greeting?: string;
  /** By name. `exit` is built in; anything else is "command not found", status 127. */
  readonly commands?: VirtualCommands;
}

/**
 * A shell that runs no programs, only what it is given: for tests, demonstrations and consoles of one's own,
 * in any runtime. It echoes and edits lines like a terminal, splits words like a shell (quotes, backslash) and
 * ends with `exit [n]` or Ctrl-D.
 *
 *     const shell = virtualShell({
 *       commands: {
 *         uname: 'Linux\n',
 *         greet: async ([name], io) => {
 *           await io.write(`hello ${name}\n`);
 *           return name ? 0 : 1;
 *         },
 *       },
 *     });
 */
export function virtualShell(options: VirtualShellOptions = {}): SessionHandler {
  return (session) => run(options, session);
}

async function run(options: VirtualShellOptions, session: AgentSession): Promise<SessionResult> {
  const { greeting = '', prompt = '$ ', commands = {} } = options;
  // A shell without a word needs another way to tell the client that it may type.
  if (greeting === '' && prompt === '') await session.handshake();
  const terminal = new VirtualTerminal(session);
  await terminal.write(greeting);
  let status = 0;
  for (;;) {
    await terminal.write(prompt);
    const line = await terminal.readLine();
    if (line === undefined) return { exitCode: status };
    try {
      const [name, ...args] = splitWords(line);
      if (name === 'exit') return { exitCode: exitCode(args[0], status) };
      if (name !== undefined) status = await terminal.run(commands, name, args);
    } catch (error) {
      await terminal.write(`${(error as Error).message}\n`);
      status = MISUSED;
    }
  }
}

/** What shells answer to a line that they cannot read. */
const MISUSED = 2;

function exitCode(argument: string | undefined, status: number): number {
  if (argument === undefined) return status;
  return /^\d+$/.test(argument) ? Number(argument) & 0xff : MISUSED;
}
