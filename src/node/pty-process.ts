import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { TerminalSize } from '../channel/payload/terminal.ts';
import type { Command } from './command.ts';
import type { NodePty, NodePtyProcess } from './node-pty.ts';
import { type PtyFile, PtyInput } from './pty-input.ts';

/**
 * A program in a pseudo-terminal, with what `node-pty` 1.1 leaves out.
 *
 * **The last output.** `node-pty` closes the terminal 200 ms after the program's end, read or not, and libuv
 * takes the hang-up of a terminal for its end although there is more to read: of 1.5 MB of output, the last 10
 * KB were missing in half of the runs. So the other end of the terminal is held open here, which puts the
 * hang-up off, and when the program has ended, what is left is read before letting go.
 *
 * **Back-pressure of input.** libuv takes this end of a terminal for one that blocks, and tries again and again in one
 * turn while a program in raw mode does not read: the whole process would stand still. So the bytes are written here, as
 * many as fit, and `write` waits for the rest.
 *
 * Both lean on members that `node-pty` has but does not declare; with an implementation that lacks them, it
 * works as well as that does.
 */
export class PtyProcess {
  readonly #pty: NodePtyProcess & Undeclared;
  readonly #output: (bytes: Uint8Array) => void;
  #otherEnd: number | undefined;
  #ended = false;
  readonly #input: PtyInput;
  /** Resolves with the exit status, after all output; 128 + n for a program ended by signal n, as shells do. */
  readonly exited: Promise<number>;

  /** @param output given each piece of output; {@link pause} stops them, except for the last */
  constructor(nodePty: NodePty, command: Command, size: TerminalSize, output: (bytes: Uint8Array) => void) {
    const { program, args, env, cwd } = command;
    this.#pty = nodePty.spawn(program, [...args], { name: env.TERM, ...size, env, cwd, encoding: null });
    this.#output = output;
    this.#otherEnd = openOtherEnd(this.#pty);
    this.#pty.onData((data) => output(data as unknown as Uint8Array));
    this.#pty._socket?.on('newListener', (event) => {
      // The first thing that node-pty does when the program has ended is to wait for this event.
      if (event === 'close' && !this.#ended) this.#programEnded();
    });
    this.#input = new PtyInput(this.#pty);
    this.exited = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode, signal }) => {
        this.#ended = true;
        this.#letGo();
        resolve(signal ? 128 + signal : exitCode);
      });
    });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** Resolves when the terminal has taken all of it, or never will. One at a time. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#input.write(bytes, () => this.#ended);
  }

  resize({ cols, rows }: TerminalSize): void {
    if (!this.#ended) this.#pty.resize(cols, rows);
  }

  pause(): void {
    if (!this.#ended) this.#pty.pause();
  }

  resume(): void {
    this.#pty.resume();
  }

  #programEnded(): void {
    this.#ended = true;
    // What libuv has read comes out first, then it has a turn to read on; the rest is read here.
    this.#pty.resume();
    setImmediate(() => {
      this.#readRest();
      this.#letGo();
    });
  }

  /** Reads until the kernel has no more: before it says so, it moves all that was written to this end. */
  #readRest(): void {
    const { fd } = this.#pty;
    if (fd === undefined || this.#otherEnd === undefined) return;
    for (let rest = REST_LIMIT; rest > 0; ) {
      const bytes = new Uint8Array(READ_SIZE);
      try {
        const length = readSync(fd, bytes);
        if (length === 0) return;
        rest -= length;
        this.#output(bytes.subarray(0, length));
      } catch {
        return; // EAGAIN: nothing left
      }
    }
  }

  #letGo(): void {
    if (this.#otherEnd !== undefined) closeSync(this.#otherEnd);
    this.#otherEnd = undefined;
  }
}

interface Undeclared extends PtyFile {
  readonly ptsName?: string;
  readonly _socket?: Socket;
}

const READ_SIZE = 65_536;
/** Bytes. A kernel holds less; what a background program goes on writing must not keep the session. */
const REST_LIMIT = 1_048_576;

function openOtherEnd({ ptsName }: Undeclared): number | undefined {
  try {
    return ptsName === undefined ? undefined : openSync(ptsName, constants.O_RDWR | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}
