import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SessionClient } from 'hawser';
import { Agent, portForwarding, virtualShell } from 'hawser/agent';
import { LocalKeyService } from 'hawser/kms';
import { interactiveCommands, nonInteractiveCommands, serve, tcpDialer } from 'hawser/node';
import { SessionManagerService } from 'hawser/service';
import { AwsJson } from '../../src/core/aws-json.ts';
import { CredentialsSigner } from '../../src/core/request-signer.ts';
import { defaultPlatform } from '../../src/core/runtime.ts';

const [region, accountId, target] = ['eu-central-1', '111122223333', 'i-0123456789abcdef0'];
const user = { accessKeyId: 'AKIDUSER', secretAccessKey: 'user' };
const node = { accessKeyId: 'AKIDNODE', secretAccessKey: 'node' };
const principal = { arn: `arn:aws:iam::${accountId}:user/jane`, accountId, userId: 'AIDAJANE' };
const callers = new Map([
  [user.accessKeyId, { ...user, principal }],
  [node.accessKeyId, { ...node, principal, targetId: target }],
]);

/**
 * What the documents' code blocks take for granted: a service at an endpoint, a node, and names for them.
 *
 * @param encrypted whether the preferences ask for it
 */
export async function docsWorld({ encrypted = false } = {}) {
  const keys = new LocalKeyService({ region, accountId });
  const { arn } = await keys.createKey();
  const service = new SessionManagerService({
    region,
    accountId,
    keys,
    credentials: (id) => callers.get(id),
    documents: {
      'SSM-SessionManagerRunShell': {
        schemaVersion: '1.0',
        sessionType: 'Standard_Stream',
        inputs: { kmsKeyId: encrypted ? arn : '' },
      },
    },
  });
  await service.registerTarget({ id: target });
  const server = await serve(service);
  const shell = virtualShell({ commands: { uname: 'Linux\n' } });
  const agent = new Agent({
    instanceId: target,
    region,
    credentials: node,
    endpoint: server.url,
    keyService: keys.as(principal),
    handlers: {
      Standard_Stream: shell,
      InteractiveCommands: interactiveCommands(),
      NonInteractiveCommands: nonInteractiveCommands(),
      Port: portForwarding(tcpDialer()),
    },
  });
  await agent.start();
  const echo = createServer((socket) => socket.on('error', () => {}).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const client = new SessionClient({ region, credentials: user, endpoint: server.url });
  const api = new AwsJson({
    platform: defaultPlatform(),
    endpoint: new URL(server.url),
    signer: new CredentialsSigner(user, region!, 'ssm'),
  });
  const activation = await api.call('CreateActivation', { IamRole: 'Fleet' });
  const folder = await mkdtemp(join(tmpdir(), 'hawser-docs-'));
  return {
    client,
    target,
    port: (echo.address() as AddressInfo).port,
    endpoint: server.url,
    host: new URL(server.url).host,
    credentials: user,
    nodeCredentials: node,
    activationId: String(activation.ActivationId),
    activationCode: String(activation.ActivationCode),
    directory: join(folder, 'agent'),
    startSession: () => client.startSession({ target }),
    async close() {
      echo.close();
      await rm(folder, { recursive: true });
      await agent.stop();
      await service.close();
      await server.close();
    },
  };
}
