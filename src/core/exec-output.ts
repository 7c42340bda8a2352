import { type Deferred, deferred } from '../base/deferred.ts';
import { concat } from '../base/encoding.ts';
import { ExecError } from './exec-error.ts';

/** One stream of a command's output: kept for the result, until somebody takes it as a stream. */
export class ExecOutput {
  readonly #name: string;
  readonly #limit: number;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #stream: ReadableStream<Uint8Array> | undefined;
  #state: 'open' | 'ended' | 'cancelled' | Error = 'open';
  /** Resolves when there is something for the reader, and when the reader has all there is. */
  #arrived: Deferred<void> | undefined;
  #drained: Deferred<void> | undefined;

  /** @param limit bytes to keep at most */
  constructor(name: 'stdout' | 'stderr', limit: number) {
    this.#name = name;
    this.#limit = limit;
  }

  /** All output, what has been kept so far included. From now on none is kept, and the reader sets the pace. */
  get stream(): ReadableStream<Uint8Array> {
    this.#stream ??= new ReadableStream<Uint8Array>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.#cancel() },
      { highWaterMark: 0 },
    );
    return this.#stream;
  }

  /** Whether somebody has taken it as a stream. */
  get taken(): boolean {
    return this.#stream !== undefined;
  }

  /** What has been kept: everything, or nothing once there is a stream. */
  get kept(): Uint8Array {
    return this.#stream ? new Uint8Array(0) : concat(this.#chunks);
  }

  /** Resolves when there is room for more. @throws {ExecError} `ERR_EXEC_MAX_BUFFER` */
  async push(chunk: Uint8Array): Promise<void> {
    if (chunk.length === 0 || this.#state !== 'open') return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#arrived?.resolve();
    if (this.#stream) {
      this.#drained = deferred();
      await this.#drained.promise;
    } else if (this.#bytes > this.#limit) {
      throw new ExecError(
        'ERR_EXEC_MAX_BUFFER',
        `The command printed more than ${this.#limit} bytes to its ${this.#name}. Raise maxBuffer, or read the stream.`,
      );
    }
  }

  end(error?: Error): void {
    if (this.#state === 'open') this.#state = error ?? 'ended';
    this.#arrived?.resolve();
    this.#drained?.resolve();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (this.#chunks.length === 0 && this.#state === 'open') {
      this.#arrived = deferred();
      await this.#arrived.promise;
    }
    const chunk = this.#chunks.shift();
    if (this.#chunks.length === 0) this.#drained?.resolve();
    if (chunk) controller.enqueue(chunk);
    else if (this.#state === 'ended') controller.close();
    else controller.error(this.#state);
  }

  #cancel(): void {
    this.#state = 'cancelled';
    this.#chunks = [];
    this.#drained?.resolve();
  }
}
