import { PolicyError } from '../error.ts';
import { copyJson } from '../json/copy-json.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { isJsonSpace, readJson } from '../json/read-json.ts';
import { CompiledPolicy, type Policy } from '../policy.ts';
import { KIND_RULES, type PolicyKind } from '../policy-kind.ts';
import type { Statement } from '../statement.ts';
import { parseStatement } from './parse-statement.ts';
import { item, Problems, quoted } from './problems.ts';

export interface ParsePolicyOptions {
  /** What errors and explanations call the policy. */
  readonly name?: string;
  /**
   * Most characters, white space not counted but in SCPs and RCPs. Default: AWS's quota for the kind, from 2,048 of
   * session policies to 32,768 of resource-based policies; 10,240 for identity-based ones.
   */
  readonly maxCharacters?: number;
}

/**
 * Reads a policy and compiles it (POLICY.md section 1).
 *
 * @param source JSON text, where names that come twice are found, or what `JSON.parse` makes of it
 * @throws {PolicyError} with all that is wrong with it, in time that is bounded by its permitted size
 */
export function parsePolicy<K extends PolicyKind>(
  kind: K,
  source: string | object,
  { name, maxCharacters = KIND_RULES[kind].maxCharacters }: ParsePolicyOptions = {},
): Policy<K> {
  const subject = `The ${KIND_RULES[kind].policyType}${name === undefined ? '' : ` ${quoted(name)}`}`;
  const problems = new Problems();
  const { countsSpace } = KIND_RULES[kind];
  let json: JsonValue | undefined;
  if (typeof source !== 'string') json = copyJson(source, maxCharacters, countsSpace, problems);
  else if (hasAtMost(source, maxCharacters, countsSpace)) json = readJson(source, problems);
  else problems.add('ERR_POLICY_SIZE', '', `has more than ${maxCharacters} characters`);
  const statements = json === undefined ? [] : parseDocument(json, kind, problems);
  problems.throwIfAny(subject);
  return new CompiledPolicy(kind, name, statements);
}

/** @throws {PolicyError} when it is not what {@link parsePolicy} made of a document of that kind */
export function checkKind(policy: Policy, kind: PolicyKind): asserts policy is CompiledPolicy {
  if (policy instanceof CompiledPolicy && policy.kind === kind) return;
  const reason = `stands where a policy of the kind ${kind} is due; make one with parsePolicy('${kind}', …)`;
  throw new PolicyError('A policy', [{ code: 'ERR_POLICY_KIND', path: '', reason }]);
}

function parseDocument(json: JsonValue, kind: PolicyKind, problems: Problems): Statement[] {
  if (!isObject(json)) {
    problems.add('ERR_POLICY_ELEMENT', '', 'must be one JSON object');
    return [];
  }
  const { strictSid } = KIND_RULES[kind];
  for (const [name, value] of json) {
    if (!DOCUMENT_ELEMENTS.has(name)) {
      problems.add('ERR_POLICY_ELEMENT', '', `has an unknown element ${quoted(name)}`);
    } else if (name === 'Id' && strictSid) {
      problems.add('ERR_POLICY_ELEMENT', 'Id', 'belongs to resource-based policies');
    } else if (name === 'Id' && typeof value !== 'string') {
      problems.add('ERR_POLICY_ELEMENT', 'Id', 'must be a string');
    }
  }
  const variables = parseVersion(json, problems) === VERSION_WITH_VARIABLES;
  const parsed = statementsOf(json, problems).map(({ value, path }) => ({
    path,
    // Beyond the last problem that is told, the rest need not be looked at.
    statement: problems.full ? undefined : parseStatement(value, { kind, path, variables, problems }),
  }));
  if (strictSid) checkUniqueSids(parsed, problems);
  return parsed.flatMap(({ statement }) => statement ?? []);
}

/** Absent means the older one (POLICY.md section 1). */
function parseVersion(json: JsonObject, problems: Problems): string {
  const version = json.get('Version') ?? VERSION_2008;
  if (version === VERSION_2008 || version === VERSION_WITH_VARIABLES) return version;
  problems.add('ERR_POLICY_VERSION', 'Version', `must be "${VERSION_WITH_VARIABLES}" or "${VERSION_2008}"`);
  return VERSION_WITH_VARIABLES;
}

function statementsOf(json: JsonObject, problems: Problems): { value: JsonValue; path: string }[] {
  const element = json.get('Statement');
  if (element === undefined) {
    problems.add('ERR_POLICY_ELEMENT', '', 'has no Statement');
    return [];
  }
  if (!isList(element)) return [{ value: element, path: 'Statement' }];
  if (element.length === 0)
    problems.add('ERR_POLICY_ELEMENT', 'Statement', 'must have at least one statement');
  return element.map((value, index) => ({ value, path: item('Statement', index) }));
}

function checkUniqueSids(
  parsed: readonly { path: string; statement: Statement | undefined }[],
  problems: Problems,
): void {
  const seen = new Set<string>();
  for (const { path, statement } of parsed) {
    const sid = statement?.sid;
    if (sid === undefined || sid === '') continue;
    if (seen.has(sid)) problems.add('ERR_POLICY_SID', `${path}.Sid`, 'is the Sid of another statement, too');
    seen.add(sid);
  }
}

/** Looks at no more of the text than it takes to tell. */
function hasAtMost(text: string, maxCharacters: number, countsSpace: boolean): boolean {
  if (text.length <= maxCharacters) return true;
  if (countsSpace || text.length > maxCharacters * MAX_SPACE) return false;
  let counted = 0;
  for (let at = 0; at < text.length && counted <= maxCharacters; at++) {
    if (!isJsonSpace(text.charCodeAt(at))) counted++;
  }
  return counted <= maxCharacters;
}

const VERSION_WITH_VARIABLES = '2012-10-17';
const VERSION_2008 = '2008-10-17';
const DOCUMENT_ELEMENTS: ReadonlySet<string> = new Set(['Version', 'Id', 'Statement']);
/** White space is free up to this multiple of what is not. */
const MAX_SPACE = 16;
