/**
 * Runs a TypeScript entry of this repository: `node scripts/run.mjs examples/demo.ts [arguments]`.
 *
 * The entry is bundled in one go with esbuild, `hawser/…` imports from `src` and packages from
 * `node_modules`, and imported into this very process: signals, exit status and the terminal are the entry's
 * own, and stdout carries nothing but what it prints.
 */
import { mkdirSync, renameSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const [entry, ...args] = process.argv.slice(2);
if (!entry) {
  console.error('usage: node scripts/run.mjs <entry.ts> [arguments]');
  process.exit(2);
}

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, 'node_modules/.cache/hawser');
const bundle = join(cache, `${relative(root, resolve(entry)).replaceAll(/[^\w.-]/g, '_')}.mjs`);
// Written aside and renamed, so that two runs of one entry never read half a file.
const draft = `${bundle}.${process.pid}`;

mkdirSync(cache, { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: [resolve(entry)],
  outfile: draft,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  tsconfig: join(root, 'tsconfig.json'),
  logLevel: 'warning',
});
renameSync(draft, bundle);

process.setSourceMapsEnabled(true);
process.argv = [process.argv[0], resolve(entry), ...args];
await import(pathToFileURL(bundle).href);
