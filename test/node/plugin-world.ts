import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { build } from 'esbuild';
import type { SessionAccess, StartSessionInput } from 'hawser';
import { portForwarding, type SessionHandler } from 'hawser/agent';
import { interactiveCommands, nonInteractiveCommands, ptyShell, tcpDialer } from 'hawser/node';
import type { SessionDocument } from 'hawser/service';
import { afterAll, onTestFinished } from 'vitest';
import { environmentOf, ROOT } from '../examples/run.ts';
import { Collector, INSTANCE_ID, node } from './world.ts';

/** How this repository's plugin is called. Bundled once, from the sources: the tests run it many times. */
export const PLUGIN = [
  process.execPath,
  `${ROOT}node_modules/.cache/hawser/session-manager-plugin.${process.pid}.mjs`,
] as const;

await build({
  entryPoints: [`${ROOT}src/bin/session-manager-plugin.ts`],
  outfile: PLUGIN[1],
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
});
afterAll(() => rmSync(PLUGIN[1]));

/** A process under test, and what it has printed. */
export interface Running {
  readonly child: ChildProcess;
  readonly stdout: Collector;
  readonly stderr: Collector;
  /** The exit status, when all output has come. */
  readonly exited: Promise<number | null>;
}

/** A node for every type of session, and plugins beside it. */
export async function pluginWorld(
  handlers: Readonly<Record<string, SessionHandler>> = {},
  documents: Readonly<Record<string, SessionDocument>> = {},
) {
  const world = await node(
    {
      Standard_Stream: ptyShell(),
      InteractiveCommands: interactiveCommands(),
      NonInteractiveCommands: nonInteractiveCommands(),
      Port: portForwarding(tcpDialer()),
      ...handlers,
    },
    documents,
  );
  const { client, server } = world;
  return {
    ...world,
    /** Starts a session, and the plugin for it as a new CLI does. */
    async start(input: Partial<StartSessionInput> = {}, options: PluginOptions = {}): Promise<Running> {
      const access = await client.startAccess({ target: INSTANCE_ID, ...input });
      return startPlugin(access, { endpoint: server.url, documentName: input.documentName, ...options });
    },
  };
}

export interface PluginOptions {
  readonly endpoint?: string;
  readonly documentName?: string | undefined;
  readonly profile?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** The plugin with the answer of StartSession in the environment. Its stdin is open. */
export function startPlugin(access: SessionAccess, options: PluginOptions = {}): Running {
  const { endpoint = '', documentName, profile = '', env = {} } = options;
  const response = {
    SessionId: access.sessionId,
    TokenValue: access.tokenValue,
    StreamUrl: access.streamUrl,
  };
  const request = { Target: INSTANCE_ID, DocumentName: documentName };
  return runPlugin(
    [
      'AWS_SSM_START_SESSION_RESPONSE',
      'eu-central-1',
      'StartSession',
      profile,
      JSON.stringify(request),
      endpoint,
    ],
    { ...environmentOf(endpoint), AWS_SSM_START_SESSION_RESPONSE: JSON.stringify(response), ...env },
  );
}

/** The plugin with any arguments. */
export function runPlugin(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const [program, ...first] = PLUGIN;
  return run(program, [...first, ...args], env);
}

export function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(program, args, { env: { ...process.env, ...env } });
  const stdout = new Collector();
  const stderr = new Collector();
  child.stdout.pipe(stdout);
  child.stderr.pipe(stderr);
  child.stdin.on('error', () => {}); // it may end without reading all
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const exited = once(child, 'close').then(([status]) => status as number | null);
  return { child, stdout, stderr, exited };
}
