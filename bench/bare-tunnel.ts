import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { type Roles, startRole } from './processes.ts';

/**
 * The yardstick of the port figures: one TCP connection carried over two WebSockets joined by a relay. The same hops and
 * processes as a forward's, with the flow control that its users would write, and nothing else.
 */
export interface BareTunnel {
  /** Where the tunnel begins: one connection at a time. */
  readonly port: number;
  close(): Promise<void>;
}

export async function openBareTunnel(destination: string): Promise<BareTunnel> {
  const relay = await startRole('tunnel-relay');
  const far = await startRole('tunnel-far-end', JSON.stringify({ url: relay.said, destination }));
  const server = createServer({ allowHalfOpen: true, noDelay: true }, async (socket) => {
    socket.pause();
    const ws = new WebSocket(relay.said, { perMessageDeflate: false });
    await once(ws, 'open');
    bridge(socket, ws);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      await far.stop();
      await relay.stop();
    },
  };
}

export const bareTunnelRoles: Roles = {
  /** Joins connections two by two: whoever comes first and whoever comes next. */
  async 'tunnel-relay'() {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
    await once(server, 'listening');
    let waiting: WebSocket | undefined;
    server.on('connection', (end) => {
      const other = waiting;
      waiting = other ? undefined : end;
      if (other) {
        pass(end, other);
        pass(other, end);
        other.resume();
      } else end.pause();
    });
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  },
  async 'tunnel-far-end'(told) {
    const { url, destination } = JSON.parse(told);
    const next = async () => {
      const ws = new WebSocket(url, { perMessageDeflate: false });
      await once(ws, 'open');
      ws.once('message', (first: Buffer) => {
        const socket = connect({ port: Number(destination), host: '127.0.0.1', allowHalfOpen: true });
        socket.setNoDelay();
        if (first.length > 0) socket.write(first);
        bridge(socket, ws);
      });
      ws.on('close', () => void next());
    };
    await next();
    return '';
  },
};

function pass(from: WebSocket, to: WebSocket): void {
  from.on('message', (data: Buffer) => {
    to.send(data, () => {
      if (to.bufferedAmount < HIGH_WATER_MARK) from.resume();
    });
    if (to.bufferedAmount >= HIGH_WATER_MARK) from.pause();
  });
  from.on('close', () => to.close());
}

/** An empty message is the end of a direction. */
function bridge(socket: Socket, ws: WebSocket): void {
  socket.on('data', (data: Buffer) => {
    ws.send(data, () => {
      if (ws.bufferedAmount < HIGH_WATER_MARK) socket.resume();
    });
    if (ws.bufferedAmount >= HIGH_WATER_MARK) socket.pause();
  });
  socket.on('end', () => ws.send(new Uint8Array()));
  socket.on('error', () => {});
  socket.on('close', () => ws.close());
  ws.on('message', (data: Buffer) => {
    if (data.length === 0) socket.end();
    else if (!socket.write(data)) {
      ws.pause();
      socket.once('drain', () => ws.resume());
    }
  });
  ws.on('close', () => socket.destroy());
  socket.resume();
}

const HIGH_WATER_MARK = 1024 * 1024;
