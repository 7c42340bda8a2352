import type { AgentSession, SessionHandler } from '../agent/session.ts';
import { utf8 } from '../base/encoding.ts';
import { NodeError } from './error.ts';
import { loadNodePty, type NodePty } from './node-pty.ts';
import { endProcessSession } from './process-session.ts';
import { PtyProcess } from './pty-process.ts';
import { type ShellOptions, shellCommand } from './shell.ts';

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
    const output = new Output(session);
    const pty = start(nodePty, options, session, output);
    output.source = pty;

    let cancelled: Promise<void> | undefined;
    const cancel = () => {
      cancelled = endProcessSession(pty.pid);
    };
    session.signal.addEventListener('abort', cancel);
    if (session.signal.aborted) cancel();
    session.onResize((size) => pty.resize(size));
    void typeInput(session, pty);

    const exitCode = await pty.exited;
    session.signal.removeEventListener('abort', cancel);
    await Promise.all([cancelled, output.written]);
    return { exitCode };
  };
}

/** Before the client has told its own. */
const DEFAULT_SIZE = { cols: 80, rows: 24 };

function start(
  nodePty: NodePty,
  options: PtyShellOptions,
  session: AgentSession,
  output: Output,
): PtyProcess {
  const command = shellCommand(options, session, { TERM: 'xterm-256color' });
  try {
    return new PtyProcess(nodePty, command, session.size ?? DEFAULT_SIZE, (bytes) => output.push(bytes));
  } catch (cause) {
    throw new NodeError(
      'ERR_SHELL_START',
      `The shell ${command.program} could not be started in a terminal.`,
      {
        cause,
      },
    );
  }
}

async function typeInput(session: AgentSession, pty: PtyProcess): Promise<void> {
  const { linux = '' } = (session.inputs.shellProfile ?? {}) as { linux?: string };
  if (linux !== '') await pty.write(utf8(`${linux}\n`));
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
