import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { durableStore } from 'hawser/node';
import { afterEach, expect, test, vi } from 'vitest';
import { DurableRecords } from '../../src/node/durable-records.ts';
import { GroupCommit } from '../../src/node/group-commit.ts';
import type { Level, LevelChange } from '../../src/node/level.ts';
import { EMPTY_TALLY } from '../../src/node/store-lines.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

afterEach(() => {
  vi.doUnmock('classic-level');
  vi.resetModules();
});

/** A database on a disk that is full after so many batches. */
class FullDisk implements Level {
  readonly written: LevelChange[] = [];
  #left: number;

  constructor(batches: number) {
    this.#left = batches;
  }

  async batch(changes: readonly LevelChange[]): Promise<void> {
    await Promise.resolve();
    if (this.#left-- <= 0)
      throw Object.assign(new Error('IO error: No space left on device'), { code: 'ENOSPC' });
    this.written.push(...changes);
  }

  async *iterator(): AsyncIterable<[string, string]> {}

  async close(): Promise<void> {}
}

test('a store that cannot be written takes no more changes, and shows none that may be lost', async () => {
  const disk = new FullDisk(1);
  const commit = new GroupCommit(disk, EMPTY_TALLY, { directory: '/store', sync: true });
  const records = new DurableRecords<{ id: string }>('nodes', commit, []);
  const first = (await records.create('a', { id: '1' }))!;
  const told: unknown[] = [];
  records.watch('a', (entry) => told.push(entry?.value.id));

  // The second of a key waits for the first, and one of them for the batch that fails.
  const changes = [
    records.update(first, { id: '2' }),
    records.update(first, { id: '3' }),
    records.create('b', { id: '1' }),
    records.delete(first),
  ];
  for (const change of changes) {
    await expect(change).rejects.toMatchObject({
      code: 'ERR_STORE_WRITE',
      message: expect.stringContaining('/store could not be written'),
      cause: { code: 'ENOSPC' },
    });
  }
  await expect(records.create('c', { id: '1' })).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
  expect(await records.list()).toEqual([first]);
  expect(told).toEqual(['1']);
  await commit.close();
  await expect(records.create('c', { id: '1' })).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
  expect(disk.written.filter(({ key }) => key.startsWith('nodes/'))).toHaveLength(1);
});

test('without the package of the database it is said which one to install', async () => {
  vi.resetModules();
  vi.doMock('classic-level', () => {
    throw new Error("Cannot find package 'classic-level'");
  });
  const { durableStore: withoutPackage } = await import('../../src/node/durable-store.ts');
  const directory = join(await temporaryDirectory(), 'store');
  await expect(withoutPackage(directory)).rejects.toMatchObject({
    code: 'ERR_LEVEL_MISSING',
    message: expect.stringContaining('npm install classic-level@3'),
    cause: expect.any(Error),
  });
});

test('a directory that cannot be made or read is no store', async () => {
  const folder = await temporaryDirectory();
  await writeFile(join(folder, 'file'), '');
  await mkdir(join(folder, 'format', 'format.json'), { recursive: true, mode: 0o700 });
  for (const path of ['file', 'file/below', 'format']) {
    await expect(durableStore(join(folder, path)), path).rejects.toMatchObject({
      code: 'ERR_STORE_UNREADABLE',
      cause: expect.any(Error),
    });
  }
});
