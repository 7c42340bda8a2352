import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** How one runtime comes to run the program `smoke.ts`. */
export interface Runtime {
  readonly name: string;
  /** False where its program is missing, which only Debian's Chromium can be: the others are packages. */
  readonly installed: boolean;
  /** What runs the program, made of `smoke.ts` and the lines around it. */
  readonly entry: string;
  /** For `web` all packages are in the bundle, in their variants for browsers. */
  readonly bundle: 'packages' | 'web';
  /** The command that runs `script` with `url`, and may write to `folder`. */
  command(run: {
    url: string;
    script: string;
    folder: string;
  }): readonly [command: string, ...args: string[]];
  /** Whether the program ends by itself; else it is ended when it has reported. */
  readonly ends: boolean;
  /** Whether the runtime prints nothing of its own, so that whatever is printed would be hawser's fault. */
  readonly silent: boolean;
  /** Whether it has OpenSSL's AES by `node:crypto`, or WebCrypto's alone. */
  readonly aesGcm: 'synchronous' | 'asynchronous';
}

export const root = fileURLToPath(new URL('../../', import.meta.url));
const bin = (name: string) => join(root, 'node_modules/.bin', name);
const CHROMIUM = '/usr/bin/chromium';

const PROCESS = {
  installed: true,
  entry: `import { smoke } from './smoke.ts'; await smoke(process.argv[2]);`,
  bundle: 'packages',
  ends: true,
  silent: true,
  aesGcm: 'synchronous',
} as const;

const BROWSER = {
  installed: existsSync(CHROMIUM),
  entry: `import { smoke } from './smoke.ts'; await smoke(location.origin);`,
  bundle: 'web',
  ends: false,
  silent: false,
  aesGcm: 'asynchronous',
} as const;

export const runtimes: readonly Runtime[] = [
  { ...PROCESS, name: 'Node.js', command: ({ url, script }) => [process.execPath, script, url] },
  { ...PROCESS, name: 'Deno', command: ({ url, script }) => [bin('deno'), 'run', '-A', script, url] },
  { ...PROCESS, name: 'Bun', command: ({ url, script }) => [bun(), script, url] },
  { ...BROWSER, name: 'Chromium', command: ({ url, folder }) => chromium(`${url}/page/window`, folder) },
  {
    ...BROWSER,
    name: 'Chromium, in a worker',
    command: ({ url, folder }) => chromium(`${url}/page/worker`, folder),
  },
  {
    name: 'workerd',
    installed: true,
    entry: `import { smoke } from './smoke.ts'; export default { test: (_, { url }) => smoke(url) };`,
    bundle: 'web',
    command({ url, folder }) {
      const config = join(folder, 'workerd.capnp');
      writeFileSync(config, workerdConfig(url));
      return [bin('workerd'), 'test', config];
    },
    ends: true,
    silent: false,
    aesGcm: 'asynchronous',
  },
];

/** Bundles the program for a runtime into its folder. */
export async function bundle({ entry, bundle }: Runtime, folder: string): Promise<string> {
  const script = join(folder, 'smoke.mjs');
  mkdirSync(dirname(script), { recursive: true });
  await build({
    absWorkingDir: root,
    stdin: { contents: entry, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'ts' },
    outfile: script,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    tsconfig: join(root, 'tsconfig.json'),
    logLevel: 'warning',
    ...(bundle === 'web' ? { platform: 'browser' } : { platform: 'node', packages: 'external' }),
  });
  return script;
}

/** Its package moves the program when install scripts run. */
function bun(): string {
  const unmoved = join(root, `node_modules/@oven/bun-${process.platform}-${process.arch}/bin/bun`);
  return existsSync(unmoved) ? unmoved : bin('bun');
}

/** Without a driver: the page reports by itself. Nothing but the page is asked for over the network. */
function chromium(page: string, folder: string): [string, ...string[]] {
  return [
    CHROMIUM,
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    `--user-data-dir=${join(folder, 'profile')}`,
    page,
  ];
}

function workerdConfig(url: string): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "smoke.mjs", esModule = embed "smoke.mjs")],
      bindings = [(name = "url", text = "${url}")],
      compatibilityDate = "2026-04-01",
    )),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
);
`;
}
