import type { Connection } from '../../core/port/connection.ts';

/** What a client wants to be connected to. */
export interface Destination {
  /** Name or address as the session document gives it. Undefined for the node itself. */
  readonly host: string | undefined;
  /** 1 to 65,535. */
  readonly port: number;
}

/** How a managed node connects to destinations. `tcpDialer` of `hawser/node` does it over TCP. */
export interface Dialer {
  /**
   * Asked once, at the start of a session. What it throws ends the session, with the error's message for the client.
   */
  check?(destination: Destination): Promise<void>;
  /**
   * Resolves when the connection is made.
   *
   * @throws an error whose `code` and `message` may be told to the client, for example `ECONNREFUSED`
   */
  dial(destination: Destination, signal: AbortSignal): Promise<Connection>;
}
