import { isObject, type JsonValue } from '../json/json-value.ts';
import { PRINCIPAL_TYPES, PrincipalPattern } from '../match/principal-pattern.ts';
import { member, type Problems, quoted } from './problems.ts';
import { stringList } from './string-list.ts';

/** `"*"`, or a map of lists (POLICY.md section 1). */
export function parsePrincipals(json: JsonValue, path: string, problems: Problems): PrincipalPattern {
  const pattern = new PrincipalPattern();
  if (json === '*') {
    pattern.add('AWS', '*');
    return pattern;
  }
  if (!isObject(json) || json.size === 0) {
    problems.add('ERR_POLICY_PRINCIPAL', path, 'must be "*" or a map such as { "AWS": … }');
    return pattern;
  }
  for (const [name, values] of json) {
    const type = PRINCIPAL_TYPES.find((known) => known === name);
    if (type === undefined) {
      const reason = `has ${quoted(name)}, which is none of ${PRINCIPAL_TYPES.join(', ')}`;
      problems.add('ERR_POLICY_PRINCIPAL', path, reason);
      continue;
    }
    for (const { value, path: where } of stringList(values, member(path, name), problems)) {
      if (!pattern.add(type, value)) problems.add('ERR_POLICY_PRINCIPAL', where, reason(type, value));
    }
  }
  return pattern;
}

function reason(type: string, value: string): string {
  return type === 'AWS'
    ? `is ${quoted(value)}, not an account, the ARN of a user, a role or a session without wildcards, or "*"`
    : `is ${quoted(value)}, and names of the type ${type} have no wildcards`;
}
