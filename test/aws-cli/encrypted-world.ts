import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { SessionClient } from 'hawser';
import { type KeyPolicy, LocalKeyService } from 'hawser/kms';
import { developmentCertificate, serve, type WebService } from 'hawser/node';
import { SessionManagerService } from 'hawser/service';
import { onTestFinished } from 'vitest';
import { nodeTransport } from '../../src/node/transport.ts';
import { hawserAgent, type Running } from '../node/agent-program-world.ts';
import { PLUGIN, runPlugin } from '../node/plugin-world.ts';
import { Collector } from '../node/world.ts';
import { Secrets } from '../support/secrets.ts';
import { AWS } from './world.ts';

const region = 'eu-central-1';
const accountId = '111122223333';
const JANE = {
  accessKeyId: 'AKIAUSER',
  secretAccessKey: 'secret-of-the-user',
  sessionToken: 'session-token-of-the-user',
};
export const jane = { arn: `arn:aws:iam::${accountId}:user/jane`, accountId, userId: 'AIDAJANE' };

const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'aws'));
/** The AWS CLI to test with, and another one that is the first on the path. */
export const CLIS = [AWS, onPath.find(existsSync) ?? AWS].filter(
  (path, at) => at === 0 || realpathSync(path) !== realpathSync(AWS),
);

/**
 * A fleet with no AWS account: a service over TLS that hosts the keys as well, `hawser-agent` as a hybrid node of it,
 * and the AWS CLI with this repository's plugin. Every session asks for encryption.
 */
export async function encryptedFleet({ aws, policy }: { aws: string; policy?: KeyPolicy }) {
  const folder = mkdtempSync(join(tmpdir(), 'hawser-fleet-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const secrets = new Secrets();
  secrets.add('secret access key of the user', JANE.secretAccessKey);
  secrets.add('session token of the user', JANE.sessionToken);
  const keys = new LocalKeyService({ region, accountId });
  const generateDataKey = keys.generateDataKey.bind(keys);
  keys.generateDataKey = async (...args) => {
    const made = await generateDataKey(...args);
    secrets.add('data key', made.plaintext);
    for (const at of [0, 32]) secrets.add('half of the data key', made.plaintext.subarray(at, at + 32));
    return made;
  };
  const { arn } = await keys.createKey({ aliases: ['alias/sessions'], ...(policy && { policy }) });
  const service = new SessionManagerService({
    region,
    accountId,
    keys,
    credentials: (id) => (id === JANE.accessKeyId ? { ...JANE, principal: jane } : undefined),
    documents: {
      'SSM-SessionManagerRunShell': {
        schemaVersion: '1.0',
        sessionType: 'Standard_Stream',
        inputs: { kmsKeyId: arn },
      },
    },
  });
  const tls = await developmentCertificate({ directory: join(folder, 'tls') });
  const server = await serve(overheard(service, secrets), { tls });
  onTestFinished(async () => {
    await service.close();
    await server.close();
  });
  writeFileSync(
    join(folder, 'session-manager-plugin'),
    `#!/bin/sh\nexec ${PLUGIN.map((word) => `'${word}'`).join(' ')} "$@"\n`,
    { mode: 0o755 },
  );
  const environment = {
    PATH: [folder, dirname(aws), process.env.PATH].join(delimiter),
    HOME: folder,
    AWS_ACCESS_KEY_ID: JANE.accessKeyId,
    AWS_SECRET_ACCESS_KEY: JANE.secretAccessKey,
    AWS_SESSION_TOKEN: JANE.sessionToken,
    AWS_DEFAULT_REGION: region,
    AWS_CA_BUNDLE: tls.caFile,
    AWS_ENDPOINT_URL_KMS: server.url,
    AWS_PAGER: '',
    LC_ALL: 'C.UTF-8',
  };
  const argumentsOf = (words: readonly string[]) => [...words, '--endpoint-url', server.url];
  const call = (...words: string[]) =>
    new Promise<string>((resolve, reject) => {
      execFile(aws, argumentsOf(words), { env: environment }, (error, stdout) =>
        error ? reject(error) : resolve(stdout),
      );
    });

  const activation = JSON.parse(await call('ssm', 'create-activation', '--iam-role=Fleet'));
  const where = ['--directory', join(folder, 'agent')];
  const trust = { NODE_EXTRA_CA_CERTS: tls.caFile };
  secrets.add('activation code', activation.ActivationCode);
  const registering = hawserAgent(
    [
      'register',
      '--activation-id',
      activation.ActivationId,
      '--region',
      region,
      '--endpoint',
      server.url,
      ...where,
    ],
    { ...trust, HAWSER_ACTIVATION_CODE: activation.ActivationCode },
  );
  if ((await registering.exited) !== 0) throw new Error(registering.stderr.text);
  const target = registering.stdout.text.trim();
  const said: Collector[] = [registering.stdout, registering.stderr];
  const transport = nodeTransport({ certificates: [readFileSync(tls.caFile, 'utf8')] });
  const client = new SessionClient({
    region,
    endpoint: server.url,
    credentials: JANE,
    platform: { transport },
  });
  return {
    target,
    secrets,
    /** What all programs have printed so far. */
    printed: () => said.map(({ text }) => text).join('\n'),
    async agent(...args: readonly string[]): Promise<Running> {
      const running = hawserAgent(['run', '--own-user', ...where, ...args], { ...trust, HOME: folder });
      said.push(running.stdout, running.stderr);
      await running.stderr.until('connected as');
      return running;
    },
    /** The plugin as CLIs call it that are too old for encryption. */
    async startAsOldCli(): Promise<Running> {
      const { sessionId, tokenValue, streamUrl } = await client.startAccess({ target });
      const response = { SessionId: sessionId, TokenValue: tokenValue, StreamUrl: streamUrl };
      const running = runPlugin([JSON.stringify(response), region, 'StartSession'], environment);
      said.push(running.stdout, running.stderr);
      return running;
    },
    /** Starts a session. Its stdin is open. */
    start(words: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Running {
      const child = spawn(aws, argumentsOf(['ssm', 'start-session', '--target', target, ...words]), {
        env: { ...environment, ...env },
        detached: true,
      });
      const [stdout, stderr] = [new Collector(), new Collector()];
      said.push(stdout, stderr);
      child.stdout.pipe(stdout);
      child.stderr.pipe(stderr);
      child.stdin.on('error', () => {});
      onTestFinished(() => {
        try {
          process.kill(-child.pid!, 'SIGKILL');
        } catch {
          // It has ended already.
        }
      });
      return {
        child,
        stdout,
        stderr,
        exited: once(child, 'close').then(([status]) => status as number | null),
      };
    },
  };
}

/** Notes every secret that passes the service over HTTP. */
function overheard(service: SessionManagerService, secrets: Secrets): WebService {
  return {
    upgrade: (request) => service.upgrade(request),
    async fetch(request) {
      const authorization = request.headers.get('authorization') ?? '';
      const signature = /Signature=(\S+)$/.exec(authorization)?.[1];
      if (signature) secrets.add('signature', signature);
      const response = await service.fetch(request);
      const answer = await response
        .clone()
        .json()
        .catch(() => ({}));
      for (const name of ['TokenValue', 'SecretAccessKey', 'SessionToken']) {
        if (typeof answer[name] === 'string') secrets.add(name, answer[name]);
      }
      return response;
    },
  };
}
