import { ownBytes } from '../base/own-bytes.ts';

export interface ByteSourceOptions {
  /** Bytes to hold for the reader before {@link ByteSource.full}. */
  readonly limit: number;
  /** There is room again. */
  readonly room?: () => void;
  /** The reader has so many bytes, or wants no more. */
  readonly taken?: (bytes: number) => void;
  /** The reader wants no more. */
  readonly cancelled?: () => void;
  /**
   * While nobody has taken a reader, drop the oldest bytes rather than be full. For output that most programs
   * do not read.
   */
  readonly dropUnclaimed?: boolean;
}

/** Bytes on their way to a reader: a bounded queue behind a `ReadableStream`. */
export class ByteSource {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #options: ByteSourceOptions;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #chunks: Uint8Array[] = [];
  /** Index of the oldest chunk: shifting a long array is slow. */
  #first = 0;
  #bytes = 0;
  /** What the last chunk stands in, where there is room behind it. */
  #pack: Uint8Array | undefined;
  /** A reader waits, and there was nothing. */
  #wanted = false;
  #state: 'open' | 'ending' | 'over' = 'open';

  constructor(options: ByteSourceOptions) {
    this.#options = options;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.#cancel(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Whether the reader has enough for now. */
  get full(): boolean {
    return this.#bytes >= this.#options.limit && !this.#mayDrop;
  }

  /** Takes bytes also when {@link full}: it is the caller who holds back. */
  push(chunk: Uint8Array): void {
    if (this.#state !== 'open') {
      this.#options.taken?.(chunk.length);
      return;
    }
    if (chunk.length === 0) return;
    if (this.#wanted) {
      this.#wanted = false;
      this.#controller.enqueue(chunk);
      this.#options.taken?.(chunk.length);
      return;
    }
    if (this.#chunks.length - this.#first < VIEWS) this.#chunks.push(chunk);
    else this.#keep(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes > this.#options.limit && this.#chunks.length - this.#first > 1 && this.#mayDrop)
      this.#shift();
  }

  /** No more bytes will come: the stream ends after those it has. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#endWhenEmpty();
  }

  /** Ends the stream with an error; what has not been read is lost. */
  fail(error: Error): void {
    if (this.#state === 'over') return;
    this.#drop();
    this.#controller.error(error);
  }

  get #mayDrop(): boolean {
    return this.#options.dropUnclaimed === true && !this.stream.locked;
  }

  /** Small chunks share memory: one of a single byte would cost a hundred. */
  #keep(chunk: Uint8Array): void {
    if (chunk.length > PACK / 2) {
      this.#chunks.push(ownBytes(chunk));
      return;
    }
    const last = this.#chunks.at(-1)!;
    const length = last.length + chunk.length;
    if (this.#pack && last.buffer === this.#pack.buffer && length <= PACK) {
      this.#pack.set(chunk, last.length);
      this.#chunks[this.#chunks.length - 1] = this.#pack.subarray(0, length);
      return;
    }
    this.#pack = new Uint8Array(PACK);
    this.#pack.set(chunk);
    this.#chunks.push(this.#pack.subarray(0, chunk.length));
  }

  #pull(): void {
    const chunk = this.#shift();
    if (!chunk) {
      this.#wanted = true;
      return;
    }
    this.#controller.enqueue(chunk);
    this.#options.taken?.(chunk.length);
    this.#endWhenEmpty();
    if (this.#state === 'open' && !this.full) this.#options.room?.();
  }

  #cancel(): void {
    this.#drop();
    this.#options.room?.();
    this.#options.cancelled?.();
  }

  #drop(): void {
    const dropped = this.#bytes;
    this.#state = 'over';
    this.#chunks = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#pack = undefined;
    this.#options.taken?.(dropped);
  }

  #endWhenEmpty(): void {
    if (this.#state !== 'ending' || this.#first < this.#chunks.length) return;
    this.#state = 'over';
    this.#controller.close();
  }

  #shift(): Uint8Array | undefined {
    const chunk = this.#chunks[this.#first];
    if (!chunk) return undefined;
    this.#first++;
    this.#bytes -= chunk.length;
    if (this.#first === this.#chunks.length || this.#first === COMPACT_AFTER) {
      this.#chunks = this.#chunks.slice(this.#first);
      this.#first = 0;
    }
    return chunk;
  }
}

/** Chunks that may wait as views of what they came in: those of a reader that keeps up. */
const VIEWS = 64;
/** Bytes that small chunks stand in together. */
const PACK = 1_024;
/** Chunks handed out that may stay at the head of the array. */
const COMPACT_AFTER = 1_024;
