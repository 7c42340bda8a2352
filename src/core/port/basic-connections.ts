import { deferred } from '../../base/deferred.ts';
import { PayloadFlag } from '../../channel/constants.ts';
import { ByteSource } from '../byte-source.ts';
import type { Session } from '../session.ts';
import type { Connection } from './connection.ts';
import { PortError } from './error.ts';
import type { Connections } from './port-session.ts';

/**
 * One connection at a time: all that old programs can do, and what SSH needs (PROTOCOL.md section 9).
 *
 * The protocol has no word for the end of a direction, nor for an end at the far side. A connection is over here when
 * its reader is cancelled or its writer aborted; then the agent is told to disconnect, and to the next connection it
 * connects anew. A raw session is the connection itself, and there is no next.
 */
export class BasicConnections implements Connections {
  readonly #session: Session;
  readonly #kind: 'basic' | 'raw';
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #current: BasicConnection | undefined;
  /** Settles when the one before is over. */
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #used = false;
  #error: PortError | undefined;

  constructor(session: Session, kind: 'basic' | 'raw') {
    this.#session = session;
    this.#kind = kind;
    this.#writer = session.stdin.getWriter();
  }

  get size(): number {
    return (this.#current ? 1 : 0) + this.#waiting;
  }

  async open(): Promise<Connection> {
    if (this.#kind === 'raw' && this.#used) throw busy(this.#session.sessionId);
    if (this.#waiting >= MAX_WAITING) throw busy(this.#session.sessionId);
    const before = this.#last;
    const over = deferred();
    this.#last = over.promise;
    this.#waiting++;
    await before;
    this.#waiting--;
    if (this.#error) throw this.#error;
    if (!this.#used) void this.#read();
    const connection = new BasicConnection({
      // Until it has written, whatever comes is left over from the one before it.
      stale: this.#used,
      write: (bytes) => this.#writer.write(bytes),
      over: () => {
        this.#current = undefined;
        if (this.#kind === 'basic') this.#session.sendFlag(PayloadFlag.DisconnectToPort);
        else void this.#session.close();
        over.resolve();
      },
    });
    this.#used = true;
    this.#current = connection;
    return connection;
  }

  refused(): void {
    this.#current?.end(
      new PortError('ERR_PORT_REFUSED', 'The managed node could not connect to the destination port.'),
    );
  }

  close(error: PortError): void {
    this.#error = error;
    // An end at the far side is the end of a raw session, and nothing else tells of it.
    this.#current?.end(this.#kind === 'raw' ? undefined : error);
  }

  async #read(): Promise<void> {
    const reader = this.#session.stdout.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      await this.#current?.push(value);
    }
  }
}

interface BasicConnectionOptions {
  readonly stale: boolean;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly over: () => void;
}

class BasicConnection implements Connection {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly #source: ByteSource;
  readonly #over: () => void;
  #controller!: WritableStreamDefaultController;
  #stale: boolean;
  #isOver = false;
  #room: (() => void) | undefined;

  constructor({ stale, write, over }: BasicConnectionOptions) {
    this.#stale = stale;
    this.#over = over;
    this.#source = new ByteSource({
      limit: READ_LIMIT,
      room: () => this.#room?.(),
      cancelled: () => this.#end(),
    });
    this.readable = this.#source.stream;
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      write: (bytes) => {
        this.#stale = false;
        return write(bytes);
      },
      abort: () => {
        this.#source.fail(new PortError('ERR_PORT_RESET', 'The connection was aborted.'));
        this.#end();
      },
    });
  }

  /** Resolves when the reader has room again. */
  async push(bytes: Uint8Array): Promise<void> {
    if (this.#stale || this.#isOver) return;
    this.#source.push(bytes);
    if (!this.#source.full) return;
    await new Promise<void>((resolve) => {
      this.#room = resolve;
    });
  }

  end(error: PortError | undefined): void {
    if (error) {
      this.#source.fail(error);
      this.#controller.error(error);
    } else this.#source.end();
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#room?.();
    this.#over();
  }
}

/** Bytes. */
const READ_LIMIT = 65_536;
/** Connections that wait for their turn. */
const MAX_WAITING = 1_024;

function busy(sessionId: string): PortError {
  return new PortError(
    'ERR_PORT_BUSY',
    `The session ${sessionId} carries one connection at a time, and no more of them can wait. Start another session.`,
  );
}
