import { RecordTable } from '../service/record-table.ts';
import type { Entry, RecordKind, RecordStore } from '../service/store.ts';
import type { GroupCommit } from './group-commit.ts';
import { formatRecord, storedKey } from './store-lines.ts';

/**
 * Records of one kind in memory, every change of which is in the database before anybody sees it: nothing is answered
 * from what a crash could take back.
 */
export class DurableRecords<T> implements RecordStore<T> {
  readonly #kind: RecordKind;
  readonly #commit: GroupCommit;
  readonly #table = new RecordTable<T>();
  /** Changes that are being written, by key. They never reject. */
  readonly #changing = new Map<string, Promise<unknown>>();

  constructor(kind: RecordKind, commit: GroupCommit, entries: readonly Entry<T>[]) {
    this.#kind = kind;
    this.#commit = commit;
    for (const entry of entries) this.#table.put(entry);
  }

  async get(key: string): Promise<Entry<T> | undefined> {
    return this.#table.get(key);
  }

  create(key: string, value: T): Promise<Entry<T> | undefined> {
    return this.#alone(key, (entry) => (entry ? undefined : this.#put(key, value)));
  }

  update({ key, revision }: Entry<T>, value: T): Promise<Entry<T> | undefined> {
    return this.#alone(key, (entry) => (entry?.revision === revision ? this.#put(key, value) : undefined));
  }

  delete({ key, revision }: Entry<T>): Promise<boolean> {
    return this.#alone(key, async (entry) => {
      if (entry?.revision !== revision) return false;
      await this.#change(key, undefined);
      return true;
    });
  }

  async list(): Promise<readonly Entry<T>[]> {
    return this.#table.list();
  }

  watch(key: string, listener: (entry: Entry<T> | undefined) => void): () => void {
    return this.#table.watch(key, listener);
  }

  /** One change of a record at a time: whether the next may be made depends on this one. */
  async #alone<R>(key: string, act: (entry: Entry<T> | undefined) => R): Promise<Awaited<R>> {
    for (let other = this.#changing.get(key); other; other = this.#changing.get(key)) await other;
    return await act(this.#table.get(key));
  }

  async #put(key: string, value: T): Promise<Entry<T>> {
    const entry = { key, value, revision: this.#commit.nextRevision() };
    await this.#change(key, entry);
    return entry;
  }

  #change(key: string, entry: Entry<T> | undefined): Promise<void> {
    const at = storedKey(this.#kind, key);
    const written = this.#commit.commit({
      change: entry
        ? { type: 'put', key: at, value: formatRecord(at, entry.revision, entry.value) }
        : { type: 'del', key: at },
      before: this.#table.get(key)?.revision,
      after: entry?.revision,
      apply: () => {
        if (entry) this.#table.put(entry);
        else this.#table.remove(key);
      },
    });
    const settled = () => this.#changing.delete(key);
    this.#changing.set(key, written.then(settled, settled));
    return written;
  }
}
