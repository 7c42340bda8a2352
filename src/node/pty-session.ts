import type { AgentSession } from '../agent/session.ts';
import type { Command } from './command.ts';
import { NodeError } from './error.ts';
import type { NodePty } from './node-pty.ts';
import { endProcessSession } from './process-session.ts';
import { PtyProcess } from './pty-process.ts';

/**
 * Runs a program in a pseudo-terminal that is the session's: input, output, size. A cancelled session ends the
 * program and everything started from it.
 *
 * @param type called with the terminal before any input of the client
 * @returns the exit status, after all output has been taken
 * @throws {NodeError} `ERR_SHELL_START`
 */
export async function runInTerminal(
  session: AgentSession,
  nodePty: NodePty,
  command: Command,
  type: (pty: PtyProcess) => Promise<void> = async () => {},
): Promise<number> {
  const output = new Output(session);
  const pty = start(nodePty, command, session, output);
  output.source = pty;

  let cancelled: Promise<void> | undefined;
  const cancel = () => {
    cancelled = endProcessSession(pty.pid);
  };
  session.signal.addEventListener('abort', cancel);
  if (session.signal.aborted) cancel();
  session.onResize((size) => pty.resize(size));
  void type(pty).then(() => forwardInput(session, pty));

  const exitCode = await pty.exited;
  session.signal.removeEventListener('abort', cancel);
  await Promise.all([cancelled, output.written]);
  return exitCode;
}

/** Before the client has told its own. */
const DEFAULT_SIZE = { cols: 80, rows: 24 };

function start(nodePty: NodePty, command: Command, session: AgentSession, output: Output): PtyProcess {
  try {
    return new PtyProcess(nodePty, command, session.size ?? DEFAULT_SIZE, (bytes) => output.push(bytes));
  } catch (cause) {
    throw new NodeError(
      'ERR_SHELL_START',
      `The shell ${command.program} could not be started in a terminal.`,
      { cause },
    );
  }
}

async function forwardInput(session: AgentSession, pty: PtyProcess): Promise<void> {
  for await (const bytes of session.input) await pty.write(bytes);
}

/** Output on its way to the client; the terminal is paused while more than a little waits. */
class Output {
  readonly #session: AgentSession;
  source: PtyProcess | undefined;
  #waiting = 0;
  #paused = false;
  /** Resolves when all output so far has been taken, or the session is over. */
  written: Promise<void> = Promise.resolve();

  constructor(session: AgentSession) {
    this.#session = session;
  }

  push(bytes: Uint8Array): void {
    this.#waiting += bytes.length;
    if (!this.#paused && this.#waiting > HIGH_WATER_MARK) {
      this.#paused = true;
      this.source?.pause();
    }
    const taken = () => {
      this.#waiting -= bytes.length;
      if (!this.#paused || this.#waiting > LOW_WATER_MARK) return;
      this.#paused = false;
      this.source?.resume();
    };
    // Once the session is over, what the shell still says is read and dropped, so that it can end.
    this.written = this.#session.write(bytes).then(taken, taken);
  }
}

/** Bytes. */
const HIGH_WATER_MARK = 262_144;
const LOW_WATER_MARK = 65_536;
