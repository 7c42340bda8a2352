import { isObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { ActionPattern } from '../match/action-pattern.ts';
import { ArnPattern } from '../match/arn-pattern.ts';
import { Glob } from '../match/glob.ts';
import { pieces, VariableSyntaxError } from '../match/pieces.ts';
import type { PrincipalPattern } from '../match/principal-pattern.ts';
import { KIND_RULES, type PolicyKind } from '../policy-kind.ts';
import { Statement } from '../statement.ts';
import { parseConditions } from './parse-conditions.ts';
import { parsePrincipals } from './parse-principals.ts';
import { member, type Problems, quoted } from './problems.ts';
import { stringList } from './string-list.ts';

export interface StatementPlace {
  readonly kind: PolicyKind;
  readonly path: string;
  /** Whether the document's version has policy variables. */
  readonly variables: boolean;
  readonly problems: Problems;
}

/** @returns undefined for what is no object; what else is wrong is among the problems */
export function parseStatement(json: JsonValue, place: StatementPlace): Statement | undefined {
  const { path, problems } = place;
  if (!isObject(json)) {
    problems.add('ERR_POLICY_ELEMENT', path, 'must be an object');
    return undefined;
  }
  for (const name of json.keys()) {
    if (!ELEMENTS.has(name)) {
      problems.add('ERR_POLICY_ELEMENT', path, `has an unknown element ${quoted(name)}`);
    }
  }
  const effect = json.get('Effect');
  if (effect !== 'Allow' && effect !== 'Deny') {
    problems.add('ERR_POLICY_EFFECT', member(path, 'Effect'), 'must be "Allow" or "Deny"');
  }
  const notAction = json.has('NotAction');
  const notResource = json.has('NotResource');
  const notPrincipal = json.has('NotPrincipal');
  return new Statement({
    sid: parseSid(json, place),
    effect: effect === 'Deny' ? 'Deny' : 'Allow',
    actions: parseActions(json, place),
    notAction,
    resources: parseResources(json, place),
    notResource,
    principals: parsePrincipal(json, place),
    notPrincipal,
    conditions: parseConditions(json.get('Condition'), { ...place, path: member(path, 'Condition') }),
  });
}

function parseSid(json: JsonObject, { kind, path, problems }: StatementPlace): string | undefined {
  const sid = json.get('Sid');
  if (sid === undefined) return undefined;
  if (typeof sid !== 'string') {
    problems.add('ERR_POLICY_SID', member(path, 'Sid'), 'must be a string');
    return undefined;
  }
  if (KIND_RULES[kind].strictSid && !/^[A-Za-z0-9]*$/.test(sid)) {
    problems.add('ERR_POLICY_SID', member(path, 'Sid'), 'must have letters and digits only');
  }
  return sid;
}

function parseActions(json: JsonObject, { path, problems }: StatementPlace): ActionPattern[] {
  const patterns: ActionPattern[] = [];
  for (const { value, path: where } of strings(json, path, ['Action', 'NotAction'], problems)) {
    const pattern = ActionPattern.parse(value);
    if (pattern) patterns.push(pattern);
    else {
      const reason = `is ${quoted(value)}, not service:Name, with wildcards in the name only, or "*"`;
      problems.add('ERR_POLICY_ACTION', where, reason);
    }
  }
  return patterns;
}

function parseResources(
  json: JsonObject,
  { kind, path, variables, problems }: StatementPlace,
): (ArnPattern | 'everything')[] | undefined {
  const names = ['Resource', 'NotResource'] as const;
  if (KIND_RULES[kind].resource === 'prohibited') {
    for (const name of names) {
      if (json.has(name))
        problems.add('ERR_POLICY_RESOURCE', member(path, name), 'is not for trust policies');
    }
    return undefined;
  }
  const patterns: (ArnPattern | 'everything')[] = [];
  for (const { value, path: where } of strings(json, path, names, problems)) {
    try {
      if (value === '*') patterns.push('everything');
      else if (isArnLike(value)) patterns.push(new ArnPattern(value, 'resource', variables));
      else problems.add('ERR_POLICY_RESOURCE', where, `is ${quoted(value)}, not an ARN or "*"`);
    } catch (error) {
      if (!(error instanceof VariableSyntaxError)) throw error;
      problems.add('ERR_POLICY_VARIABLE', where, error.message);
    }
  }
  return patterns;
}

/** Wildcards may stand in the first part, too, so it need not be `arn` itself. */
function isArnLike(text: string): boolean {
  const colon = text.indexOf(':');
  if (colon < 0 && !text.endsWith('*')) return false;
  const first = new Glob(
    pieces(colon < 0 ? text : text.slice(0, colon), { wildcards: true, variables: false }),
  );
  return first.matches('arn');
}

function parsePrincipal(json: JsonObject, place: StatementPlace): PrincipalPattern | undefined {
  const { kind, path, problems } = place;
  const names = ['Principal', 'NotPrincipal'].filter((name) => json.has(name));
  const rule = KIND_RULES[kind].principal;
  const [name] = names;
  if (name === undefined) {
    if (rule === 'required') problems.add('ERR_POLICY_PRINCIPAL', path, 'needs Principal or NotPrincipal');
    return undefined;
  }
  if (rule === 'prohibited') {
    problems.add('ERR_POLICY_PRINCIPAL', member(path, name), 'belongs to resource-based policies');
    return undefined;
  }
  if (names.length > 1) problems.add('ERR_POLICY_PRINCIPAL', path, 'has Principal and NotPrincipal');
  if (name === 'NotPrincipal' && json.get('Effect') === 'Allow') {
    problems.add('ERR_POLICY_PRINCIPAL', member(path, name), 'goes with the Effect "Deny" only');
  }
  const principals = parsePrincipals(json.get(name)!, member(path, name), problems);
  if (rule === 'everyone' && (name === 'NotPrincipal' || !principals.isEverybody)) {
    problems.add('ERR_POLICY_PRINCIPAL', member(path, name), 'can only be "*" in a policy of this kind');
  }
  return principals;
}

/** Exactly one of two elements, as a list of strings. */
function strings(
  json: JsonObject,
  path: string,
  names: readonly [string, string],
  problems: Problems,
): { value: string; path: string }[] {
  const [name, other] = names.filter((candidate) => json.has(candidate));
  if (name === undefined || other !== undefined) {
    const reason = `needs ${names.join(' or ')}${other === undefined ? '' : ', and has both'}`;
    problems.add('ERR_POLICY_ELEMENT', path, reason);
    return [];
  }
  return stringList(json.get(name)!, member(path, name), problems);
}

const ELEMENTS: ReadonlySet<string> = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);
