import { type RecordKind, type RecordStore, type Store, storeOf } from '../../src/service/store.ts';

/** A store as a process has it that will be killed: from then on it does nothing and hears nothing. */
export function mortalStore(store: Store): { readonly store: Store; kill(): void } {
  let alive = true;
  const call = <R>(work: () => Promise<R>): Promise<R> => (alive ? work() : new Promise(() => {}));
  const mortal = <T>(records: RecordStore<T>): RecordStore<T> => ({
    get: (key) => call(() => records.get(key)),
    create: (key, value) => call(() => records.create(key, value)),
    update: (entry, value) => call(() => records.update(entry, value)),
    delete: (entry) => call(() => records.delete(entry)),
    list: () => call(() => records.list()),
    watch: (key, listener) => records.watch(key, (entry) => alive && listener(entry)),
  });
  return {
    store: storeOf(<T>(kind: RecordKind) => mortal(store[kind] as RecordStore<unknown>) as RecordStore<T>),
    kill: () => {
      alive = false;
    },
  };
}
