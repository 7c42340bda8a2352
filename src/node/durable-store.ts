import { resolve } from 'node:path';
import {
  type Entry,
  RECORD_KINDS,
  type RecordKind,
  type RecordStore,
  type Store,
  storeOf,
} from '../service/store.ts';
import { DurableRecords } from './durable-records.ts';
import { NodeError } from './error.ts';
import { GroupCommit } from './group-commit.ts';
import { type Level, loadLevel } from './level.ts';
import { finishDirectory, openDirectory, unreadable } from './store-directory.ts';
import {
  counted,
  EMPTY_TALLY,
  formatTally,
  parseRecord,
  parseTally,
  TALLY_KEY,
  type Tally,
} from './store-lines.ts';

export interface DurableStoreOptions {
  /**
   * Whether a change counts as made only when the disk says that it has it (`fdatasync`): then it survives a power cut.
   * Without it, changes survive the end of the process, by kill -9 as well, and a power cut may take back the last of
   * them, never parts of one. Default true. Changes that are made at the same time share one flush.
   */
  readonly flush?: boolean;
}

/** A {@link Store} in a directory. */
export interface DurableStore extends Store {
  /**
   * Waits for the changes that are under way, and gives the directory free. Later changes fail with `ERR_STORE_CLOSED`.
   * To end the process without it loses nothing.
   */
  close(): Promise<void>;
}

/**
 * A store that lasts: what a call has answered for is there after the process was killed at any point, and after the
 * machine lost its power. It needs no server: the records are in LevelDB, in a directory that its owner alone can look
 * into, for they hold the credentials of nodes. All of them are kept in memory besides, as by `memoryStore`: reading
 * costs the same. One process at a time has the directory; that of one that was killed is free at once. Needs the optional
 * peer dependency `classic-level`.
 *
 *     const store = await durableStore('/var/lib/my-service/store');
 *     const service = new SessionManagerService({ region, accountId, credentials, store });
 *     await service.resume();
 *
 * A directory that is damaged, of a later version, or of something else is refused, at every call. Damage to the very
 * last change alone cannot be told from a change that the end of the machine cut off.
 *
 * @param directory made with mode 0700 when it is missing. On a disk of this machine: not on NFS
 * @throws {NodeError} `ERR_STORE_LOCKED`, `ERR_STORE_UNREADABLE`, `ERR_STORE_FORMAT`, `ERR_STORE_MODE`,
 * `ERR_LEVEL_MISSING`
 */
export async function durableStore(
  directory: string,
  options: DurableStoreOptions = {},
): Promise<DurableStore> {
  const { flush = true } = options;
  const path = resolve(directory);
  const ClassicLevel = await loadLevel();
  const { isNew, database } = await openDirectory(path);
  const level = new ClassicLevel(database, { createIfMissing: isNew });
  await level.open().catch((error) => {
    throw isLocked(error) ? locked(path) : unreadable(path, 'The database does not open.', error);
  });
  try {
    const { entries, found, tally = isNew ? EMPTY_TALLY : undefined } = await load(level, path);
    if (!tally || found.count !== tally.count || found.sum !== tally.sum) {
      throw unreadable(
        path,
        `The database lost something: ${found.count} of ${tally?.count ?? '?'} records are there.`,
      );
    }
    if (isNew) {
      if (tally.revision > 0) throw unreadable(path, 'The file with its format is missing.');
      await level.batch([{ type: 'put', key: TALLY_KEY, value: formatTally(tally) }], { sync: true });
      await finishDirectory(path);
    }
    const commit = new GroupCommit(level, tally, { directory: path, sync: flush });
    return {
      ...storeOf(<T>(kind: RecordKind): RecordStore<T> => {
        return new DurableRecords(kind, commit, entries[kind] as Entry<T>[]);
      }),
      async close() {
        await commit.close();
        await level.close();
      },
    };
  } catch (error) {
    await level.close();
    throw error;
  }
}

type Entries = Readonly<Record<RecordKind, Entry<unknown>[]>>;

/** What there is, beside what there was after the last change. */
interface Loaded {
  readonly entries: Entries;
  readonly found: Tally;
  readonly tally: Tally | undefined;
}

async function load(level: Level, path: string): Promise<Loaded> {
  const entries = Object.fromEntries(RECORD_KINDS.map((kind) => [kind, []])) as unknown as Entries;
  let tally: Tally | undefined;
  let found = EMPTY_TALLY;
  try {
    for await (const [at, line] of level.iterator()) {
      if (at === TALLY_KEY) {
        tally = parseTally(line);
        continue;
      }
      const { kind, key, revision, value } = parseRecord(at, line);
      if (kind) entries[kind].push({ key, value, revision });
      found = counted(found, undefined, revision);
    }
  } catch (cause) {
    throw unreadable(path, 'The database is damaged.', cause);
  }
  return { entries, found, tally };
}

function isLocked(error: { readonly cause?: { readonly code?: string } }): boolean {
  return error.cause?.code === 'LEVEL_LOCKED';
}

function locked(path: string): NodeError {
  return new NodeError(
    'ERR_STORE_LOCKED',
    `The store in ${path} is in use, by another process or by this one. Stop that one first, or choose another directory.`,
  );
}
