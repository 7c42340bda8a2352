import { PatternError } from '../pattern/error.ts';
import { Pattern } from '../pattern/pattern.ts';
import type { Refuse } from './error.ts';
import { isRecord, type JsonRecord, join, own } from './json-value.ts';

/** Checks a declared parameter (CONTROL-PLANE.md section 3.1). */
export function checkParameter(parameter: unknown, path: string, refuse: Refuse): void {
  if (!isRecord(parameter)) throw refuse(path, 'must be an object');
  const type = own(parameter, 'type');
  const takes = typeof type === 'string' ? DEFAULTS.get(type.toLowerCase()) : undefined;
  if (!takes) throw refuse(join(path, 'type'), `must be one of ${TYPES}`);
  for (const key of ['description', 'displayType']) {
    const text = own(parameter, key);
    if (text !== undefined && typeof text !== 'string') throw refuse(join(path, key), 'must be a string');
  }
  const value = own(parameter, 'default');
  // Not against the pattern: AWS's service does not, and agents check values when they use them.
  if (value !== undefined && !takes(value)) throw refuse(join(path, 'default'), `is no value for ${type}`);
  checkAllowed(parameter, path, refuse);
  checkBounds(parameter, path, ['minChars', 'maxChars'], refuse);
  checkBounds(parameter, path, ['minItems', 'maxItems'], refuse);
}

/** A count as documents have it: a number, or one in a string. `undefined` for anything else. */
export function countOf(value: unknown): number | undefined {
  const count = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

const TYPES = 'String, StringList, Integer, Boolean, StringMap, MapList';

const isScalar = (value: unknown) => typeof value !== 'object';

/** What a `default` may be, by type in lower case. */
const DEFAULTS: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['string', isScalar],
  ['integer', isScalar],
  ['boolean', isScalar],
  ['stringlist', isStringList],
  ['stringmap', isRecord],
  ['maplist', (value) => Array.isArray(value) && value.every(isRecord)],
]);

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function checkAllowed(parameter: JsonRecord, path: string, refuse: Refuse): void {
  const values = own(parameter, 'allowedValues');
  if (values !== undefined && !isStringList(values)) {
    throw refuse(join(path, 'allowedValues'), 'must be a list of strings');
  }
  const pattern = own(parameter, 'allowedPattern');
  if (pattern === undefined) return;
  if (typeof pattern !== 'string') throw refuse(join(path, 'allowedPattern'), 'must be a string');
  try {
    new Pattern(pattern);
  } catch (cause) {
    if (!(cause instanceof PatternError)) throw cause;
    throw refuse(join(path, 'allowedPattern'), `is no pattern: ${cause.reason}`, { cause });
  }
}

function checkBounds(
  parameter: JsonRecord,
  path: string,
  [least, most]: readonly [string, string],
  refuse: Refuse,
): void {
  const [min, max] = [own(parameter, least), own(parameter, most)];
  if (min !== undefined && countOf(min) === undefined) throw refuse(join(path, least), 'must be a count');
  if (max !== undefined && countOf(max) === undefined) throw refuse(join(path, most), 'must be a count');
  if ((countOf(min) ?? 0) > (countOf(max) ?? Number.POSITIVE_INFINITY)) {
    throw refuse(join(path, most), `must not be less than ${least}`);
  }
}
