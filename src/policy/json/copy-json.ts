import { item, member, type Problems } from '../parse/problems.ts';
import { JsonNumber, type JsonValue, MAX_DEPTH } from './json-value.ts';
import { isJsonSpace } from './read-json.ts';

/**
 * A copy of what should be a JSON value, for which it takes no more time and memory than the size allows, whatever
 * it is. Members that are undefined are left out, as `JSON.stringify` does.
 *
 * @param maxCharacters of the value as JSON text
 * @param countsSpace whether white space in strings counts
 * @returns undefined when it is none, which is then among the problems
 */
export function copyJson(
  value: unknown,
  maxCharacters: number,
  countsSpace: boolean,
  problems: Problems,
): JsonValue | undefined {
  let left = maxCharacters;
  try {
    return copy(value, '', 0);
  } catch (error) {
    if (error !== STOP) throw error;
    return undefined;
  }

  function copy(part: unknown, path: string, depth: number): JsonValue {
    if (typeof part === 'string') {
      spend(part);
      return part;
    }
    if (typeof part === 'boolean' || part === null) {
      take(4);
      return part;
    }
    if (typeof part === 'number' && Number.isFinite(part)) {
      take(String(part).length);
      return new JsonNumber(String(part));
    }
    if (typeof part !== 'object') return stop('ERR_POLICY_JSON', path, 'is no JSON value');
    if (depth === MAX_DEPTH) return stop('ERR_POLICY_SIZE', path, `is nested more than ${MAX_DEPTH} deep`);
    take(1);
    if (!Array.isArray(part)) return copyObject(part, path, depth);
    const items: JsonValue[] = [];
    for (let index = 0; index < part.length; index++) {
      take(1);
      items.push(copy(part[index], item(path, index), depth + 1));
    }
    return items;
  }

  function copyObject(part: object, path: string, depth: number): JsonValue {
    const prototype = Object.getPrototypeOf(part);
    // Of another realm, too: its Object.prototype is the end of its chain.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      return stop('ERR_POLICY_JSON', path, 'is no plain object');
    }
    const members = new Map<string, JsonValue>();
    for (const name of Object.keys(part)) {
      const value: unknown = Reflect.get(part, name);
      if (value === undefined) continue;
      take(2);
      spend(name);
      members.set(name, copy(value, member(path, name), depth + 1));
    }
    return members;
  }

  function spend(text: string): void {
    take(2);
    if (text.length > left && countsSpace) take(text.length);
    let counted = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (countsSpace || !isJsonSpace(code)) counted++;
      if (counted > left) break;
    }
    take(counted);
  }

  function take(characters: number): void {
    left -= characters;
    if (left < 0) stop('ERR_POLICY_SIZE', '', `has more than ${maxCharacters} characters`);
  }

  function stop(...problem: Parameters<Problems['add']>): never {
    problems.add(...problem);
    throw STOP;
  }
}

const STOP = Symbol('stop');
