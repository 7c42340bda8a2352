import { describe, expect, test } from 'vitest';
import type { Entry, NodeRecord, RecordStore, Store } from '../../src/service/index.ts';

/** What every {@link Store} must do. `settle` lets its watchers be told. */
export function storeContract(name: string, open: () => Promise<Store>, settle: () => Promise<void>): void {
  const node = (...tags: [string, string][]): NodeRecord => ({ id: 'mi-1', tags: Object.fromEntries(tags) });

  async function opened() {
    const { nodes } = await open();
    const created = (await nodes.create('mi-1', node())) as Entry<NodeRecord>;
    return { nodes, created };
  }

  describe(name, () => {
    test('create, get, update, delete', async () => {
      const { nodes, created } = await opened();
      expect(created).toMatchObject({ key: 'mi-1', value: node() });
      expect(await nodes.get('mi-1')).toEqual(created);
      const updated = (await nodes.update(created, node(['a', 'b'])))!;
      expect(updated.revision).toBeGreaterThan(created.revision);
      expect(await nodes.get('mi-1')).toEqual(updated);
      expect(await nodes.delete(updated)).toBe(true);
      expect(await nodes.get('mi-1')).toBeUndefined();
    });

    test('create leaves a record that is there', async () => {
      const { nodes, created } = await opened();
      expect(await nodes.create('mi-1', node(['a', 'b']))).toBeUndefined();
      expect(await nodes.get('mi-1')).toEqual(created);
    });

    test('of two updates of one version, one wins', async () => {
      const { nodes, created } = await opened();
      const results = await Promise.all([
        nodes.update(created, node(['by', 'first'])),
        nodes.update(created, node(['by', 'second'])),
      ]);
      expect(results.filter((entry) => entry !== undefined)).toEqual([await nodes.get('mi-1')]);
    });

    test('an old version neither updates nor deletes, not even a record of the same key made later', async () => {
      const { nodes, created } = await opened();
      const updated = (await nodes.update(created, node()))!;
      expect(await nodes.delete(created)).toBe(false);
      await nodes.delete(updated);
      expect(await nodes.update(updated, node())).toBeUndefined();
      await nodes.create('mi-1', node());
      expect(await nodes.update(created, node(['old', 'one']))).toBeUndefined();
      expect(await nodes.update(updated, node(['old', 'one']))).toBeUndefined();
    });

    test('keeps its kinds of records apart, and as they are', async () => {
      const store = await open();
      const records = {
        sessions: { sessionId: 's' },
        nodes: { id: 's' },
        documents: { name: 's' },
        activations: { activationId: 's', registrations: [{ instanceId: 'mi-1', machine: 'm' }] },
        roleCredentials: { accessKeyId: 's', secretAccessKey: 'x+/=', expires: 1_800_000_000_000 },
      };
      for (const [kind, value] of Object.entries(records)) {
        await (store[kind as keyof Store] as RecordStore<unknown>).create('key', value);
      }
      for (const [kind, value] of Object.entries(records)) {
        expect([kind, (await store[kind as keyof Store].get('key'))?.value]).toEqual([kind, value]);
      }
    });

    test('list has every record once', async () => {
      const { nodes } = await opened();
      await nodes.create('mi-2', { ...node(), id: 'mi-2' });
      expect((await nodes.list()).map(({ key }) => key).sort()).toEqual(['mi-1', 'mi-2']);
    });

    test('keys may hold anything an id may', async () => {
      const { nodes } = await open();
      for (const key of ['jane+1=x,@y.z-abc', 'ecs:a_b_c', '../x/*', '__proto__', 'ümläut']) {
        await nodes.create(key, { ...node(), id: key });
        expect((await nodes.get(key))?.value.id).toBe(key);
      }
    });

    test('a watcher is told of the record as it is, of changes, and of the removal', async () => {
      const { nodes, created } = await opened();
      const seen: (number | undefined)[] = [];
      const stop = nodes.watch('mi-1', (entry) => seen.push(entry?.revision));
      expect(seen).toEqual([]);
      await settle();
      const updated = (await nodes.update(created, node(['a', 'b'])))!;
      await settle();
      await nodes.delete(updated);
      await settle();
      expect(seen).toEqual([created.revision, updated.revision, undefined]);
      stop();
      await nodes.create('mi-1', node());
      await settle();
      expect(seen).toHaveLength(3);
    });

    test('a watcher of a record that is not there waits for it', async () => {
      const { nodes } = await open();
      const seen: string[] = [];
      nodes.watch('mi-9', (entry) => seen.push(entry?.key ?? 'gone'));
      await settle();
      expect(seen).toEqual([]);
      await nodes.create('mi-9', { ...node(), id: 'mi-9' });
      await settle();
      expect(seen).toEqual(['mi-9']);
    });

    test('a watcher that changes the record sees both versions in order, and so do the others', async () => {
      const { nodes, created } = await opened();
      const seen: number[] = [];
      nodes.watch('mi-1', (entry) => {
        if (entry?.revision === created.revision) nodes.update(entry, node(['a', 'b']));
      });
      nodes.watch('mi-1', (entry) => seen.push(entry!.revision));
      await settle();
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect(seen.at(-1)).toBe((await nodes.get('mi-1'))?.revision);
    });
  });
}
