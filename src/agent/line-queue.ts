/** Lines typed ahead, and whoever waits for the next one. */
export class LineQueue {
  #lines: string[] = [];
  #ended = false;
  #waiting: ((line: string | undefined) => void) | undefined;

  push(line: string): void {
    if (this.#waiting) this.#answer(line);
    else if (this.#lines.length < MAX_LINES) this.#lines.push(line);
  }

  /** What was typed ahead counts no more. */
  clear(): void {
    this.#lines = [];
  }

  /** No line will follow those that wait. */
  end(): void {
    this.#ended = true;
    this.#answer(undefined);
  }

  /** The next line, or undefined at the end. One caller at a time. @throws the reason of `signal` */
  async next(signal?: AbortSignal): Promise<string | undefined> {
    signal?.throwIfAborted();
    const line = this.#lines.shift();
    if (line !== undefined || this.#ended) return line;
    let abort = () => {};
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting = resolve;
        abort = () => {
          this.#waiting = undefined;
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', abort);
      });
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  #answer(line: string | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(line);
  }
}

/** Typed ahead while a command runs; a terminal drops what is beyond its buffer, too. */
const MAX_LINES = 1000;
