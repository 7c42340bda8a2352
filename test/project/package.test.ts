import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const subpaths = Object.keys(manifest.exports).filter((subpath) => subpath !== './package.json');

// The built package, which `npm test` makes before it runs the tests.
describe('the built package', () => {
  test('has every file that package.json exports', () => {
    const files = subpaths.flatMap((subpath) =>
      Object.values(manifest.exports[subpath]).flatMap((entry) => Object.values(entry as object)),
    );
    expect(files.length).toBe(4 * subpaths.length);
    for (const file of files) expect(existsSync(`${root}${file}`), `${file}: run npm run build`).toBe(true);
  });

  test.each(subpaths)('%s gives the same names to import and to require', async (subpath) => {
    const specifier = `hawser${subpath.slice(1)}`;
    const required = createRequire(`${root}package.json`)(specifier);
    const imported = JSON.parse(
      run('node', [
        '--input-type=module',
        '-e',
        `console.log(JSON.stringify(Object.keys(await import('${specifier}')).sort()))`,
      ]),
    );
    expect(Object.keys(required).sort()).toEqual(imported);
    expect(imported.length).toBeGreaterThan(0);
  });

  test('has one HawserError in CommonJS, whatever subpath it comes through', () => {
    const script = `
      const { MessageError, decodeMessage } = require('hawser/channel');
      const { HawserError } = require('hawser');
      const { sha256Digest } = require('hawser/crypto');
      try { decodeMessage(new Uint8Array(), sha256Digest); } catch (error) {
        console.log(error instanceof MessageError, error instanceof HawserError);
      }`;
    expect(run('node', ['--input-type=commonjs', '-e', script])).toBe('true true\n');
  });

  test.each(Object.entries<string>(manifest.bin))('%s is a program', (_, file) => {
    expect(run(`${root}${file}`, ['--version'])).toMatch(/^\d+\.\d+/);
  });

  test('passes publint', () => {
    expect(run('npx', ['publint', '--strict'])).toContain('All good');
  });

  test('has types that resolve in every module mode', () => {
    run('npx', ['attw', '--pack', '.', '--profile', 'node16', '--quiet']);
  }, 60_000);

  test('packs nothing but the build and the papers', () => {
    const [{ files }] = JSON.parse(run('npm', ['pack', '--dry-run', '--json']));
    const strange = files
      .map(({ path }: { path: string }) => path)
      .filter((path: string) => !/^(dist\/|package\.json$|README\.md$|CHANGELOG\.md$|LICENSE$)/.test(path));
    expect(strange).toEqual([]);
  });
});

function run(command: string, args: string[]): string {
  // Packing would build again, under the feet of the other tests.
  const env = { ...process.env, npm_config_ignore_scripts: 'true' };
  return execFileSync(command, args, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
