import { HawserError } from '../base/error.ts';
import type { AccessRequestRecord } from './access-request-record.ts';
import type { ActivationRecord } from './activation-record.ts';
import type { DocumentContentRecord, DocumentRecord } from './document-record.ts';
import type { NodeRecord } from './node-record.ts';
import type { RoleCredentialsRecord } from './role-credentials-record.ts';
import type { SessionRecord } from './session-record.ts';
import type { SettingRecord } from './setting-record.ts';

/**
 * Where the service keeps what must outlive a connection, and what several relays must agree on: small records
 * of plain JSON, changed by compare-and-set, and watched. One process uses {@link memoryStore}; a shared engine
 * takes its place when there are several (ARCHITECTURE.md, "Past one machine"). Tokens and activation codes are kept
 * hashed, inside the record they open, so that using one up and what follows from it are one change. The role
 * credentials of nodes, and those of requests for access, are secrets, which a shared engine has to keep as such.
 */
export interface Store {
  readonly sessions: RecordStore<SessionRecord>;
  readonly nodes: RecordStore<NodeRecord>;
  /** By name. */
  readonly documents: RecordStore<DocumentRecord>;
  /** By content id, of the versions of documents. */
  readonly documentContents: RecordStore<DocumentContentRecord>;
  /** By setting id. */
  readonly settings: RecordStore<SettingRecord>;
  /** By activation id. */
  readonly activations: RecordStore<ActivationRecord>;
  /** By id. Records hold secrets. */
  readonly accessRequests: RecordStore<AccessRequestRecord>;
  /** By access key id. Records hold secrets. */
  readonly roleCredentials: RecordStore<RoleCredentialsRecord>;
}

/** The name of a kind of records in {@link Store}. */
export type RecordKind = keyof Store;

/** A line for each; the compiler misses the one that is forgotten. */
const KINDS: Readonly<Record<RecordKind, true>> = {
  sessions: true,
  nodes: true,
  documents: true,
  documentContents: true,
  settings: true,
  activations: true,
  accessRequests: true,
  roleCredentials: true,
};

/** Every kind, for those who keep all of them alike. */
export const RECORD_KINDS = Object.keys(KINDS) as readonly RecordKind[];

/** A store that keeps every kind of records in what `open` answers for it, whatever kinds there are. */
export function storeOf(open: <T>(kind: RecordKind) => RecordStore<T>): Store {
  return Object.fromEntries(RECORD_KINDS.map((kind) => [kind, open(kind)])) as unknown as Store;
}

/** One version of a record. Never to be modified in place. */
export interface Entry<T> {
  readonly key: string;
  readonly value: T;
  /** Grows with every change of the record. */
  readonly revision: number;
}

export interface RecordStore<T> {
  get(key: string): Promise<Entry<T> | undefined>;
  /** `undefined` when the key is taken. */
  create(key: string, value: T): Promise<Entry<T> | undefined>;
  /** Puts `value` in the place of `entry`. `undefined` when the record has changed since, or is gone. */
  update(entry: Entry<T>, value: T): Promise<Entry<T> | undefined>;
  /** Whether it was removed: not when the record has changed since `entry`. */
  delete(entry: Entry<T>): Promise<boolean>;
  /** Every record, in no order. */
  list(): Promise<readonly Entry<T>[]>;
  /**
   * Tells of the record as it is now, when there is one, and of every later version; of the removal with
   * `undefined`. Never within a call, in order; a slow watcher may be told of the last of several versions only.
   * The answer ends the watch.
   */
  watch(key: string, listener: (entry: Entry<T> | undefined) => void): () => void;
}

/** What {@link change} did. `before` and `after` are the same object when nothing had to change. */
export interface Change<T> {
  readonly before: T;
  readonly after: T;
}

/**
 * Changes a record: reads it, asks `next` for the new value, and tries again when somebody else was first.
 *
 * @param next without side effects, since it may be asked more than once; `undefined` leaves the record as it is
 * @returns `undefined` when there is no such record
 * @throws {HawserError} `ERR_STORE_CONTENTION` after 100 tries
 */
export async function change<T>(
  records: RecordStore<T>,
  key: string,
  next: (value: T) => T | undefined,
): Promise<Change<T> | undefined> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const entry = await records.get(key);
    if (!entry) return undefined;
    const before = entry.value;
    const after = next(before);
    if (after === undefined || after === before) return { before, after: before };
    if (await records.update(entry, after)) return { before, after };
  }
  throw contention(key);
}

/**
 * Removes a record as it is by then, whoever changes it meanwhile.
 *
 * @returns what it was; `undefined` when there is no such record
 * @throws {HawserError} `ERR_STORE_CONTENTION` after 100 tries
 */
export async function remove<T>(records: RecordStore<T>, key: string): Promise<T | undefined> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const entry = await records.get(key);
    if (!entry) return undefined;
    if (await records.delete(entry)) return entry.value;
  }
  throw contention(key);
}

const MAX_ATTEMPTS = 100;

function contention(key: string): HawserError {
  return new HawserError(
    'ERR_STORE_CONTENTION',
    `The record ${key} was changed by somebody else ${MAX_ATTEMPTS} times in a row. Something writes it in a loop.`,
  );
}
