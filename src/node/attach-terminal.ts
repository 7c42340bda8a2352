import { spawnSync } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Session } from '../core/session.ts';
import type { SessionEnd } from '../core/session-end.ts';
import { forwardInput, forwardOutput, type InputRules, unread } from './forward.ts';
import { forwardSignals } from './forward-signals.ts';

export interface AttachTerminalOptions extends StdioStreams {
  /**
   * Whether the signals SIGINT, SIGQUIT and SIGTSTP that this process gets reach the node as the keys Ctrl-C, Ctrl-\
   * and Ctrl-Z, which they stand for where there is no terminal in raw mode. Default false: they are the program's.
   */
  readonly signals?: boolean;
}

export interface StdioStreams {
  /** Default `process.stdin`. */
  readonly stdin?: Readable;
  /** Default `process.stdout`. */
  readonly stdout?: Writable;
  /** Default `process.stderr`. */
  readonly stderr?: Writable;
}

/**
 * Joins a session to the terminal of this process: keys and output as bytes, both ways no faster than the
 * other side takes them; the terminal in raw mode, its size told to the node and kept up. Ctrl-C overtakes
 * input that is still waiting. Resolves when the session is over and its output written; the terminal is then
 * as it was.
 *
 * Works without a terminal as well: `stdin` is then typed in as it is. After its end comes Ctrl-D, again and
 * again until the session is over: whatever reads there finds the end of its input, and one that falls between
 * two programs is lost (the terminal driver forgets it when a shell takes over).
 */
export async function attachTerminal(
  session: Session,
  options: AttachTerminalOptions = {},
): Promise<SessionEnd> {
  const {
    stdin = process.stdin,
    stdout = process.stdout,
    stderr = process.stderr,
    signals = false,
  } = options;
  const broken = () => void session.terminate();
  stdout.on('error', broken);
  stderr.on('error', unread);
  const stopSize = forwardSize(stdout, session);
  const restore = rawMode(stdin);
  const input = forwardInput(stdin, session, isTerminal(stdin) ? keys(session) : typed());
  const stopSignals = signals ? forwardSignals(session, input.send) : () => {};
  try {
    await Promise.all([forwardOutput(session.stdout, stdout), forwardOutput(session.stderr, stderr)]);
    return await session.ended;
  } finally {
    stopSignals();
    input.stop();
    restore();
    stopSize();
    stdout.off('error', broken);
    stderr.off('error', unread);
  }
}

/** The members of `tty.ReadStream` and `tty.WriteStream`; streams of another kind have none of them. */
interface Terminal {
  readonly fd?: number;
  readonly isTTY?: boolean;
  readonly isRaw?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  setRawMode?(raw: boolean): void;
}

function isTerminal(stream: Readable & Terminal): boolean {
  return stream.isTTY === true;
}

/** @returns a function that puts the terminal back; it is called when the process exits, if not before */
function rawMode(stdin: Readable & Terminal): () => void {
  if (!isTerminal(stdin) || stdin.isRaw) return () => {};
  stdin.setRawMode?.(true);
  leaveOutputAlone(stdin);
  const restore = () => {
    process.off('exit', restore);
    stdin.setRawMode?.(false);
  };
  process.on('exit', restore);
  return restore;
}

/**
 * Node's raw mode still turns each line feed of the output into CR LF, and breaks programs that move the cursor
 * straight down with it. The end of raw mode undoes this, too.
 */
function leaveOutputAlone({ fd }: Terminal): void {
  if (fd !== undefined) spawnSync('stty', ['-opost'], { stdio: [fd, 'ignore', 'ignore'] });
}

function forwardSize(stdout: Writable & Terminal, session: Session): () => void {
  const tell = () => {
    const { columns: cols, rows } = stdout;
    // Some terminals say 0 by 0 at first.
    if (cols && rows) session.resize({ cols, rows });
  };
  tell();
  stdout.on('resize', tell);
  return () => stdout.off('resize', tell);
}

const ETX = 0x03;
const LF = 0x0a;
const END_OF_INPUT = Uint8Array.of(0x04);
/** Milliseconds between two of them. */
const END_INTERVAL = 500;

function keys(session: Session): InputRules {
  return {
    map(bytes: Uint8Array) {
      if (bytes.length !== 1 || bytes[0] !== ETX) return bytes;
      session.interrupt();
      return undefined;
    },
    atEnd: () => END_OF_INPUT,
  };
}

function typed(): InputRules {
  let last = LF;
  return {
    map(bytes: Uint8Array) {
      last = bytes.at(-1) ?? last;
      return bytes;
    },
    // Within a line, Ctrl-D would not mean the end.
    atEnd() {
      const withinLine = last !== LF;
      last = LF;
      return withinLine ? Uint8Array.of(LF, ...END_OF_INPUT) : END_OF_INPUT;
    },
    repeatEnd: END_INTERVAL,
  };
}
