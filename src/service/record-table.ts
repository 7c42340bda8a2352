import type { Entry } from './store.ts';

type Listener<T> = (entry: Entry<T> | undefined) => void;

/** Records of one kind in the memory of this process, and who watches them. */
export class RecordTable<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #watchers = new Map<string, Set<Listener<T>>>();

  get(key: string): Entry<T> | undefined {
    return this.#entries.get(key);
  }

  list(): readonly Entry<T>[] {
    return [...this.#entries.values()];
  }

  put(entry: Entry<T>): void {
    this.#entries.set(entry.key, entry);
    this.#tell(entry.key, entry);
  }

  remove(key: string): void {
    this.#entries.delete(key);
    this.#tell(key, undefined);
  }

  /** As in `RecordStore`. */
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
