import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** docs/design.md, "The floors": a file imports only from its own folder or from a lower floor. */
const FLOORS: Record<string, number> = {
  base: -1,
  crypto: 0,
  policy: 0,
  channel: 1,
  core: 2,
  kms: 3,
  agent: 4,
  service: 4,
  node: 5,
  testing: 5,
  bin: 6,
};

/** What touches the world. Only floor 5 and the runtime file may. */
const WORLD =
  /(?<![.#\w])(?:process|Buffer|Deno|Bun|window)\.|(?<![.#\w])(?:setTimeout|setInterval|setImmediate)\(|'node:|Date\.now|new Date\(\)|Math\.random|globalThis\.|(?:await|return|=|=>) fetch\(/;
const RUNTIME = 'core/runtime.ts';

const src = fileURLToPath(new URL('../../src/', import.meta.url));
const files = sourceFiles(src).map((path) => ({
  path,
  name: relative(src, path),
  text: readFileSync(path, 'utf8'),
}));

describe('every file of src', () => {
  test('is on a floor', () => {
    const folders = new Set(
      files.filter(({ name }) => name.includes('/')).map(({ name }) => name.split('/')[0]!),
    );
    for (const folder of folders) expect(FLOORS, folder).toHaveProperty(folder);
  });

  test('imports only from its own folder or from a lower floor', () => {
    const upward = files.flatMap(({ path, name, text }) => {
      const folder = name.split('/')[0]!;
      if (!(folder in FLOORS)) return []; // src/index.ts stands on the roof
      return relativeImports(text)
        .map((specifier) => relative(src, resolve(dirname(path), specifier)))
        .filter((target) => {
          const other = target.split('/')[0]!;
          return other !== folder && !(FLOORS[other]! < FLOORS[folder]!);
        })
        .map((target) => `${name} → ${target}`);
    });
    expect(upward).toEqual([]);
  });

  test('imports no circle', () => {
    const graph = new Map(
      files.map(({ path, name, text }) => [
        name,
        relativeImports(text, true).map((specifier) => relative(src, resolve(dirname(path), specifier))),
      ]),
    );
    expect(circle(graph)).toEqual([]);
  });

  test('leaves the world to floor 5, what stands on it, and the runtime file', () => {
    const worldly = files
      .filter(({ name }) => name !== RUNTIME && !(FLOORS[name.split('/')[0]!]! >= 5))
      .flatMap(({ name, text }) =>
        withoutComments(text)
          .split('\n')
          .filter((line) => WORLD.test(line))
          .map((line) => `${name}: ${line.trim()}`),
      );
    expect(worldly).toEqual([]);
  });
});

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? sourceFiles(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

/** @param valuesOnly leaves out `import type`, which is gone at run time */
function relativeImports(text: string, valuesOnly = false): string[] {
  const pattern = valuesOnly
    ? /^(?:import|export)(?! type)[^;]*?from '(\.[^']+)'/gm
    : /(?:^(?:import|export)[^;]*?from |import\()'(\.[^']+)'/gm;
  return [...text.matchAll(pattern)].map((match) => match[1]!);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}

/** The files of one circle of imports, or none. */
function circle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): string[] => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    if (done.has(name)) return [];
    for (const next of graph.get(name) ?? []) {
      const found = visit(next, [...trail, name]);
      if (found.length > 0) return found;
    }
    done.add(name);
    return [];
  };
  for (const name of graph.keys()) {
    const found = visit(name, []);
    if (found.length > 0) return found;
  }
  return [];
}
