import { NodeError } from './error.ts';

/** @throws {NodeError} `ERR_LEVEL_MISSING` */
export async function loadLevel() {
  try {
    const { ClassicLevel } = await import('classic-level');
    return ClassicLevel;
  } catch (cause) {
    throw new NodeError(
      'ERR_LEVEL_MISSING',
      'A durable store needs the package classic-level, which could not be loaded. Install it beside hawser: npm install classic-level@3',
      { cause },
    );
  }
}

/** What a durable store needs of the database: keys and values are text, batches are written whole or not at all. */
export interface Level {
  batch(changes: readonly LevelChange[], options: { readonly sync: boolean }): Promise<void>;
  iterator(): AsyncIterable<[string, string]>;
  close(): Promise<void>;
}

export type LevelChange =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string };
