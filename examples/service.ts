/**
 * A service of your own over TLS, for the programs of AWS as for hawser's: the AWS CLI, the Session Manager plugin and
 * amazon-ssm-agent work with it unchanged. It prints what to type.
 *
 *     npm ci && node scripts/run.mjs examples/service.ts [directory] [port]
 *
 * The directory (default `.hawser-service`) keeps the certificate's authority, so that it is trusted once, your access
 * key, and the nodes and sessions: end the program with Ctrl-C and start it again, and they go on.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { developmentCertificate, durableStore, serve } from 'hawser/node';
import { SessionManagerService } from 'hawser/service';

const [directory = '.hawser-service', port = '8443'] = process.argv.slice(2);
const region = 'eu-central-1';
const accountId = '111122223333';
const user = accessKey(join(directory, 'access-key.json'));
const principal = { arn: `arn:aws:iam::${accountId}:user/you`, accountId, userId: 'AIDAYOU' };

const store = await durableStore(join(directory, 'store'));
const service = new SessionManagerService({
  region,
  accountId,
  store,
  credentials: (id) => (id === user.accessKeyId ? { ...user, principal } : undefined),
  onEvent(event) {
    if (event.type === 'node') console.log(`${event.id} is ${event.connected ? '' : 'not '}connected.`);
    if (event.type === 'session') console.log(`${event.sessionId} is ${event.status}.`);
    if (event.type === 'error') console.error(event.error);
  },
});
await service.resume();
const tls = await developmentCertificate({ directory: resolve(directory, 'tls') });
const server = await serve(service, { port: Number(port), tls });
const endpoint = server.url;

console.log(`
The service is at ${endpoint}. In another terminal, for the AWS CLI:

  export AWS_ACCESS_KEY_ID=${user.accessKeyId} AWS_SECRET_ACCESS_KEY=${user.secretAccessKey}
  export AWS_DEFAULT_REGION=${region} AWS_CA_BUNDLE=${tls.caFile} NODE_EXTRA_CA_CERTS=${tls.caFile}
  aws --endpoint-url ${endpoint} ssm create-activation --iam-role Nodes

With what that prints, a machine becomes a managed node:

  hawser-agent register --activation-id … --activation-code … --region ${region} --endpoint ${endpoint}
  hawser-agent run

and a user gets a shell on it:

  aws --endpoint-url ${endpoint} ssm describe-instance-information
  aws --endpoint-url ${endpoint} ssm start-session --target mi-…
`);

process.once('SIGINT', async () => {
  await service.close({ sessions: 'keep' });
  await server.close();
  await store.close();
});

function accessKey(file: string): { accessKeyId: string; secretAccessKey: string } {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    const key = {
      accessKeyId: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(20).toString('hex'),
    };
    writeFileSync(file, JSON.stringify(key), { mode: 0o600 });
    return key;
  }
}
