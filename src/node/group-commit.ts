import { type Deferred, deferred } from '../base/deferred.ts';
import { NodeError } from './error.ts';
import type { Level, LevelChange } from './level.ts';
import { counted, formatTally, TALLY_KEY, type Tally } from './store-lines.ts';

/** One change of one record. */
export interface Write {
  readonly change: LevelChange;
  /** Revision of the record before and after it; `undefined` for no record. */
  readonly before: number | undefined;
  readonly after: number | undefined;
  /** Shows it to readers, once it is on the disk. */
  apply(): void;
}

/**
 * Writes changes to the database, many at once: those that come while a batch is being written make up the next one,
 * so that a disk that is asked to flush costs each of them little. Batches are in the order of their changes, and each
 * is there whole or not at all.
 */
export class GroupCommit {
  readonly #level: Level;
  readonly #sync: boolean;
  readonly #directory: string;
  #tally: Tally;
  #revision: number;
  #waiting: { readonly write: Write; readonly done: Deferred<void> }[] = [];
  #writing: Promise<void> | undefined;
  #refusal: NodeError | undefined;

  constructor(level: Level, tally: Tally, options: { readonly directory: string; readonly sync: boolean }) {
    this.#level = level;
    this.#tally = tally;
    this.#revision = tally.revision;
    this.#directory = options.directory;
    this.#sync = options.sync;
  }

  /** For the next version of a record: one count for all, so that a key used again goes on counting. */
  nextRevision(): number {
    return ++this.#revision;
  }

  /**
   * Resolves once the change is written and applied. No other of the same record may be under way.
   *
   * @throws {NodeError} `ERR_STORE_WRITE`, `ERR_STORE_CLOSED`
   */
  async commit(write: Write): Promise<void> {
    if (this.#refusal) throw this.#refusal;
    const done = deferred<void>();
    this.#waiting.push({ write, done });
    this.#writing ??= this.#writeAll();
    await done.promise;
  }

  /** Takes no more changes, and waits for those that it has. */
  async close(): Promise<void> {
    this.#refusal ??= new NodeError('ERR_STORE_CLOSED', `The store in ${this.#directory} has been closed.`);
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, MAX_GROUP);
      try {
        const tally = group.reduce((sum, { write }) => counted(sum, write.before, write.after), this.#tally);
        const told: LevelChange = { type: 'put', key: TALLY_KEY, value: formatTally(tally) };
        await this.#level.batch([...group.map(({ write }) => write.change), told], { sync: this.#sync });
        this.#tally = tally;
        for (const { write, done } of group) {
          write.apply();
          done.resolve();
        }
      } catch (cause) {
        this.#fail(cause, group);
      }
    }
    this.#writing = undefined;
  }

  /** What of a failed batch is on the disk nobody can tell, so nothing may be built on either answer. */
  #fail(cause: unknown, group: readonly { readonly done: Deferred<void> }[]): void {
    const refusal = new NodeError(
      'ERR_STORE_WRITE',
      `The store in ${this.#directory} could not be written, and takes no more changes: see that the disk has room and is well, then open it again.`,
      { cause },
    );
    this.#refusal = refusal;
    for (const { done } of [...group, ...this.#waiting.splice(0)]) done.reject(refusal);
  }
}

/** Changes of one batch: a bound for how long the last of them may take. */
const MAX_GROUP = 1000;
