import { orAborted } from '../core/deadline.ts';
import type { AgentSession } from './session.ts';

/** What a command prints, or a function that does it and answers the exit status; 0 when it answers nothing. */
export type VirtualCommand =
  | string
  // biome-ignore lint/suspicious/noConfusingVoidType: functions that end without a return are meant.
  | ((args: readonly string[], io: VirtualIo) => number | void | Promise<number | void>);

export type VirtualCommands = Readonly<Record<string, VirtualCommand>>;

/** A command's terminal, or its pipes. */
export interface VirtualIo {
  /** Shows text. In a terminal, its line feeds become CR LF, as a terminal driver makes them. Bytes go out as they are. */
  write(text: string | Uint8Array): Promise<void>;
  /** The same for error output: apart where the session keeps it apart, shown like all else in a terminal. */
  writeStderr(text: string | Uint8Array): Promise<void>;
  /** The next line that the user types, without its end; undefined at the end of input. */
  readLine(): Promise<string | undefined>;
  /** Aborted by Ctrl-C and when the session ends. */
  readonly signal: AbortSignal;
  readonly session: AgentSession;
}

/** Why a command is aborted while its session goes on. */
export class VirtualInterrupt extends Error {
  /** As shells tell it: 128 and the number of the signal. */
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGQUIT') {
    super(`Interrupted by ${signal}.`);
    this.exitCode = 128 + (signal === 'SIGINT' ? 2 : 3);
  }
}

/** Runs a command by its name, as a shell would. @returns the exit status, 0 to 255 */
export async function runVirtualCommand(
  commands: VirtualCommands,
  name: string,
  args: readonly string[],
  io: VirtualIo,
): Promise<number> {
  if (!Object.hasOwn(commands, name)) {
    await io.writeStderr(`${name}: command not found\n`);
    return NOT_FOUND;
  }
  const command = commands[name]!;
  const { signal } = io;
  try {
    if (typeof command === 'string') {
      await io.write(command);
      return 0;
    }
    return (await orAborted(Promise.resolve(command(args, io)), signal)) ?? 0;
  } catch (error) {
    if (signal.aborted) return signal.reason instanceof VirtualInterrupt ? signal.reason.exitCode : HUNG_UP;
    await io.writeStderr(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

/** What shells answer. */
const NOT_FOUND = 127;
const HUNG_UP = 129;
