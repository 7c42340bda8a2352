import { createHash } from 'node:crypto';
import { RECORD_KINDS, type RecordKind } from '../service/store.ts';

/** A record as the database has it: a key and a line of text. */
export interface StoredRecord {
  /** `undefined` for a kind that this version does not know: it is kept for the one that does. */
  readonly kind: RecordKind | undefined;
  readonly key: string;
  readonly revision: number;
  readonly value: unknown;
}

/** The database's key of a record. As JSON, for it must be told from every other key once it is UTF-8. */
export function storedKey(kind: RecordKind, key: string): string {
  return `${kind}/${JSON.stringify(key)}`;
}

export function formatRecord(storedKey: string, revision: number, value: unknown): string {
  return sealed(storedKey, `${revision} ${JSON.stringify(value)}`);
}

/** @throws {Error} for a line that was not written by {@link formatRecord} for this key */
export function parseRecord(storedKey: string, line: string): StoredRecord {
  const text = opened(storedKey, line);
  const slash = storedKey.indexOf('/');
  const space = text.indexOf(' ');
  const kind = storedKey.slice(0, slash) as RecordKind;
  return {
    kind: RECORD_KINDS.includes(kind) ? kind : undefined,
    key: JSON.parse(storedKey.slice(slash + 1)),
    revision: Number(text.slice(0, space)),
    value: JSON.parse(text.slice(space + 1)),
  };
}

/** The database's key of the {@link Tally}; no kind of records is called so. */
export const TALLY_KEY = 'tally';

/** What there must be, written with every change: what the database lost of its own accord is missed by it. */
export interface Tally {
  /** The highest revision that was ever given. */
  readonly revision: number;
  /** How many records there are. */
  readonly count: number;
  /** Of their revisions, modulo {@link MODULUS}. */
  readonly sum: number;
}

export const EMPTY_TALLY: Tally = { revision: 0, count: 0, sum: 0 };

/** The tally after one record went from one revision to another; `undefined` for no record. */
export function counted(tally: Tally, before: number | undefined, after: number | undefined): Tally {
  const one = (revision: number | undefined) => (revision === undefined ? 0 : 1);
  return {
    revision: Math.max(tally.revision, after ?? 0),
    count: tally.count + one(after) - one(before),
    sum: (tally.sum + MODULUS + ((after ?? 0) % MODULUS) - ((before ?? 0) % MODULUS)) % MODULUS,
  };
}

export function formatTally(tally: Tally): string {
  return sealed(TALLY_KEY, JSON.stringify(tally));
}

/** @throws {Error} for a line that was not written by {@link formatTally} */
export function parseTally(line: string): Tally {
  return JSON.parse(opened(TALLY_KEY, line));
}

/** Sums of two stay exact. */
const MODULUS = 2 ** 51;

/** Characters of the hash: a mistake is to be found, not an attack. */
const SEAL = 16;

function sealed(key: string, text: string): string {
  return `${sealOf(key, text)} ${text}`;
}

function opened(key: string, line: string): string {
  const text = line.slice(SEAL + 1);
  if (line.slice(0, SEAL) !== sealOf(key, text)) throw new Error('The hash of a record is not its own.');
  return text;
}

function sealOf(key: string, text: string): string {
  return createHash('sha256').update(`${key}\n${text}`).digest('hex').slice(0, SEAL);
}
