import type { Entry, RecordStore, Store } from './store.ts';

/** A store for one process, gone when it ends. */
export function memoryStore(): Store {
  return {
    sessions: new MemoryRecords(),
    nodes: new MemoryRecords(),
    documents: new MemoryRecords(),
    activations: new MemoryRecords(),
    roleCredentials: new MemoryRecords(),
  };
}

type Listener<T> = (entry: Entry<T> | undefined) => void;

class MemoryRecords<T> implements RecordStore<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #watchers = new Map<string, Set<Listener<T>>>();
  /** One count for all records, so that a key used again goes on counting. */
  #revision = 0;

  async get(key: string): Promise<Entry<T> | undefined> {
    return this.#entries.get(key);
  }

  async create(key: string, value: T): Promise<Entry<T> | undefined> {
    return this.#entries.has(key) ? undefined : this.#put(key, value);
  }

  async update({ key, revision }: Entry<T>, value: T): Promise<Entry<T> | undefined> {
    return this.#entries.get(key)?.revision === revision ? this.#put(key, value) : undefined;
  }

  async delete({ key, revision }: Entry<T>): Promise<boolean> {
    if (this.#entries.get(key)?.revision !== revision) return false;
    this.#entries.delete(key);
    this.#tell(key, undefined);
    return true;
  }

  async list(): Promise<readonly Entry<T>[]> {
    return [...this.#entries.values()];
  }

  watch(key: string, listener: Listener<T>): () => void {
    // A set of functions would take the same listener twice for one.
    const watcher: Listener<T> = (entry) => listener(entry);
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers.add(watcher));
    const entry = this.#entries.get(key);
    if (entry) this.#tellOne(watchers, watcher, entry);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchers.get(key) === watchers) this.#watchers.delete(key);
    };
  }

  #put(key: string, value: T): Entry<T> {
    const entry = { key, value, revision: ++this.#revision };
    this.#entries.set(key, entry);
    this.#tell(key, entry);
    return entry;
  }

  #tell(key: string, entry: Entry<T> | undefined): void {
    const watchers = this.#watchers.get(key);
    for (const watcher of watchers ?? []) this.#tellOne(watchers!, watcher, entry);
  }

  /** In a job of its own: a watcher that changes the record must not tell others of its change before this one. */
  #tellOne(watchers: Set<Listener<T>>, watcher: Listener<T>, entry: Entry<T> | undefined): void {
    queueMicrotask(() => {
      if (watchers.has(watcher)) watcher(entry);
    });
  }
}
