import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/**
 * The yardstick of the session figures: two WebSockets joined by a server that passes messages on, and an echo at the far end. The same
 * hops as a session's, with nothing else: no frames, digests, acknowledges or limits.
 */
export interface BareRelay {
  /** The near end. */
  readonly socket: WebSocket;
  close(): Promise<void>;
}

export async function openBareRelay(): Promise<BareRelay> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(server, 'listening');
  const ends: WebSocket[] = [];
  server.on('connection', (end) => {
    ends.push(end);
    end.on('message', (data: Buffer) => ends[ends[0] === end ? 1 : 0]?.send(data));
  });
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const far = new WebSocket(url, { perMessageDeflate: false });
  await once(far, 'open');
  far.on('message', (data: Buffer) => far.send(data));
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, 'open');
  return {
    socket,
    async close() {
      for (const end of [...ends, far, socket]) end.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
