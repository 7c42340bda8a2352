import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type ForwardOptions, SessionClient } from 'hawser';
import { Agent, portForwarding } from 'hawser/agent';
import { type Listener, listen, serve, tcpDialer } from 'hawser/node';
import { SessionManagerService } from 'hawser/service';
import { onTestFinished } from 'vitest';

const region = 'eu-central-1';
const accountId = '111122223333';
export const NODE_ID = 'mi-0123456789abcdef0';
const USER = { accessKeyId: 'AKIAUSER', secretAccessKey: 'secret-of-the-user' };
const NODE = { accessKeyId: 'AKIANODE', secretAccessKey: 'secret-of-the-node' };
const principal = (name: string) => ({
  arn: `arn:aws:iam::${accountId}:user/${name}`,
  accountId,
  userId: name,
});

/** Service, agent and client over the loopback interface. Ends with the test. */
export async function portWorld() {
  const service = new SessionManagerService({
    region,
    accountId,
    credentials: (id) =>
      [
        { ...USER, principal: principal('tester') },
        { ...NODE, principal: principal('node'), targetId: NODE_ID },
      ].find(({ accessKeyId }) => accessKeyId === id),
  });
  await service.registerTarget({ id: NODE_ID });
  const server = await serve(service);
  const agent = new Agent({
    instanceId: NODE_ID,
    region,
    endpoint: server.url,
    credentials: NODE,
    handlers: { Port: portForwarding(tcpDialer()) },
  });
  await agent.start();
  const clientAt = (endpoint: string) => new SessionClient({ region, endpoint, credentials: USER });
  const client = clientAt(server.url);
  onTestFinished(async () => {
    await agent.stop();
    await service.close();
    await server.close();
  });
  const forward = (port: number, options: Partial<ForwardOptions> = {}) =>
    client.forward({ target: NODE_ID, port, ...options });
  return { client, clientAt, agent, service, server, forward, target: NODE_ID };
}

/** A TCP server on the node: its port. Ends with the test. */
export async function destination(handle: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    handle(socket);
  });
  return (await bound(server)).port;
}

/** Closes with the test. */
export async function bound(server: Server): Promise<AddressInfo> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return server.address() as AddressInfo;
}

/** Listens in front of the forward until the test ends. */
export async function listening(
  forward: Parameters<typeof listen>[0],
  options: Parameters<typeof listen>[1] = {},
): Promise<Listener> {
  const listener = await listen(forward, options);
  onTestFinished(() => listener.close());
  return listener;
}

/** A connection to the port, which can close one direction alone. */
export async function connectTo(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

/** Everything that comes until the other side ends. Rejects when the connection breaks. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  await once(socket, 'end');
  return Buffer.concat(parts);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
