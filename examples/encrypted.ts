/**
 * A session that its two ends encrypt for each other, with no AWS account: a service, a node, a client, and keys in the
 * place of AWS KMS, all in this process. The same session is run twice, in the clear and encrypted, and the service says
 * what it saw of it.
 *
 *     npm ci && node scripts/run.mjs examples/encrypted.ts
 *
 * Here one process has everything. What the ends have of the keys is what `LocalKeyService` gives each of them: the
 * client may ask for data keys, the node may decrypt them, the service may do neither.
 */
import { type Session, SessionClient } from 'hawser';
import { Agent, virtualShell } from 'hawser/agent';
import { LocalKeyService } from 'hawser/kms';
import { serve, type WebService } from 'hawser/node';
import type { Principal } from 'hawser/policy';
import { SessionManagerService } from 'hawser/service';

const region = 'eu-central-1';
const accountId = '111122223333';
const target = 'mi-0123456789abcdef0';
const user = { accessKeyId: 'AKIAUSER', secretAccessKey: 'secret' };
const node = { accessKeyId: 'AKIANODE', secretAccessKey: 'secret' };
const jane = principal('user/jane');
const web1 = principal('role/web1');

// One key. Its policy says who may do what with it.
const allow = ({ arn }: Principal, action: string) =>
  ({ Effect: 'Allow', Principal: { AWS: arn }, Action: action, Resource: '*' }) as const;
const keys = new LocalKeyService({ region, accountId });
const { arn: kmsKeyId } = await keys.createKey({
  policy: {
    Version: '2012-10-17',
    Statement: [allow(jane, 'kms:GenerateDataKey'), allow(web1, 'kms:Decrypt')],
  },
});

// The service has no keys, only the preference that sessions are to be encrypted.
const callers = [
  { ...user, principal: jane },
  { ...node, principal: web1, targetId: target },
];
const service = new SessionManagerService({
  region,
  accountId,
  credentials: (id) => callers.find(({ accessKeyId }) => accessKeyId === id),
  documents: {
    Clear: { schemaVersion: '1.0', sessionType: 'Standard_Stream', inputs: {} },
    Encrypted: { schemaVersion: '1.0', sessionType: 'Standard_Stream', inputs: { kmsKeyId } },
  },
});
await service.registerTarget({ id: target });
const frames: string[] = [];
const server = await serve(listening(service, frames));
const endpoint = server.url;

const agent = new Agent({
  instanceId: target,
  region,
  endpoint,
  credentials: node,
  keyService: keys.as(web1),
  handlers: { Standard_Stream: virtualShell({ commands: { whisper: 'the harbour is mined\n' } }) },
});
await agent.start();

const client = new SessionClient({
  region,
  endpoint,
  credentials: user,
  keyService: keys.as(jane),
});

for (const documentName of ['Clear', 'Encrypted']) {
  frames.length = 0;
  // `requireEncryption`: the service says which sessions are encrypted. This end need not believe it.
  const requireEncryption = documentName === 'Encrypted';
  const session = await client.startSession({ target: target, documentName, requireEncryption });
  const { handshake } = await session.ready;
  const input = session.stdin.getWriter();
  await input.write(new TextEncoder().encode('whisper\nexit 3\n'));
  const output = await textOf(session);
  const { exitCode } = await session.ended;
  const seen = frames.some((frame) => frame.includes('the harbour is mined'));
  console.log(`${documentName}:`, handshake?.customerMessage ?? 'no encryption.');
  console.log(`  The client saw ${JSON.stringify(output)} and the exit status ${exitCode}.`);
  console.log(
    `  The service passed on ${frames.length} frames, ${seen ? 'with' : 'without'} the secret in them.`,
  );
}

await agent.stop();
await service.close();
await server.close();

function principal(name: string): Principal {
  return { arn: `arn:aws:iam::${accountId}:${name}`, accountId, userId: `AIDA-${name}` };
}

/** Keeps what the service passes on over its WebSockets. */
function listening(service: SessionManagerService, frames: string[]): WebService {
  return {
    fetch: (request) => service.fetch(request),
    async upgrade(request) {
      const accept = await service.upgrade(request);
      if (accept instanceof Response) return accept;
      return (socket) => {
        const send = socket.send.bind(socket);
        socket.send = (data) => {
          frames.push(Buffer.from(data as Uint8Array).toString('latin1'));
          send(data);
        };
        accept(socket);
      };
    },
  };
}

async function textOf({ stdout }: Session): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of stdout) text += decoder.decode(bytes, { stream: true });
  return text;
}
