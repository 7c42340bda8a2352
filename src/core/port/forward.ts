import type { Session } from '../session.ts';
import type { SessionEnd } from '../session-end.ts';
import type { Connection } from './connection.ts';
import { PortError } from './error.ts';
import { PortSession, type PortSessionOptions } from './port-session.ts';

/**
 * A port of a managed node, or of a host that the node reaches: every {@link open} is a connection to it. There is no
 * listener here, so that workers and browsers can forward as well; `listen` of `hawser/node` adds one.
 *
 *     await using forward = await client.forward({ target, port: 80 });
 *     const { readable, writable } = await forward.open();
 *
 * Comes from `SessionClient.forward`, or is put on sessions that were opened otherwise, with the option
 * `extensions: FORWARD_EXTENSIONS`.
 */
export class Forward {
  /** One, unless more were asked for. */
  readonly sessions: readonly Session[];
  /** Resolves when the last session is over, with its end. Never rejects. */
  readonly ended: Promise<SessionEnd>;
  readonly #ports: Set<PortSession>;

  constructor(sessions: Session | readonly Session[], options: PortSessionOptions = {}) {
    this.sessions = 'sessionId' in sessions ? [sessions] : sessions;
    const [first] = this.sessions;
    if (!first) throw new TypeError('A forward needs a session.');
    this.#ports = new Set(this.sessions.map((session) => new PortSession(session, options)));
    let last = first.ended;
    for (const port of this.#ports) {
      void port.session.ended.then(() => this.#ports.delete(port));
      last = last.then(() => port.session.ended);
    }
    this.ended = last;
  }

  /** Connections that are open or being opened. */
  get size(): number {
    let size = 0;
    for (const port of this.#ports) size += port.size;
    return size;
  }

  /** Resolves when the agents are ready for connections. @throws {PortError} when one never will be */
  async ready(): Promise<void> {
    await Promise.all([...this.#ports].map((port) => port.ready()));
  }

  /**
   * Opens a connection, in the session that has the fewest. Whether the destination accepts it shows when it is used:
   * `readable` then fails with `ERR_PORT_REFUSED`. Where the far side can carry only one connection at a time, this
   * waits for the one before to end.
   *
   * @throws {PortError} `ERR_PORT_RESET` when the session is over, `ERR_PORT_BUSY` when it carries as many as it may
   */
  async open(): Promise<Connection> {
    let best: PortSession | undefined;
    for (const port of this.#ports) if (!best || port.size < best.size) best = port;
    if (!best) throw new PortError('ERR_PORT_RESET', 'The session that forwards the port is over.');
    return best.open();
  }

  /** Ends the sessions and all connections. What was written before is delivered. */
  async close(): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** What {@link Forward} can do beyond AWS's plugin: `extensions` of the sessions that it is put on. */
export const FORWARD_EXTENSIONS = { smux: 2 } as const;
