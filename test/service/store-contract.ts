import { describe, expect, test } from 'vitest';
import { type Entry, RECORD_KINDS, type RecordStore, type Store } from '../../src/service/index.ts';

/** Plain JSON, as every record is; the store does not look into it. */
interface Value {
  readonly id: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly more?: unknown;
}

/** What every {@link Store} must do, for every kind of records. `settle` lets its watchers be told. */
export function storeContract(name: string, open: () => Promise<Store>, settle: () => Promise<void>): void {
  const value = (...tags: [string, string][]): Value => ({ id: 'mi-1', tags: Object.fromEntries(tags) });

  describe.each(RECORD_KINDS)(`${name}: %s`, (kind) => {
    const fresh = async () => (await open())[kind] as unknown as RecordStore<Value>;

    async function opened() {
      const records = await fresh();
      const created = (await records.create('mi-1', value())) as Entry<Value>;
      return { records, created };
    }

    test('create, get, update, delete', async () => {
      const { records, created } = await opened();
      expect(created).toMatchObject({ key: 'mi-1', value: value() });
      expect(await records.get('mi-1')).toEqual(created);
      const updated = (await records.update(created, value(['a', 'b'])))!;
      expect(updated.revision).toBeGreaterThan(created.revision);
      expect(await records.get('mi-1')).toEqual(updated);
      expect(await records.delete(updated)).toBe(true);
      expect(await records.get('mi-1')).toBeUndefined();
    });

    test('create leaves a record that is there', async () => {
      const { records, created } = await opened();
      expect(await records.create('mi-1', value(['a', 'b']))).toBeUndefined();
      expect(await records.get('mi-1')).toEqual(created);
    });

    test('of two creates of one key, one wins', async () => {
      const records = await fresh();
      const results = await Promise.all([
        records.create('mi-1', value(['by', 'first'])),
        records.create('mi-1', value(['by', 'second'])),
      ]);
      expect(results.filter((entry) => entry !== undefined)).toEqual([await records.get('mi-1')]);
    });

    test('of two updates of one version, one wins', async () => {
      const { records, created } = await opened();
      const results = await Promise.all([
        records.update(created, value(['by', 'first'])),
        records.update(created, value(['by', 'second'])),
      ]);
      expect(results.filter((entry) => entry !== undefined)).toEqual([await records.get('mi-1')]);
    });

    test('of an update and a delete of one version, one wins', async () => {
      const { records, created } = await opened();
      const [deleted, updated] = await Promise.all([
        records.delete(created),
        records.update(created, value()),
      ]);
      expect([deleted, updated !== undefined].filter(Boolean)).toHaveLength(1);
      expect(await records.get('mi-1')).toEqual(updated);
    });

    test('who loses finds the version of who won', async () => {
      const { records, created } = await opened();
      const winner = records.update(created, value(['by', 'first']));
      expect(await records.update(created, value(['by', 'second']))).toBeUndefined();
      expect((await records.get('mi-1'))?.value).toEqual(value(['by', 'first']));
      await winner;
    });

    test('an old version neither updates nor deletes, not even a record of the same key made later', async () => {
      const { records, created } = await opened();
      const updated = (await records.update(created, value()))!;
      expect(await records.delete(created)).toBe(false);
      await records.delete(updated);
      expect(await records.update(updated, value())).toBeUndefined();
      await records.create('mi-1', value());
      expect(await records.update(created, value(['old', 'one']))).toBeUndefined();
      expect(await records.update(updated, value(['old', 'one']))).toBeUndefined();
    });

    test('keeps values as they are', async () => {
      const records = await fresh();
      const values: Value[] = [
        { id: '', more: { list: [{ instanceId: 'mi-1' }, null, true], empty: [], none: {} } },
        { id: 'x+/=\u0000\n"ümläut 😀', more: 1_800_000_000_000.5 },
        { id: 'long', more: 'x'.repeat(100_000) },
      ];
      for (const each of values) {
        await records.create(each.id, each);
        expect((await records.get(each.id))?.value).toEqual(each);
      }
    });

    test('list has every record once', async () => {
      const { records } = await opened();
      await records.create('mi-2', { id: 'mi-2' });
      expect((await records.list()).map(({ key }) => key).sort()).toEqual(['mi-1', 'mi-2']);
    });

    test('keys may hold anything an id may', async () => {
      const records = await fresh();
      for (const key of ['jane+1=x,@y.z-abc', 'ecs:a_b_c', '../x/*', '__proto__', 'ümläut']) {
        await records.create(key, { id: key });
        expect((await records.get(key))?.value.id).toBe(key);
      }
    });

    test('a watcher is told of the record as it is, of changes, and of the removal', async () => {
      const { records, created } = await opened();
      const seen: (number | undefined)[] = [];
      const stop = records.watch('mi-1', (entry) => seen.push(entry?.revision));
      expect(seen).toEqual([]);
      await settle();
      const updated = (await records.update(created, value(['a', 'b'])))!;
      await settle();
      await records.delete(updated);
      await settle();
      expect(seen).toEqual([created.revision, updated.revision, undefined]);
      stop();
      await records.create('mi-1', value());
      await settle();
      expect(seen).toHaveLength(3);
    });

    test('a watcher of a record that is not there waits for it', async () => {
      const records = await fresh();
      const seen: string[] = [];
      records.watch('mi-9', (entry) => seen.push(entry?.key ?? 'gone'));
      await settle();
      expect(seen).toEqual([]);
      await records.create('mi-9', { id: 'mi-9' });
      await settle();
      expect(seen).toEqual(['mi-9']);
    });

    test('a watcher that changes the record sees both versions in order, and so do the others', async () => {
      const { records, created } = await opened();
      const seen: number[] = [];
      const changed = new Promise<void>((resolve) => {
        records.watch('mi-1', (entry) => {
          if (entry?.revision === created.revision)
            records.update(entry, value(['a', 'b'])).then(() => resolve());
        });
      });
      records.watch('mi-1', (entry) => seen.push(entry!.revision));
      await settle();
      await changed;
      await settle();
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect(seen.at(-1)).toBe((await records.get('mi-1'))?.revision);
    });
  });

  test(`${name} keeps its kinds of records apart`, async () => {
    const store = await open();
    const records = (kind: (typeof RECORD_KINDS)[number]) => store[kind] as unknown as RecordStore<Value>;
    for (const kind of RECORD_KINDS) await records(kind).create('key', { id: kind });
    for (const kind of RECORD_KINDS) {
      expect((await records(kind).list()).map(({ value }) => value)).toEqual([{ id: kind }]);
    }
  });
}
