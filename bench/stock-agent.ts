import { connect, type Socket } from 'node:net';
import type { SessionHandler } from 'hawser/agent';
import { SmuxSession } from 'hawser/channel';

/**
 * A port handler that behaves as AWS's agent does: smux 1, no extensions, output in messages of 1,024 bytes with a pause
 * of a millisecond after each (PERFORMANCE.md, "What a stock agent takes").
 */
export function stockPort(port: number): SessionHandler {
  return async (session) => {
    await session.handshake();
    const smux = new SmuxSession({ role: 'server', version: 1 });
    const sockets = new Map<number, Socket>();
    let pumping = false;
    const pump = async () => {
      if (pumping) return;
      pumping = true;
      for (let bytes = smux.pollTransmit(2_048); bytes; bytes = smux.pollTransmit(2_048)) {
        for (let start = 0; start < bytes.length; start += 1_024) {
          await session.write(bytes.subarray(start, start + 1_024));
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      }
      pumping = false;
    };
    const open = (id: number) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      sockets.set(id, socket);
      socket.on('data', (data: Buffer) => {
        smux.write(id, data);
        void pump();
      });
      socket.on('close', () => {
        smux.closeWrite(id);
        void pump();
      });
      socket.on('end', () => socket.end());
    };
    for await (const bytes of session.input) {
      smux.handleBytes(bytes);
      for (let event = smux.pollEvent(); event; event = smux.pollEvent()) {
        if (event.type === 'opened') open(event.streamId);
        const socket = 'streamId' in event ? sockets.get(event.streamId) : undefined;
        if (event.type === 'finished') socket?.end();
        if (event.type !== 'data') continue;
        smux.consumed(event.streamId, event.bytes.length);
        if (!socket?.write(event.bytes)) await new Promise((resolve) => socket?.once('drain', resolve));
      }
    }
    return {};
  };
}
