import { utf8 } from '../../base/encoding.ts';
import type { Refuse } from './error.ts';

export type JsonRecord = Readonly<Record<string, unknown>>;

/** Of a session document, its parameters' values included (CONTROL-PLANE.md section 1.5). */
export const MAX_DOCUMENT_BYTES = 64 * 1024;

/** Lists and objects within each other. */
export const MAX_DEPTH = 32;

/**
 * A copy of what should be a JSON value of at most {@link MAX_DOCUMENT_BYTES}, for which it takes no more time and
 * memory than that, whatever it is.
 */
export function copyJson(value: unknown, refuse: Refuse): unknown {
  let left = MAX_DOCUMENT_BYTES;
  const copied = copy(value, '', 0);
  if (jsonBytes(copied) > MAX_DOCUMENT_BYTES) throw tooLarge();
  return copied;

  function copy(part: unknown, path: string, depth: number): unknown {
    left -= 1 + (typeof part === 'string' ? part.length : 0);
    if (left < 0) throw tooLarge();
    if (typeof part !== 'object' || part === null) return scalar(part, path);
    if (depth === MAX_DEPTH) {
      throw refuse(path, `is nested more than ${MAX_DEPTH} deep`, { code: 'ERR_DOCUMENT_SIZE' });
    }
    if (Array.isArray(part)) return part.map((item, index) => copy(item, join(path, `${index}`), depth + 1));
    return Object.fromEntries(
      Object.entries(part)
        .filter(([, member]) => member !== undefined)
        .map(([key, member]) => {
          left -= key.length;
          return [key, copy(member, join(path, key), depth + 1)];
        }),
    );
  }

  function scalar(part: unknown, path: string): unknown {
    const isJson =
      part === null || typeof part === 'string' || typeof part === 'boolean' || Number.isFinite(part);
    if (isJson) return part;
    throw refuse(path, 'is no JSON value');
  }

  function tooLarge(): Error {
    return refuse('', `has more than ${MAX_DOCUMENT_BYTES} bytes`, { code: 'ERR_DOCUMENT_SIZE' });
  }
}

export function jsonBytes(value: unknown): number {
  return utf8(JSON.stringify(value)).length;
}

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member, and not what every object inherits. */
export function own(record: JsonRecord, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

export function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
