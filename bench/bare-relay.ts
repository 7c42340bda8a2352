import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { type Roles, startRole } from './processes.ts';

/**
 * The yardstick of the session figures: two WebSockets joined by a server that passes messages on, and an echo at the
 * far end. The same hops and processes as a session's, with nothing else: no frames, digests, acknowledges or limits.
 */
export interface BareRelay {
  /** The near end. */
  readonly socket: WebSocket;
  close(): Promise<void>;
}

export async function openBareRelay(): Promise<BareRelay> {
  const relay = await startRole('bare-relay');
  const far = await startRole('bare-far-end', relay.said);
  const socket = await open(relay.said);
  return {
    socket,
    async close() {
      socket.terminate();
      await far.stop();
      await relay.stop();
    },
  };
}

export const bareRelayRoles: Roles = {
  async 'bare-relay'() {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
    await once(server, 'listening');
    const ends: WebSocket[] = [];
    server.on('connection', (end) => {
      ends.push(end);
      end.on('message', (data: Buffer) => ends[ends[0] === end ? 1 : 0]?.send(data));
    });
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  },
  async 'bare-far-end'(url) {
    const socket = await open(url);
    socket.on('message', (data: Buffer) => socket.send(data));
    return '';
  },
};

async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, 'open');
  return socket;
}
