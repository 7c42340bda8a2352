import { RecordTable } from './record-table.ts';
import { type Entry, type RecordStore, type Store, storeOf } from './store.ts';

/** A store for one process, gone when it ends. */
export function memoryStore(): Store {
  return storeOf(() => new MemoryRecords());
}

class MemoryRecords<T> implements RecordStore<T> {
  readonly #table = new RecordTable<T>();
  /** One count for all records, so that a key used again goes on counting. */
  #revision = 0;

  async get(key: string): Promise<Entry<T> | undefined> {
    return this.#table.get(key);
  }

  async create(key: string, value: T): Promise<Entry<T> | undefined> {
    return this.#table.get(key) ? undefined : this.#put(key, value);
  }

  async update({ key, revision }: Entry<T>, value: T): Promise<Entry<T> | undefined> {
    return this.#table.get(key)?.revision === revision ? this.#put(key, value) : undefined;
  }

  async delete({ key, revision }: Entry<T>): Promise<boolean> {
    if (this.#table.get(key)?.revision !== revision) return false;
    this.#table.remove(key);
    return true;
  }

  async list(): Promise<readonly Entry<T>[]> {
    return this.#table.list();
  }

  watch(key: string, listener: (entry: Entry<T> | undefined) => void): () => void {
    return this.#table.watch(key, listener);
  }

  #put(key: string, value: T): Entry<T> {
    const entry = { key, value, revision: ++this.#revision };
    this.#table.put(entry);
    return entry;
  }
}
