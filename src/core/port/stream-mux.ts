import { SmuxSession } from '../../channel/smux/index.ts';
import { PortError } from './error.ts';
import { MuxStream } from './mux-stream.ts';

export interface StreamMuxOptions {
  readonly role: 'client' | 'server';
  readonly version: 1 | 2;
  /**
   * Keeps the end of what was written from a peer of version 1, to whom it is the end of both directions, until that
   * has ended as well. The reply then arrives whole; a destination that waits for the end waits for ever.
   */
  readonly holdEnd?: boolean;
  /** Carries bytes to the other end. Resolves when they have been copied, and more may follow. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Server: the other end has opened a stream. */
  readonly accept?: (stream: MuxStream) => void;
  /** The other end broke the rules of smux, or `write` failed: every stream has ended. */
  readonly failed: (error: Error) => void;
}

/** The streams of a port session: carries them over one channel of bytes, as connections. */
export class StreamMux {
  readonly #options: StreamMuxOptions;
  readonly #smux: SmuxSession;
  readonly #streams = new Map<number, MuxStream>();
  /** What is written goes through here: a transfer would leave a trail of it otherwise. */
  readonly #memory = new Uint8Array(MAX_PIECE);
  #pumping = false;
  #closed: Error | undefined;
  #room: (() => void) | undefined;
  /** Streams that the far side could not connect, and that have not ended yet. */
  #refusals = 0;

  constructor(options: StreamMuxOptions) {
    const { role, version } = options;
    this.#options = options;
    this.#smux = new SmuxSession({ role, version });
  }

  /** Streams that are open in at least one direction. */
  get size(): number {
    return this.#streams.size;
  }

  /** Client: opens a stream. @throws {PortError} `ERR_PORT_BUSY`; `ERR_PORT_RESET` when the mux is closed */
  open(): MuxStream {
    if (this.#closed) throw this.#closed;
    let id: number;
    try {
      id = this.#smux.open();
    } catch (cause) {
      throw new PortError(
        'ERR_PORT_BUSY',
        `The session carries ${this.size} connections, as many as it may. Close one, or use more sessions.`,
        { cause },
      );
    }
    const stream = this.#add(id);
    this.#pump();
    return stream;
  }

  /**
   * An agent of AWS says that it could not connect, but not for which stream. Its end follows, so it is the next one
   * that ends without having said anything.
   */
  expectRefusal(): void {
    this.#refusals = Math.min(this.#refusals + 1, this.size);
  }

  /** Takes bytes from the other end. A promise says when to bring more. */
  handleBytes(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#closed) return undefined;
    this.#smux.handleBytes(bytes);
    this.#poll();
    this.#pump();
    if (!this.#smux.full) return undefined;
    return new Promise((resolve) => {
      this.#room = resolve;
    });
  }

  /** Ends every stream with the error. */
  close(error: PortError): void {
    if (this.#closed) return;
    this.#closed = error;
    this.#smux.close();
    for (const stream of [...this.#streams.values()]) stream.fail(error);
    this.#streams.clear();
    this.#room?.();
  }

  #add(id: number): MuxStream {
    const { version, holdEnd } = this.#options;
    const stream = new MuxStream({
      smux: this.#smux,
      id,
      endsBoth: version === 1,
      holdEnd: version === 1 && holdEnd === true,
      changed: () => {
        this.#pump();
        this.#makeRoom();
      },
      refused: () => {
        if (this.#refusals === 0) return false;
        this.#refusals--;
        return true;
      },
      over: () => this.#streams.delete(id),
    });
    this.#streams.set(id, stream);
    return stream;
  }

  #poll(): void {
    for (let event = this.#smux.pollEvent(); event; event = this.#smux.pollEvent()) {
      if (event.type === 'failed') this.#fail(event.error);
      else if (event.type === 'opened') this.#options.accept?.(this.#add(event.streamId));
      else this.#streams.get(event.streamId)?.handle(event);
    }
  }

  #pump(): void {
    if (this.#pumping || this.#closed) return;
    const bytes = this.#smux.pollTransmit(MAX_PIECE, this.#memory);
    if (!bytes) return;
    this.#pumping = true;
    this.#options.write(bytes).then(
      () => {
        this.#pumping = false;
        this.#pump();
        this.#makeRoom();
      },
      (error: Error) => this.#fail(error),
    );
    this.#poll(); // streams that have become writable
  }

  #makeRoom(): void {
    if (!this.#room || this.#smux.full) return;
    this.#room();
    this.#room = undefined;
  }

  #fail(cause: Error): void {
    if (this.#closed) return;
    this.close(
      new PortError('ERR_PORT_RESET', `The connection ended with its session: ${cause.message}`, { cause }),
    );
    this.#options.failed(cause);
  }
}

/** Bytes that go out at once: a large payload of the channel below. */
const MAX_PIECE = 32_768;
