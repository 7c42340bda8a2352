import { concat, fromUtf8, utf8 } from '../base/encoding.ts';
import type { RandomSource } from '../base/random.ts';
import { commandLine } from './shell-quote.ts';

/**
 * The exit status by way of the output, for documents and agents that tell none: the command is wrapped so that
 * a random marker with the status is printed after it, and the marker is taken out of what comes back, wherever
 * messages cut it.
 */
export class ExitMarker {
  readonly #id: string;
  readonly #marker: Uint8Array;
  /** The start of what may be a marker. */
  #held: Uint8Array = new Uint8Array(0);
  /** Once it has come. */
  exitCode: number | undefined;

  constructor(random: RandomSource) {
    this.#id = random.uuid().replaceAll('-', '');
    this.#marker = utf8(`${NAME}-${this.#id}:`);
  }

  /**
   * The command line to run instead. The command runs in a shell of its own, so that it may `exit`, and end in a
   * comment. The marker is not in it in one piece: a command that looks at its own line does not see it.
   *
   * @param command text for a shell, or a program and its arguments
   */
  wrap(command: string | readonly string[]): string {
    const words = typeof command === 'string' ? ['sh', '-c', command] : command;
    // A trap, so that Ctrl-C ends the command and not this shell; programs that it runs do not inherit it.
    const script = `trap : INT QUIT; "$@"; s=$?; printf %s-%s:%d\\; ${NAME} ${this.#id} $s; exit $s`;
    return commandLine(['sh', '-c', script, 'sh', ...words]);
  }

  /** Output without the marker. */
  push(chunk: Uint8Array): Uint8Array {
    const bytes = this.#held.length > 0 ? concat([this.#held, chunk]) : chunk;
    this.#held = new Uint8Array(0);
    const start = this.#find(bytes);
    const rest = bytes.subarray(start);
    if (rest.length === 0) return bytes;
    const status = STATUS.exec(
      fromUtf8(rest.subarray(this.#marker.length, this.#marker.length + STATUS_SIZE)),
    );
    if (rest.length < this.#marker.length + STATUS_SIZE && !status) {
      this.#held = rest;
      return bytes.subarray(0, start);
    }
    if (!status) return concat([bytes.subarray(0, start + 1), this.push(rest.subarray(1))]);
    this.exitCode = Number(status[1]);
    return concat([
      bytes.subarray(0, start),
      this.push(rest.subarray(this.#marker.length + status[0].length)),
    ]);
  }

  /** What turned out to be no marker. */
  end(): Uint8Array {
    const rest = this.#held;
    this.#held = new Uint8Array(0);
    return rest;
  }

  /** Where the marker starts, or may start at the end; the length when it does not. */
  #find(bytes: Uint8Array): number {
    for (let at = bytes.indexOf(this.#marker[0]!); at >= 0; at = bytes.indexOf(this.#marker[0]!, at + 1)) {
      let length = 1;
      while (length < this.#marker.length && bytes[at + length] === this.#marker[length]) length++;
      if (length === this.#marker.length || at + length >= bytes.length) return at;
    }
    return bytes.length;
  }
}

const NAME = 'hawser-exit';
const STATUS = /^(\d{1,3});/;
/** Characters: three digits and a semicolon. */
const STATUS_SIZE = 4;
