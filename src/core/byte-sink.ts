export interface ByteSinkOptions {
  /** Bytes that the stream holds before its writer should wait. */
  readonly limit: number;
  /** Takes as many of the bytes as there is room for, and says how many. What it throws fails the stream. */
  readonly send: (bytes: Uint8Array) => number;
  /** Resolves when there is room again, or when there never will be. */
  readonly room: () => Promise<void>;
  /** A write has been taken. */
  readonly taken?: () => void;
  /** The writer has closed the stream; everything written has been taken. */
  readonly closed?: () => void;
  /** The writer has aborted the stream. */
  readonly aborted?: (reason: unknown) => void;
}

/** Bytes on their way from a writer: a `WritableStream` that waits while there is no room. */
export class ByteSink {
  readonly stream: WritableStream<Uint8Array>;
  readonly #options: ByteSinkOptions;
  #controller!: WritableStreamDefaultController;
  #unsent = 0;
  /** Writes that were made before the last {@link discard} and have not ended yet. */
  #discarded = 0;
  #error: Error | undefined;

  constructor(options: ByteSinkOptions) {
    this.#options = options;
    this.stream = new WritableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        write: (chunk) => this.#write(chunk),
        close: () => options.closed?.(),
        abort: (reason) => {
          this.#unsent = 0;
          this.#discarded = 0;
          options.aborted?.(reason);
        },
      },
      {
        highWaterMark: options.limit,
        // Asked once for each write, at once: the only place that knows of writes still queued in the stream.
        size: (chunk) => {
          this.#unsent++;
          return chunk instanceof Uint8Array ? chunk.length : 1;
        },
      },
    );
  }

  /** Whether everything written has been taken. */
  get empty(): boolean {
    return this.#unsent === 0;
  }

  /** Forgets what has been written and not taken; those writes end as if it had been. */
  discard(): void {
    this.#discarded = this.#unsent;
  }

  /** Fails every write that has not been taken, and every later one. */
  end(error: Error): void {
    this.#error = error;
    this.#controller.error(error);
  }

  async #write(chunk: Uint8Array): Promise<void> {
    if (!(chunk instanceof Uint8Array)) {
      this.#unsent = 0; // the stream takes nothing more, so there is nothing to wait for
      throw new TypeError('A session takes bytes (Uint8Array) as input.');
    }
    let rest = chunk;
    if (this.#discarded === 0) rest = chunk.subarray(this.#options.send(chunk));
    while (rest.length > 0 && this.#discarded === 0) {
      await this.#options.room();
      if (this.#error) throw this.#error;
      if (this.#discarded === 0) rest = rest.subarray(this.#options.send(rest));
    }
    if (this.#discarded > 0) this.#discarded--;
    this.#unsent--;
    this.#options.taken?.();
  }
}
