import { PayloadFlag } from '../../channel/constants.ts';
import type { ReadyEvent } from '../../channel/events.ts';
import type { Session } from '../session.ts';
import type { SessionEnd } from '../session-end.ts';
import { BasicConnections } from './basic-connections.ts';
import type { Connection } from './connection.ts';
import { PortError } from './error.ts';
import { MuxConnections } from './mux-connections.ts';
import { agentMultiplexes, portVariant } from './variant.ts';

export interface PortSessionOptions {
  /**
   * What the end of a connection's input does where the far side is AWS's agent, which would close the connection on
   * it and lose what the destination still had to say. `hold` (default) keeps it back until the destination has ended,
   * so that replies arrive whole; a destination that waits for the end before it replies needs `propagate`. Between
   * hawser's own ends each direction ends by itself, whatever this says.
   */
  readonly halfClose?: 'hold' | 'propagate' | undefined;
}

/** How the connections of one session are carried. */
export interface Connections {
  /** Connections that are open. */
  readonly size: number;
  /** @throws {PortError} */
  open(): Connection | Promise<Connection>;
  /** The far side could not connect for one of them. */
  refused(): void;
  /** The session is over. */
  close(error: PortError): void;
}

/** A port session as a source of connections, in whatever way its agent carries them. */
export class PortSession {
  readonly session: Session;
  readonly #connections: Promise<Connections>;
  #opened: Connections | undefined;
  #opening = 0;

  constructor(session: Session, options: PortSessionOptions) {
    this.session = session;
    this.#connections = session.ready.then((event) => this.#ready(event, options));
    this.#connections.catch(() => {});
    const refused = () => this.#opened?.refused();
    session.on('flag', (flag) => {
      if (flag === PayloadFlag.ConnectToPortError) refused();
    });
    void session.ended.then((end) => this.#opened?.close(overError(session, end)));
  }

  /** Connections that are open or being opened. */
  get size(): number {
    return (this.#opened?.size ?? 0) + this.#opening;
  }

  /** Resolves when connections can be opened. @throws {PortError} */
  async ready(): Promise<void> {
    await this.#whenReady();
  }

  /** @throws {PortError} */
  async open(): Promise<Connection> {
    this.#opening++;
    try {
      return await (await this.#whenReady()).open();
    } finally {
      this.#opening--;
    }
  }

  async #whenReady(): Promise<Connections> {
    try {
      return await this.#connections;
    } catch (error) {
      if (error instanceof PortError) throw error;
      throw overError(this.session, await this.session.ended);
    }
  }

  #ready({ handshake }: ReadyEvent, { halfClose = 'hold' }: PortSessionOptions): Connections {
    if (handshake?.sessionType !== 'Port') {
      void this.session.terminate();
      throw new PortError(
        'ERR_PORT_PROPERTIES',
        `${this.session.sessionId} is no port session but one of type ${handshake?.sessionType ?? 'Standard_Stream'}. Use a session document for ports.`,
      );
    }
    const { type } = (handshake.properties ?? {}) as { type?: unknown };
    const variant = portVariant(
      handshake,
      type === 'LocalPortForwarding',
      agentMultiplexes(handshake.agentVersion),
    );
    this.#opened =
      variant.kind === 'multiplexed'
        ? new MuxConnections(this.session, { version: variant.version, holdEnd: halfClose === 'hold' })
        : new BasicConnections(this.session, variant.kind);
    return this.#opened;
  }
}

function overError(session: Session, end: SessionEnd): PortError {
  const why = end.message || `it ended with ${end.reason}`;
  return new PortError('ERR_PORT_RESET', `The session ${session.sessionId} is over: ${why}`, {
    cause: end.error,
  });
}
