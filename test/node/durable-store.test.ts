import { chmod, mkdir, readdir, readFile, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DurableStore, durableStore } from 'hawser/node';
import { RECORD_KINDS, type RecordStore } from 'hawser/service';
import { describe, expect, onTestFinished, test } from 'vitest';
import { turn } from '../../src/testing/turn.ts';
import { storeContract } from '../service/store-contract.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

storeContract('durableStore', async () => opened(join(await temporaryDirectory(), 'store')), turn);

/** Closed with the test. */
async function opened(directory: string): Promise<DurableStore> {
  const store = await durableStore(directory);
  onTestFinished(() => store.close());
  return store;
}

interface Value {
  readonly id: string;
}

function nodesOf(store: DurableStore): RecordStore<Value> {
  return store.nodes as unknown as RecordStore<Value>;
}

/** A directory with a store of some records that is not open. */
async function filled(count = 100): Promise<string> {
  const directory = join(await temporaryDirectory(), 'store');
  const store = await durableStore(directory);
  for (let i = 0; i < count; i++) await nodesOf(store).create(`mi-${i}`, { id: 'x'.repeat(1000) });
  await store.close();
  return directory;
}

async function databaseFile(directory: string, suffix: string): Promise<string> {
  const names = await readdir(join(directory, 'records'));
  return join(directory, 'records', names.find((name) => name.endsWith(suffix))!);
}

describe('a durable store that is opened again', () => {
  test.each(RECORD_KINDS)('has its %s, with their versions', async (kind) => {
    const directory = join(await temporaryDirectory(), 'store');
    const before = await durableStore(directory);
    const records = before[kind] as unknown as RecordStore<Value>;
    const first = (await records.create('a', { id: 'first' }))!;
    const second = (await records.update(first, { id: 'second' }))!;
    const gone = (await records.create('\u{1f600}/"\ud800', { id: 'gone' }))!;
    await records.delete(gone);
    await records.create('\u{1f600}/"\ud801', { id: 'stays' });
    await before.close();

    const after = (await opened(directory))[kind] as unknown as RecordStore<Value>;
    expect(await after.get('a')).toEqual(second);
    expect((await after.list()).map(({ key, value }) => [key, value.id]).sort()).toEqual([
      ['a', 'second'],
      ['\u{1f600}/"\ud801', 'stays'],
    ]);
    expect(await after.update(first, { id: 'late' })).toBeUndefined();
    const again = (await after.create('\u{1f600}/"\ud800', { id: 'again' }))!;
    expect(again.revision).toBeGreaterThan(gone.revision);
    expect(await after.delete(gone)).toBe(false);
  });

  test('takes changes that were under way when it was closed, and none after', async () => {
    const directory = join(await temporaryDirectory(), 'store');
    const store = await durableStore(directory);
    const created = Array.from({ length: 50 }, (_, i) => nodesOf(store).create(`mi-${i}`, { id: `${i}` }));
    await turn(); // past the look at what is there
    await store.close();
    await Promise.all(created);
    await expect(nodesOf(store).create('late', { id: 'late' })).rejects.toMatchObject({
      code: 'ERR_STORE_CLOSED',
    });
    expect(await (await opened(directory)).nodes.list()).toHaveLength(50);
  });
});

test('changes made at the same time do not wait for one another, and each is answered', async () => {
  const store = await opened(join(await temporaryDirectory(), 'store'));
  const created = await Promise.all(
    Array.from({ length: 3000 }, (_, i) => nodesOf(store).create(`mi-${i}`, { id: `${i}` })),
  );
  expect(new Set(created.map((entry) => entry?.revision)).size).toBe(3000);
});

test('nothing is seen before it is on the disk', async () => {
  const store = await opened(join(await temporaryDirectory(), 'store'));
  const told: unknown[] = [];
  nodesOf(store).watch('mi-1', (entry) => told.push(entry?.value));
  const created = nodesOf(store).create('mi-1', { id: 'mi-1' });
  await Promise.resolve();
  expect(await nodesOf(store).get('mi-1')).toBeUndefined();
  expect(told).toEqual([]);
  await created;
  expect((await nodesOf(store).get('mi-1'))?.value).toEqual({ id: 'mi-1' });
});

describe('the directory of a durable store', () => {
  test('is for its owner alone', async () => {
    const directory = await filled(1);
    for (const path of [directory, join(directory, 'records')]) {
      expect((await stat(path)).mode & 0o777).toBe(0o700);
    }
    await chmod(directory, 0o750);
    await expect(durableStore(directory)).rejects.toMatchObject({ code: 'ERR_STORE_MODE' });
  });

  test('belongs to one store at a time', async () => {
    const directory = join(await temporaryDirectory(), 'store');
    const store = await durableStore(directory);
    await expect(durableStore(directory)).rejects.toMatchObject({ code: 'ERR_STORE_LOCKED' });
    await store.close();
    await opened(directory);
  });

  test('may be left half made', async () => {
    const directory = join(await temporaryDirectory(), 'store');
    await mkdir(join(directory, 'records'), { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
    await writeFile(join(directory, 'format.json.new'), '{"for');
    await opened(directory);
  });

  test('of something else is left alone', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'letters.txt'), 'Dear');
    await expect(durableStore(directory)).rejects.toMatchObject({ code: 'ERR_STORE_UNREADABLE' });
    expect(await readdir(directory)).toEqual(['letters.txt']);
  });

  test('of a later format is left alone', async () => {
    const directory = await filled();
    await writeFile(join(directory, 'format.json'), '{"format":2}');
    const names = await readdir(join(directory, 'records'));
    await expect(durableStore(directory)).rejects.toMatchObject({ code: 'ERR_STORE_FORMAT' });
    expect(await readdir(join(directory, 'records'))).toEqual(names);
  });

  test('that is damaged is told, again and again, and never made anew', async () => {
    const damages: Record<string, (directory: string) => Promise<void>> = {
      'a damaged format': (directory) => writeFile(join(directory, 'format.json'), '{"for'),
      'no database': async (directory) => truncate(await databaseFile(directory, 'CURRENT'), 0),
      'an empty log': async (directory) => truncate(await databaseFile(directory, '.log'), 0),
      'a flipped bit in the log': async (directory) => flip(await databaseFile(directory, '.log')),
      'a flipped bit in a table': async (directory) => {
        await (await durableStore(directory)).close(); // the log is made a table
        await flip(await databaseFile(directory, '.ldb'));
      },
    };
    for (const [name, damage] of Object.entries(damages)) {
      const directory = await filled();
      await damage(directory);
      for (let i = 0; i < 2; i++) {
        await expect(durableStore(directory), name).rejects.toMatchObject({ code: 'ERR_STORE_UNREADABLE' });
      }
    }
  });

  test('whose format is lost keeps its records', async () => {
    const directory = await filled();
    await writeFile(join(directory, 'format.json.new'), await readFile(join(directory, 'format.json')));
    await unlink(join(directory, 'format.json'));
    await expect(durableStore(directory)).rejects.toMatchObject({ code: 'ERR_STORE_UNREADABLE' });
    await writeFile(join(directory, 'format.json'), '{"format":1}');
    expect(await (await opened(directory)).nodes.list()).toHaveLength(100);
  });
});

async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(file, bytes);
}
