import { isList, type JsonValue } from '../json/json-value.ts';
import { item, type Problems } from './problems.ts';

/** A single value is the same as a list of one (POLICY.md section 1). */
export function stringList(
  json: JsonValue,
  path: string,
  problems: Problems,
): { value: string; path: string }[] {
  if (typeof json === 'string') return [{ value: json, path }];
  if (!isList(json) || json.length === 0) {
    problems.add('ERR_POLICY_ELEMENT', path, 'must be a string or a list of at least one');
    return [];
  }
  return json.flatMap((value, index) => {
    if (typeof value === 'string') return [{ value, path: item(path, index) }];
    problems.add('ERR_POLICY_ELEMENT', item(path, index), 'must be a string');
    return [];
  });
}
