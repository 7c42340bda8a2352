import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const documents = ['README.md', ...readdirSync(`${root}docs`).map((name) => `docs/${name}`)].map((name) => ({
  name,
  text: readFileSync(`${root}${name}`, 'utf8'),
}));

/**
 * A TypeScript block, and the names that the text around it takes for granted: `<!-- world: client, target -->` before
 * it, `encrypted` for preferences that ask for that. In any block with a world, `region: …, credentials` gets the endpoint of the world as well.
 */
interface Block {
  readonly title: string;
  readonly code: string;
  readonly world: string | undefined;
}

describe('the documents', () => {
  const blocks = documents.flatMap(({ name, text }) => blocksOf(name, text));

  test('have code', () => {
    expect(blocks.length).toBeGreaterThan(8);
  });

  test.each(blocks)('$title runs as it stands', async ({ title, code, world }) => {
    const file = `${root}node_modules/.cache/hawser/${title.replaceAll(/\W/g, '_')}.mjs`;
    await build({
      stdin: { contents: program(code, world), resolveDir: `${root}test/project`, loader: 'ts' },
      outfile: file,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node20',
      tsconfig: `${root}tsconfig.json`,
      logLevel: 'error',
    });
    const printed = await printing(
      () => import(/* @vite-ignore */ `${pathToFileURL(file).href}?${Date.now()}`),
    );
    for (const [, expected] of code.matchAll(/console\.log\(.*\/\/ ([A-Z]\w+)$/gm))
      expect(printed).toContain(expected);
  });

  test('name only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
    for (const { name, text } of documents) {
      for (const [, script] of text.matchAll(/npm (?:run (?:-s )?)?(test|(?<=run (?:-s )?)[\w:-]+)/g)) {
        expect(scripts, `${name}: npm run ${script}`).toHaveProperty([script!]);
      }
    }
  });

  test('link only to files that exist', () => {
    for (const { name, text } of documents) {
      for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        const path = new URL(target!, pathToFileURL(`${root}${name}`));
        expect(() => readFileSync(path), `${name}: ${target}`).not.toThrow();
      }
    }
  });
});

function blocksOf(name: string, text: string): Block[] {
  return [...text.matchAll(/(?:<!-- world(?:: ([\w, ]+))? -->\n)?```ts\n([\s\S]*?)```/g)].map(
    (match, index) => ({
      title: `${name}, block ${index + 1}`,
      world: match[0].startsWith('<!--') ? (match[1] ?? '') : undefined,
      code: match[2]!,
    }),
  );
}

function program(code: string, world: string | undefined): string {
  if (world === undefined) return code;
  const imports = code.match(/^import .*$/gm) ?? [];
  const body = code
    .replaceAll(/^import .*\n/gm, '')
    .replaceAll(/(region: '[\w-]+', credentials)/g, '$1, endpoint');
  const names = world.split(',').map((name) => name.trim());
  const taken = names.filter((name) => !['', 'session', 'encrypted'].includes(name));
  const known = [...new Set([...taken, 'endpoint', 'credentials'])].filter(
    (name) => !new RegExp(`const ${name}\\b`).test(body),
  );
  return `
    import { docsWorld } from './docs-world.ts';
    ${imports.join('\n')}
    const world = await docsWorld({ encrypted: ${names.includes('encrypted')} });
    const { ${known.join(', ')} } = world;
    ${names.includes('session') ? 'const session = await world.startSession();' : ''}
    try { await (async () => { ${body} })(); } finally { await world.close(); }
  `;
}

/** What a block printed. */
async function printing(run: () => Promise<unknown>): Promise<string> {
  const { log } = console;
  const lines: string[] = [];
  console.log = (...values: unknown[]) => lines.push(values.join(' '));
  try {
    await run();
  } finally {
    console.log = log;
  }
  return lines.join('\n');
}
