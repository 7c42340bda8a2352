import { Condition } from '../condition/condition.ts';
import { type Operator, parseOperator } from '../condition/operators.ts';
import { isList, isObject, JsonNumber, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { ContextKey } from '../match/context-key.ts';
import { foldAscii } from '../match/fold.ts';
import { VariableSyntaxError } from '../match/pieces.ts';
import type { StatementPlace } from './parse-statement.ts';
import { item, member, type Problems, quoted } from './problems.ts';

/** Operators, keys under them, and values under those (POLICY.md section 4). */
export function parseConditions(json: JsonValue | undefined, place: StatementPlace): Condition[] {
  const { path, problems } = place;
  if (json === undefined) return [];
  if (!isObject(json)) {
    problems.add('ERR_POLICY_CONDITION', path, 'must be an object');
    return [];
  }
  checkUnique(json, path, problems);
  return [...json].flatMap(([name, keys]) => {
    const operator = parseOperator(name);
    if (!operator) {
      problems.add('ERR_POLICY_CONDITION', path, `has an unknown operator ${quoted(name)}`);
      return [];
    }
    return parseKeys(name, operator, keys, { ...place, path: member(path, name) });
  });
}

function parseKeys(name: string, operator: Operator, json: JsonValue, place: StatementPlace): Condition[] {
  const { path, variables, problems } = place;
  if (!isObject(json)) {
    problems.add('ERR_POLICY_CONDITION', path, 'must be an object of context keys');
    return [];
  }
  checkUnique(json, path, problems);
  return [...json].flatMap(([key, values]) => {
    const where = member(path, key);
    if (key === '') problems.add('ERR_POLICY_CONDITION', where, 'is no context key');
    try {
      const texts = parseValues(values, where, problems);
      return [new Condition(name, operator, new ContextKey(key), texts, variables)];
    } catch (error) {
      if (!(error instanceof VariableSyntaxError)) throw error;
      problems.add('ERR_POLICY_VARIABLE', where, error.message);
      return [];
    }
  });
}

/** Operators and keys are the same whatever their case, so two spellings are one name twice. */
function checkUnique(json: JsonObject, path: string, problems: Problems): void {
  const seen = new Set<string>();
  for (const name of json.keys()) {
    const folded = foldAscii(name);
    if (seen.has(folded)) problems.add('ERR_POLICY_DUPLICATE_KEY', member(path, name), 'is there twice');
    seen.add(folded);
  }
}

/** Strings, numbers and booleans, all compared as strings first (POLICY.md section 1). */
function parseValues(json: JsonValue, path: string, problems: Problems): string[] {
  const values = isList(json) ? json : [json];
  if (values.length === 0) problems.add('ERR_POLICY_CONDITION', path, 'must have at least one value');
  return values.flatMap((value, index) => {
    if (typeof value === 'string') return [value];
    if (typeof value === 'boolean') return [String(value)];
    if (value instanceof JsonNumber) return [value.text];
    const where = isList(json) ? item(path, index) : path;
    problems.add('ERR_POLICY_CONDITION', where, 'must be a string, a number or a boolean');
    return [];
  });
}
