import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CreateActivationCommand,
  DescribeInstanceInformationCommand,
  type InstanceInformation,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { build } from 'esbuild';
import { SessionClient } from 'hawser';
import { serve } from 'hawser/node';
import { SessionManagerService } from 'hawser/service';
import { afterAll, onTestFinished } from 'vitest';
import { hawserAgent as main } from '../../src/node/agent-program/main.ts';
import { ROOT } from '../examples/run.ts';
import { Collector } from './world.ts';

const region = 'eu-central-1';
const accountId = '111122223333';
const USER = { accessKeyId: 'AKIAUSER', secretAccessKey: 'secret-of-the-user' };
const principal = { arn: `arn:aws:iam::${accountId}:user/tester`, accountId, userId: 'AIDATESTER' };

/** Bundled once, from the sources: the tests run it many times. */
export const PROGRAM = `${ROOT}node_modules/.cache/hawser/hawser-agent.${process.pid}.mjs`;

await build({
  entryPoints: [`${ROOT}src/bin/hawser-agent.ts`],
  outfile: PROGRAM,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
});
afterAll(() => rmSync(PROGRAM));

export interface Running {
  readonly child: ChildProcess;
  readonly stdout: Collector;
  readonly stderr: Collector;
  /** The exit status, when all output has come. */
  readonly exited: Promise<number | null>;
}

/** Starts `hawser-agent`. Killed with the test. */
export function hawserAgent(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, AWS_REGION: '', HAWSER_ACTIVATION_CODE: '', ...env },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  child.stdin.on('error', () => {}); // it may end without reading
  const [stdout, stderr] = [new Collector(), new Collector()];
  child.stdout.pipe(stdout);
  child.stderr.pipe(stderr);
  return { child, stdout, stderr, exited: once(child, 'close').then(([code]) => code) };
}

interface FinishedOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
}

/** Runs it to its end, in this process: starting one takes long. */
export async function finished(args: readonly string[], { env = {}, input = '' }: FinishedOptions = {}) {
  const [stdout, stderr] = [new Collector(), new Collector()];
  const status = await main(args, { stdin: Readable.from([input]), stdout, stderr }, env);
  return { status, stdout: stdout.text, stderr: stderr.text };
}

/** A service over the loopback interface, with TLS for agents where it is given, and a directory for an identity. */
export async function agentWorld(tls?: { readonly key: string; readonly cert: string }) {
  const service = new SessionManagerService({
    region,
    accountId,
    credentials: (id) => (id === USER.accessKeyId ? { ...USER, principal } : undefined),
  });
  const server = await serve(service);
  const agentServer = tls ? await serve(service, { tls }) : server;
  const folder = await mkdtemp(join(tmpdir(), 'hawser-agent-'));
  onTestFinished(async () => {
    await service.close();
    await Promise.all([server.close(), agentServer.close()]);
    await rm(folder, { recursive: true });
  });
  const endpoint = agentServer.url;
  const ssm = new SSMClient({ region, endpoint: server.url, credentials: USER });
  onTestFinished(() => ssm.destroy());
  const directory = join(folder, 'agent');
  const where = ['--directory', directory];
  return {
    endpoint,
    directory,
    where,
    client: new SessionClient({ region, endpoint: server.url, credentials: USER }),
    /** Options of `register`, and the code. */
    async activation() {
      const { ActivationId, ActivationCode } = await ssm.send(
        new CreateActivationCommand({ IamRole: 'Fleet' }),
      );
      const args = ['--activation-id', ActivationId!, '--region', region, '--endpoint', endpoint, ...where];
      return { args: ['register', ...args], code: ActivationCode! };
    },
    /** Registers, and answers the id of the node. */
    async register(env: NodeJS.ProcessEnv = {}): Promise<string> {
      const { args, code } = await this.activation();
      const { status, stdout, stderr } = await finished(args, {
        env: { HAWSER_ACTIVATION_CODE: code, ...env },
      });
      if (status !== 0) throw new Error(stderr);
      return stdout.trim();
    },
    /** The service is gone. */
    close: () => agentServer.close(),
    /** Starts the agent, and waits for its connection. */
    async run(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Running> {
      // Shells that find no start-up files do not wait for any.
      const running = hawserAgent(['run', '--own-user', ...where, ...args], { HOME: folder, ...env });
      await running.stderr.until('connected as');
      return running;
    },
    async information(): Promise<InstanceInformation[]> {
      const { InstanceInformationList } = await ssm.send(new DescribeInstanceInformationCommand({}));
      return InstanceInformationList ?? [];
    },
  };
}
