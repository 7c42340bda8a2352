import { randomBytes } from 'node:crypto';
import { SessionClient } from 'hawser';
import { Agent, type SessionHandler } from 'hawser/agent';
import { serve } from 'hawser/node';
import { SessionManagerService } from 'hawser/service';

const region = 'eu-central-1';
const accountId = '111122223333';
const target = 'mi-0123456789abcdef0';

/** Client, service and agent over real sockets on the loopback interface, in this process like the yardsticks. */
export interface Stack {
  readonly client: SessionClient;
  readonly target: string;
  close(): Promise<void>;
}

export async function openStack(handler: SessionHandler, payloadSize: number): Promise<Stack> {
  const [user, node] = [key(), key()];
  const principal = { arn: `arn:aws:iam::${accountId}:user/bench`, accountId, userId: 'AIDABENCH' };
  const callers = new Map([
    [user.accessKeyId, { ...user, principal }],
    [node.accessKeyId, { ...node, principal, targetId: target }],
  ]);
  const service = new SessionManagerService({ region, accountId, credentials: (id) => callers.get(id) });
  await service.registerTarget({ id: target });
  const server = await serve(service);
  const agent = new Agent({
    instanceId: target,
    region,
    credentials: node,
    endpoint: server.url,
    handlers: { Standard_Stream: handler },
    payloadSize,
  });
  await agent.start();
  return {
    client: new SessionClient({ region, credentials: user, endpoint: server.url }),
    target,
    async close() {
      await agent.stop();
      await service.close();
      await server.close();
    },
  };
}

/** Greets, as a shell does, so that input may flow; then sends back what comes. */
export const echo: SessionHandler = async (session) => {
  await session.write(Uint8Array.of(GREETING));
  for await (const chunk of session.input) await session.write(chunk);
  return {};
};

export const GREETING = 36;

function key() {
  return {
    accessKeyId: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(20).toString('hex'),
  };
}
