import { SessionClient } from 'hawser';
import { Agent, portForwarding, type SessionHandler } from 'hawser/agent';
import { kmsKeyService, LocalKeyService } from 'hawser/kms';
import { ptyShell, serve, tcpDialer } from 'hawser/node';
import { SessionManagerService } from 'hawser/service';
import { type Roles, startRole } from './processes.ts';
import { stockPort } from './stock-agent.ts';

const region = 'eu-central-1';
const accountId = '111122223333';
const target = 'mi-0123456789abcdef0';
const principal = { arn: `arn:aws:iam::${accountId}:user/bench`, accountId, userId: 'AIDABENCH' };
// The service takes nobody else's, and listens on the loopback interface for as long as the bench runs.
const user = { accessKeyId: 'AKIABENCHUSER', secretAccessKey: 'bench-user' };
const node = { accessKeyId: 'AKIABENCHNODE', secretAccessKey: 'bench-node' };

/** A shell like the default one, encrypted. */
export const ENCRYPTED_DOCUMENT = 'Encrypted';

/** Client here, service and agent in a process of their own each. */
export interface Stack {
  readonly client: SessionClient;
  readonly target: string;
  close(): Promise<void>;
}

/**
 * @param handler name of one of the agent's handlers below
 * @param destination a port that handlers may lead to
 */
export async function openStack(
  handler: keyof typeof HANDLERS,
  payloadSize?: number,
  destination?: string,
): Promise<Stack> {
  const service = await startRole('service');
  const told = { endpoint: service.said, handler, payloadSize, destination };
  const agent = await startRole('agent', JSON.stringify(told));
  return {
    client: new SessionClient({
      region,
      credentials: user,
      endpoint: service.said,
      keyService: kmsKeyService({ region, credentials: user, endpoint: service.said }),
    }),
    target,
    async close() {
      await agent.stop();
      await service.stop();
    },
  };
}

export const stackRoles: Roles = {
  async service() {
    const callers = new Map([
      [user.accessKeyId, { ...user, principal }],
      [node.accessKeyId, { ...node, principal, targetId: target }],
    ]);
    const keys = new LocalKeyService({ region, accountId });
    const { arn: kmsKeyId } = await keys.createKey();
    const service = new SessionManagerService({
      region,
      accountId,
      credentials: (id) => callers.get(id),
      keys,
      documents: {
        [ENCRYPTED_DOCUMENT]: { schemaVersion: '1.0', sessionType: 'Standard_Stream', inputs: { kmsKeyId } },
      },
    });
    await service.registerTarget({ id: target });
    return (await serve(service)).url;
  },
  async agent(told) {
    const { endpoint, handler, payloadSize, destination } = JSON.parse(told);
    const handlers = HANDLERS[handler as keyof typeof HANDLERS](Number(destination));
    await new Agent({
      instanceId: target,
      region,
      credentials: node,
      endpoint,
      keyService: kmsKeyService({ region, credentials: node, endpoint }),
      handlers,
      ...(payloadSize !== undefined && { payloadSize }),
    }).start();
    return '';
  },
};

/** By name: functions do not go from process to process. */
const HANDLERS = {
  echo: () => ({ Standard_Stream: echo }),
  shell: () => ({ Standard_Stream: ptyShell({ shell: 'sh' }) }),
  port: () => ({ Port: portForwarding(tcpDialer()) }),
  'stock-port': (destination: number) => ({ Port: stockPort(destination) }),
} satisfies Record<string, (destination: number) => Record<string, SessionHandler>>;

/** Greets, as a shell does, so that input may flow; then sends back what comes. */
const echo: SessionHandler = async (session) => {
  await session.write(Uint8Array.of(36));
  for await (const chunk of session.input) await session.write(chunk);
  return {};
};
