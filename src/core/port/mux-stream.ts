import type { SmuxEvent, SmuxSession } from '../../channel/smux/index.ts';
import { ByteSink } from '../byte-sink.ts';
import { ByteSource } from '../byte-source.ts';
import type { Connection } from './connection.ts';
import { PortError } from './error.ts';

export interface MuxStreamOptions {
  readonly smux: SmuxSession;
  readonly id: number;
  /** The peer's end ends both directions, as in version 1. */
  readonly endsBoth: boolean;
  /** Our end waits for the peer's. */
  readonly holdEnd: boolean;
  /** There may be something to send. */
  readonly changed: () => void;
  /** Asked when the peer ends without a word: whether it could not connect. */
  readonly refused: () => boolean;
  /** Both directions have ended. */
  readonly over: () => void;
}

/** One stream of a {@link StreamMux}: a connection. */
export class MuxStream implements Connection {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly #options: MuxStreamOptions;
  readonly #source: ByteSource;
  readonly #sink: ByteSink;
  #wake: (() => void) | undefined;
  #heard = false;
  #writing: 'open' | 'held' | 'ended' = 'open';
  #reading = true;
  #error: PortError | undefined;

  constructor(options: MuxStreamOptions) {
    const { smux, id, changed } = options;
    this.#options = options;
    this.#source = new ByteSource({
      limit: READ_LIMIT,
      taken: (bytes) => {
        smux.consumed(id, bytes);
        changed();
      },
    });
    this.#sink = new ByteSink({
      limit: WRITE_LIMIT,
      send: (bytes) => this.#send(bytes),
      room: () =>
        new Promise((resolve) => {
          this.#wake = resolve;
        }),
      closed: () => this.#endWriting(),
      aborted: (reason) => this.reset(reason),
    });
    this.readable = this.#source.stream;
    this.writable = this.#sink.stream;
  }

  handle(event: Exclude<SmuxEvent, { type: 'opened' | 'failed' }>): void {
    switch (event.type) {
      case 'data':
        this.#heard = true;
        this.#source.push(event.bytes);
        return;
      case 'writable':
        this.#wakeUp();
        return;
      case 'finished':
        this.#reading = false;
        if (this.#options.endsBoth) this.#endBoth();
        if (!this.#heard && this.#options.endsBoth && this.#options.refused()) {
          this.fail(
            new PortError('ERR_PORT_REFUSED', 'The managed node could not connect to the destination.'),
          );
          return;
        }
        this.#source.end();
        this.#settle();
        return;
      case 'reset':
        this.fail(resetError(event.reason));
        return;
    }
  }

  /** Ends both directions at once, here and there. */
  reset(reason?: unknown): void {
    if (this.#error) return;
    const { smux, id, changed } = this.#options;
    const { code, message } = (reason ?? {}) as { code?: unknown; message?: unknown };
    if (typeof code === 'string' && typeof message === 'string') smux.reset(id, { code, message });
    else smux.reset(id);
    this.fail(new PortError('ERR_PORT_RESET', 'The connection was aborted.', { cause: reason }));
    changed();
  }

  /** The stream is gone: nobody is to be told but this side. */
  fail(error: PortError): void {
    if (this.#error) return;
    this.#error = error;
    this.#reading = false;
    this.#writing = 'ended';
    this.#source.fail(error);
    this.#sink.end(error);
    this.#wakeUp();
    this.#options.over();
  }

  #send(bytes: Uint8Array): number {
    if (this.#error) throw this.#error;
    if (this.#writing === 'ended')
      throw new PortError('ERR_PORT_RESET', 'The far side has ended the connection and takes nothing more.');
    const { smux, id, changed } = this.#options;
    const taken = smux.write(id, bytes);
    changed();
    return taken;
  }

  #endWriting(): void {
    if (this.#writing !== 'open') return;
    if (this.#options.holdEnd && this.#reading) {
      this.#writing = 'held';
      return;
    }
    this.#writing = 'ended';
    this.#options.smux.closeWrite(this.#options.id);
    this.#options.changed();
    this.#settle();
  }

  #endBoth(): void {
    if (this.#writing === 'ended') return;
    this.#writing = 'ended';
    this.#options.smux.closeWrite(this.#options.id);
    this.#wakeUp();
    this.#options.changed();
  }

  #settle(): void {
    if (!this.#reading && this.#writing === 'ended') this.#options.over();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

function resetError(reason: { code: string; message: string } | undefined): PortError {
  if (!reason) return new PortError('ERR_PORT_RESET', 'The far side has reset the connection.');
  return new PortError('ERR_PORT_REFUSED', reason.message, { reason: reason.code });
}

/** Bytes of the peer that wait for the reader before the source counts as full; smux has the bound. */
const READ_LIMIT = 65_536;
/** Bytes that wait for smux before a writer should wait. */
const WRITE_LIMIT = 65_536;
