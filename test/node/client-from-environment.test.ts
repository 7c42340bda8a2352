import { Agent, virtualShell } from 'hawser/agent';
import { kmsKeyService, LocalKeyService } from 'hawser/kms';
import { clientFromEnvironment, serve } from 'hawser/node';
import { SessionManagerService } from 'hawser/service';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';

const [region, accountId, target] = ['eu-central-1', '111122223333', 'mi-0123456789abcdef0'];
const user = { accessKeyId: 'AKIAUSER', secretAccessKey: 'secret-of-the-user' };
const node = { accessKeyId: 'AKIANODE', secretAccessKey: 'secret-of-the-node' };
const principal = { arn: `arn:aws:iam::${accountId}:user/jane`, accountId, userId: 'AIDAJANE' };

afterEach(() => vi.unstubAllEnvs());

/** A service that hosts keys, a node that encrypts, and an environment that leads to them. */
async function encryptedNode(variables: (url: string) => Record<string, string>) {
  const keys = new LocalKeyService({ region, accountId });
  const { arn: kmsKeyId } = await keys.createKey();
  const callers = [
    { ...user, principal },
    { ...node, principal, targetId: target },
  ];
  const service = new SessionManagerService({
    region,
    accountId,
    keys,
    credentials: (id) => callers.find(({ accessKeyId }) => accessKeyId === id),
    documents: {
      'SSM-SessionManagerRunShell': {
        schemaVersion: '1.0',
        sessionType: 'Standard_Stream',
        inputs: { kmsKeyId },
      },
    },
  });
  await service.registerTarget({ id: target });
  const { url: endpoint, close } = await serve(service);
  const agent = new Agent({
    instanceId: target,
    region,
    endpoint,
    credentials: node,
    keyService: kmsKeyService({ region, endpoint, credentials: node }),
    handlers: { Standard_Stream: virtualShell({ commands: {} }) },
  });
  await agent.start();
  onTestFinished(async () => {
    await agent.stop();
    await service.close();
    await close();
  });
  const environment = {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: user.accessKeyId,
    AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
    AWS_SESSION_TOKEN: '',
    ...variables(endpoint),
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
}

test.each([['AWS_ENDPOINT_URL_SSM', 'AWS_ENDPOINT_URL_KMS'], ['AWS_ENDPOINT_URL']])(
  'a client of the environment opens encrypted sessions by %s %s',
  async (...names) => {
    await encryptedNode((url) => Object.fromEntries(names.map((name) => [name, url])));
    const client = await clientFromEnvironment();
    const session = await client.startSession({ target, requireEncryption: true });
    expect((await session.ready).handshake).toMatchObject({ encrypted: true });
    await session.terminate();
  },
);

test('a client of the environment that is given no key service refuses them', async () => {
  await encryptedNode((url) => ({ AWS_ENDPOINT_URL: url }));
  const client = await clientFromEnvironment({ keyService: undefined });
  const session = await client.startSession({ target });
  expect(await session.ended).toMatchObject({
    reason: 'EncryptionFailed',
    error: { code: 'ERR_ENCRYPTION_NO_KEY_SERVICE' },
  });
});
