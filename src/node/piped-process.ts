import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { AgentSession } from '../agent/session.ts';
import type { Command } from './command.ts';
import { endProcessSession } from './process-session.ts';

/** Where the output of a program goes. Each piece is awaited, which is what holds the program back. */
export interface PipedOutput {
  stdout(bytes: Uint8Array): Promise<void>;
  stderr(bytes: Uint8Array): Promise<void>;
}

/** A program with pipes instead of a terminal, in a process session of its own, which can be ended as one. */
export class PipedProcess {
  readonly #child: ChildProcess;
  #over = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @throws the system's error when it cannot be started, for example `EACCES` */
  static async start({ program, args, env, cwd }: Command, stdin: 'pipe' | 'ignore'): Promise<PipedProcess> {
    const child = spawn(program, args, { cwd, env, detached: true, stdio: [stdin, 'pipe', 'pipe'] });
    child.stdin?.on('error', () => {}); // EPIPE: the program reads no more, which is its right
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    return new PipedProcess(child);
  }

  /** With `pipe`. */
  get stdin(): Writable {
    return this.#child.stdin!;
  }

  /** Sends a signal to the program and what runs in its process group, as a terminal does. */
  signal(signal: NodeJS.Signals): void {
    if (this.#over) return; // by now the number may be another's
    try {
      process.kill(-this.#child.pid!, signal);
    } catch {
      // Gone meanwhile.
    }
  }

  /**
   * Copies output until the program has ended and nobody holds its output open any more, like `ssh` without a
   * terminal. A cancelled session ends the program and everything started from it.
   *
   * @returns the exit status; 128 + n for a program ended by signal n, as shells do
   */
  async run(session: AgentSession, output: PipedOutput): Promise<number> {
    let cancelled: Promise<void> | undefined;
    const cancel = () => {
      cancelled = endProcessSession(this.#child.pid!);
    };
    session.signal.addEventListener('abort', cancel);
    if (session.signal.aborted) cancel();

    const exited = this.#exited();
    await Promise.all([
      copy(this.#child.stdout!, (bytes) => output.stdout(bytes)),
      copy(this.#child.stderr!, (bytes) => output.stderr(bytes)),
    ]);
    const exitCode = await exited;
    this.#over = true;
    session.signal.removeEventListener('abort', cancel);
    await cancelled;
    return exitCode;
  }

  #exited(): Promise<number> {
    const statusOf = (code: number | null, signal: NodeJS.Signals | null) =>
      code ?? 128 + constants.signals[signal!];
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return Promise.resolve(statusOf(exitCode, signalCode));
    return new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve(statusOf(code, signal)));
    });
  }
}

/** Once the session is over, what the program still says is read and dropped, so that it can end. */
async function copy(source: Readable, write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  for await (const bytes of source) await write(bytes as Uint8Array).catch(() => {});
}
