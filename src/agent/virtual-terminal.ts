import { utf8 } from '../base/encoding.ts';
import { LineEditor } from './line-editor.ts';
import { LineQueue } from './line-queue.ts';
import type { AgentSession } from './session.ts';
import {
  runVirtualCommand,
  type VirtualCommands,
  VirtualInterrupt,
  type VirtualIo,
} from './virtual-command.ts';

/** The terminal of a session in which virtual commands run: echo, lines, Ctrl-C. */
export class VirtualTerminal {
  readonly #session: AgentSession;
  readonly #lines = new LineQueue();
  #command: AbortController | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(session: AgentSession) {
    this.#session = session;
    session.signal.addEventListener('abort', () => this.#command?.abort(session.signal.reason));
    void this.#readInput();
  }

  /** The next line typed while no command runs; empty after Ctrl-C, undefined at the end of input. */
  readLine(): Promise<string | undefined> {
    return this.#lines.next();
  }

  /** Runs one command, which has the terminal until it ends. @returns its exit status */
  async run(commands: VirtualCommands, name: string, args: readonly string[]): Promise<number> {
    this.#command = new AbortController();
    try {
      return await runVirtualCommand(commands, name, args, this.#io(this.#command.signal));
    } finally {
      this.#command = undefined;
    }
  }

  async write(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === 'string' ? utf8(text.replaceAll(/\r?\n/g, '\r\n')) : text;
    if (bytes.length > 0) await this.#session.write(bytes);
  }

  async #readInput(): Promise<void> {
    const editor = new LineEditor({
      echo: (bytes) => {
        this.#written = this.#session.write(bytes);
      },
      line: (text) => this.#lines.push(text),
      interrupt: () => this.#interrupt(),
      endOfInput: () => this.#lines.end(),
    });
    try {
      for await (const bytes of this.#session.input) {
        editor.push(bytes);
        await this.#written; // a client that does not read what it types types no more
      }
    } catch {
      // The session is over, and so is the input.
    }
    this.#lines.end();
  }

  #interrupt(): void {
    this.#lines.clear();
    if (this.#command) this.#command.abort(new VirtualInterrupt('SIGINT'));
    else this.#lines.push(''); // for a new prompt
  }

  #io(signal: AbortSignal): VirtualIo {
    const write = async (text: string | Uint8Array) => {
      signal.throwIfAborted();
      await this.write(text);
    };
    return {
      signal,
      session: this.#session,
      readLine: () => this.#lines.next(signal),
      write,
      writeStderr: write,
    };
  }
}
