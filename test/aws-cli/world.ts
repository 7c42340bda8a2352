import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { developmentCertificate, serve } from 'hawser/node';
import { onTestFinished } from 'vitest';
import { PLUGIN, pluginWorld, type Running } from '../node/plugin-world.ts';
import { Collector } from '../node/world.ts';
import { cuttable } from '../runtimes/cuttable.ts';

/** The AWS CLI to test with: Debian's, or the one that `AWS_CLI` names. */
export const AWS = process.env.AWS_CLI ?? '/usr/bin/aws';
export const missing = !existsSync(AWS) && process.env.CI !== 'true';

/**
 * A service with TLS, by a certificate that only an authority of the test vouches for, a node, and the AWS CLI with this
 * repository's plugin on its path. The CLI reaches the service through a line that can be cut.
 *
 * @param beside answers requests that are not for the service
 */
export async function cliWorld({
  beside,
}: {
  beside?: (request: Request) => Promise<Response | undefined>;
} = {}) {
  const world = await pluginWorld();
  const folder = mkdtempSync(join(tmpdir(), 'hawser-aws-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tls = await developmentCertificate({ directory: join(folder, 'tls') });
  const { service } = world;
  const server = await serve(
    {
      fetch: async (request) => (await beside?.(request)) ?? service.fetch(request),
      upgrade: (request) => service.upgrade(request),
    },
    { tls },
  );
  const line = await cuttable(Number(new URL(server.url).port));
  onTestFinished(async () => {
    await line.close();
    await server.close();
  });
  writeFileSync(
    join(folder, 'session-manager-plugin'),
    `#!/bin/sh\nexec ${PLUGIN.map((word) => `'${word}'`).join(' ')} "$@"\n`,
    { mode: 0o755 },
  );
  const endpoint = `https://127.0.0.1:${line.port}`;
  const environment = {
    PATH: [folder, dirname(AWS), process.env.PATH].join(delimiter),
    HOME: folder,
    AWS_ACCESS_KEY_ID: 'AKIAUSER',
    AWS_SECRET_ACCESS_KEY: 'secret-of-the-user',
    AWS_DEFAULT_REGION: 'eu-central-1',
    AWS_CA_BUNDLE: tls.caFile,
    AWS_PAGER: '',
    LC_ALL: 'C.UTF-8',
  };
  const argumentsOf = (words: readonly string[]) => [...words, '--endpoint-url', endpoint];
  return {
    ...world,
    tls,
    line,
    endpoint,
    environment,
    argumentsOf,
    /** Starts `aws`, in a process group of its own, as a terminal would. Its stdin is open. */
    aws(words: readonly string[], env: NodeJS.ProcessEnv = {}): Running & { interrupt(): void } {
      const child = spawn(AWS, argumentsOf(words), { env: { ...environment, ...env }, detached: true });
      const stdout = new Collector();
      const stderr = new Collector();
      child.stdout.pipe(stdout);
      child.stderr.pipe(stderr);
      child.stdin.on('error', () => {});
      const exited = once(child, 'close').then(([status]) => status as number | null);
      const signal = (name: NodeJS.Signals) => {
        try {
          process.kill(-child.pid!, name);
        } catch {
          // It has ended already.
        }
      };
      onTestFinished(() => signal('SIGKILL'));
      return { child, stdout, stderr, exited, interrupt: () => signal('SIGINT') };
    },
    /** Runs `aws` to its end. */
    call(...words: readonly string[]): Promise<Called> {
      return new Promise((resolve) => {
        execFile(AWS, argumentsOf(words), { env: environment }, (error, stdout, stderr) => {
          resolve({ status: error ? Number(error.code) : 0, stdout, stderr });
        });
      });
    },
  };
}

export interface Called {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}
