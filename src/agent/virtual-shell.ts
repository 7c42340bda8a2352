import { utf8 } from '../base/encoding.ts';
import { orAborted } from '../core/deadline.ts';
import { LineEditor } from './line-editor.ts';
import { LineQueue } from './line-queue.ts';
import type { AgentSession, SessionHandler, SessionResult } from './session.ts';
import { splitWords } from './split-words.ts';

export interface VirtualShellOptions {
  /** Before each line. Default `$ `. */
  readonly prompt?: string;
  /** Said once, at the start. Default nothing. */
  readonly greeting?: string;
  /** By name. `exit` is built in; anything else is "command not found", status 127. */
  readonly commands?: Readonly<Record<string, VirtualCommand>>;
}

/** What a command prints, or a function that does it and answers the exit status; 0 when it answers nothing. */
export type VirtualCommand =
  | string
  // biome-ignore lint/suspicious/noConfusingVoidType: functions that end without a return are meant.
  | ((args: readonly string[], io: VirtualIo) => number | void | Promise<number | void>);

/** A command's terminal. */
export interface VirtualIo {
  /** Shows text; its line feeds become CR LF, as a terminal driver makes them. Bytes go out as they are. */
  write(text: string | Uint8Array): Promise<void>;
  /** The next line that the user types, without its end; undefined at the end of input. */
  readLine(): Promise<string | undefined>;
  /** Aborted by Ctrl-C and when the session ends. */
  readonly signal: AbortSignal;
  readonly session: AgentSession;
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
  return (session) => new VirtualShell(options, session).run();
}

class VirtualShell {
  readonly #options: VirtualShellOptions;
  readonly #session: AgentSession;
  readonly #lines = new LineQueue();
  #command: AbortController | undefined;
  #status = 0;
  #written: Promise<void> = Promise.resolve();

  constructor(options: VirtualShellOptions, session: AgentSession) {
    this.#options = options;
    this.#session = session;
  }

  async run(): Promise<SessionResult> {
    const { greeting = '', prompt = '$ ' } = this.#options;
    const { signal } = this.#session;
    // A shell without a word needs another way to tell the client that it may type.
    if (greeting === '' && prompt === '') await this.#session.handshake();
    const stopCommand = () => this.#command?.abort(signal.reason);
    signal.addEventListener('abort', stopCommand);
    void this.#readInput();
    await this.#write(greeting);
    for (;;) {
      await this.#write(prompt);
      const line = await this.#lines.next();
      if (line === undefined) return { exitCode: this.#status };
      const [name, ...args] = splitWords(line);
      if (name === 'exit') return { exitCode: exitCode(args[0], this.#status) };
      if (name !== undefined) this.#status = await this.#run(name, args);
    }
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
    if (this.#command) this.#command.abort(new Error('Interrupted by Ctrl-C.'));
    else this.#lines.push(''); // for a new prompt
  }

  async #run(name: string, args: readonly string[]): Promise<number> {
    const { commands = {} } = this.#options;
    if (!Object.hasOwn(commands, name)) {
      await this.#write(`${name}: command not found\n`);
      return NOT_FOUND;
    }
    const command = commands[name]!;
    if (typeof command === 'string') {
      await this.#write(command);
      return 0;
    }
    this.#command = new AbortController();
    const { signal } = this.#command;
    try {
      return (await orAborted(Promise.resolve(command(args, this.#io(signal))), signal)) ?? 0;
    } catch (error) {
      if (signal.aborted) return INTERRUPTED;
      await this.#write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
      return 1;
    } finally {
      this.#command = undefined;
    }
  }

  #io(signal: AbortSignal): VirtualIo {
    return {
      signal,
      session: this.#session,
      readLine: () => this.#lines.next(signal),
      write: async (text) => {
        signal.throwIfAborted();
        await this.#write(text);
      },
    };
  }

  async #write(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === 'string' ? utf8(text.replaceAll(/\r?\n/g, '\r\n')) : text;
    if (bytes.length > 0) await this.#session.write(bytes);
  }
}

/** What shells answer. */
const NOT_FOUND = 127;
const INTERRUPTED = 130;

function exitCode(argument: string | undefined, status: number): number {
  if (argument === undefined) return status;
  return /^\d+$/.test(argument) ? Number(argument) & 0xff : 2;
}
