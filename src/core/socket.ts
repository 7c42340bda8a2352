/**
 * A message-oriented connection: the members of a WebSocket that hawser uses, and no more.
 *
 * One handler at a time, set before the first message can arrive (synchronously after the socket is given).
 * Implementations deliver in order, copy or own what they deliver, and call `closed` exactly once.
 */
export interface Socket {
  handler: SocketHandler | undefined;
  /** Bytes taken by {@link send} and not yet given to the network. */
  readonly bufferedAmount: number;
  /** Queues one message: text or binary. After the close it does nothing. */
  send(data: Uint8Array | string): void;
  /** Ends the connection. A connection whose peer does not answer is dropped. */
  close(code?: number, reason?: string): void;
  /** Stops reading, so that the peer's TCP window fills. Absent where the runtime cannot (browsers). */
  pause?(): void;
  resume?(): void;
  /** Sends a ping; {@link SocketHandler.pong} tells of the answer. Absent where the runtime cannot. */
  ping?(): void;
}

export interface SocketHandler {
  message(data: Uint8Array | string): void;
  /** Everything that {@link Socket.send} took has been given to the network. */
  drained?(): void;
  pong?(): void;
  /** 1006 when there was no close frame, which is normal: the real programs send none. */
  closed(code: number, reason: string): void;
}

export interface ConnectOptions {
  /** Sent with the upgrade request. Only where the runtime can: browsers cannot, and clients need none. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The network, as hawser sees it. Injected, so that tests and odd networks can bring their own. */
export interface Transport {
  fetch(request: Request): Promise<Response>;
  /** Resolves when the upgrade has been accepted. @throws {TransportError} */
  connect(url: string, options?: ConnectOptions): Promise<Socket>;
  /** Calls back whenever the machine is back on a network; the answer ends that. Absent where nobody tells. */
  watchOnline?(online: () => void): () => void;
}
