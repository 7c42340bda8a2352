import { PolicyError, type PolicyProblem } from '../../policy/error.ts';
import { readJson } from '../../policy/json/read-json.ts';
import { item, member, Problems } from '../../policy/parse/problems.ts';
import { IamDirectoryError, type IamDirectoryProblem } from './error.ts';

export type Members = ReadonlyMap<string, unknown>;

/** Reads the parts of a directory, and collects what is wrong with them. A part that is wrong reads as `undefined`. */
export class Reader {
  readonly #problems: IamDirectoryProblem[] = [];

  add(path: string, reason: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ path, reason });
  }

  addAll(path: string, problems: readonly PolicyProblem[]): void {
    for (const problem of problems) this.add(within(path, problem.path), problem.reason);
  }

  /** @throws {IamDirectoryError} when anything was wrong */
  finish(): void {
    if (this.#problems.length > 0) throw new IamDirectoryError(this.#problems);
  }

  /**
   * @param source text, in which a name that comes twice in one object is found, or what `JSON.parse` makes of it
   * @throws {IamDirectoryError}
   */
  json(source: string | object): unknown {
    if (typeof source !== 'string') return source;
    if (source.length > MAX_CHARACTERS) {
      this.add('', `has more than ${MAX_CHARACTERS} characters`);
      this.finish();
    }
    const problems = new Problems();
    readJson(source, problems);
    try {
      problems.throwIfAny('The directory');
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      this.addAll('', error.problems);
      this.finish();
    }
    return JSON.parse(source);
  }

  /** The members of an object. @param known names that there may be; without them any */
  members(value: unknown, path: string, known?: readonly string[]): Members | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.add(path, 'must be an object');
      return undefined;
    }
    const members = new Map(Object.entries(value));
    for (const name of members.keys()) {
      // One that is not known may be a limit, which must not be overlooked.
      if (known && !known.includes(name)) this.add(member(path, name), 'is unknown');
    }
    return members;
  }

  /** By name. Absent is empty. */
  named<T>(
    value: unknown,
    path: string,
    read: (value: unknown, path: string, name: string) => T | undefined,
  ): Map<string, T> {
    const results = new Map<string, T>();
    if (value === undefined) return results;
    for (const [name, one] of this.members(value, path) ?? []) {
      const at = member(path, name);
      if (!NAME.test(name)) this.add(at, 'has a name that is not 1 to 128 of letters, digits and +=,.@_-');
      const result = read(one, at, name);
      if (result !== undefined) results.set(name, result);
    }
    return results;
  }

  /** Absent is empty. */
  list<T>(value: unknown, path: string, read: (value: unknown, path: string) => T | undefined): T[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.add(path, 'must be a list');
      return [];
    }
    const results = value.map((one, index) => read(one, item(path, index)));
    return results.filter((result) => result !== undefined);
  }

  text(value: unknown, path: string, pattern: RegExp, what: string): string | undefined {
    if (typeof value === 'string' && pattern.test(value)) return value;
    this.add(path, `must be ${what}`);
    return undefined;
  }

  flag(value: unknown, path: string): boolean | undefined {
    if (value === undefined || typeof value === 'boolean') return value;
    this.add(path, 'must be true or false');
    return undefined;
  }

  date(value: unknown, path: string): Date | undefined {
    if (value === undefined) return undefined;
    const time = typeof value === 'string' && ISO_8601.test(value) ? Date.parse(value) : Number.NaN;
    if (!Number.isNaN(time)) return new Date(time);
    this.add(path, 'must be a time of ISO 8601 with its zone, as 2026-01-01T00:00:00Z');
    return undefined;
  }

  tags(value: unknown, path: string): Map<string, string> {
    const tags = new Map<string, string>();
    if (value === undefined) return tags;
    for (const [key, text] of this.members(value, path) ?? []) {
      const at = member(path, key);
      if (key === '' || key.length > 128) this.add(at, 'has a key that is not 1 to 128 characters long');
      const tag = this.text(text, at, /^[\s\S]{0,256}$/, 'a string of at most 256 characters');
      if (tag !== undefined) tags.set(key, tag);
    }
    if (tags.size > MAX_TAGS) this.add(path, `has more than ${MAX_TAGS} tags`);
    return tags;
  }
}

const NAME = /^[\w+=,.@-]{1,128}$/;
const ISO_8601 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Of one principal, as at AWS. */
const MAX_TAGS = 50;
const MAX_PROBLEMS = 20;
/** Enough for some ten thousand users. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

function within(path: string, inner: string): string {
  if (path === '' || inner === '') return path + inner;
  return inner.startsWith('[') ? path + inner : `${path}.${inner}`;
}
