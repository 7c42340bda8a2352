import type { Session } from '../session.ts';
import type { PortError } from './error.ts';
import type { MuxStream } from './mux-stream.ts';
import type { Connections } from './port-session.ts';
import { StreamMux } from './stream-mux.ts';

/** Many connections in one session, as streams of smux. */
export class MuxConnections implements Connections {
  readonly #session: Session;
  readonly #mux: StreamMux;

  constructor(session: Session, { version, holdEnd }: { version: 1 | 2; holdEnd: boolean }) {
    this.#session = session;
    const writer = session.stdin.getWriter();
    this.#mux = new StreamMux({
      role: 'client',
      version,
      holdEnd,
      write: (bytes) => writer.write(bytes),
      failed: () => void session.terminate(),
    });
    void this.#read();
  }

  get size(): number {
    return this.#mux.size;
  }

  open(): MuxStream {
    return this.#mux.open();
  }

  refused(): void {
    this.#mux.expectRefusal();
  }

  close(error: PortError): void {
    this.#mux.close(error);
  }

  async #read(): Promise<void> {
    const reader = this.#session.stdout.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const wait = this.#mux.handleBytes(value);
      if (wait) await wait;
    }
  }
}
