import { asObject, type JsonObject } from '../channel/payload/json.ts';
import type { StartSessionTask } from '../channel/payload/task.ts';
import { checkAllowedPattern } from '../core/documents/allowed-pattern.ts';
import { substitute, type Values, valuesOf } from '../core/documents/substitute.ts';
import { MatchBudget } from '../core/pattern/match-budget.ts';
import { AgentError } from './error.ts';

/** A session document ready for its handler. */
export interface ResolvedDocument {
  readonly sessionType: string;
  readonly parameters: JsonObject;
  readonly properties: unknown;
  readonly inputs: JsonObject;
}

/**
 * Puts the parameters into `properties` and `inputs` (CONTROL-PLANE.md section 3.3). The service sends the
 * document unresolved; only the agent does this.
 *
 * @throws {AgentError} `ERR_AGENT_START` for a document of another schema
 * @throws {DocumentError} `ERR_DOCUMENT_SIZE` for one that is nested too deeply, or becomes too long
 * @throws {MessageError} for a document of the wrong shape
 * @throws {ParameterError} for a value, given or default, that its `allowedPattern` does not allow
 * @throws {PatternError} for an `allowedPattern` that cannot be used
 */
export function resolveDocument({ documentContent, parameters: given }: StartSessionTask): ResolvedDocument {
  const { schemaVersion, sessionType } = documentContent;
  if (schemaVersion !== '1.0') {
    throw new AgentError(
      'ERR_AGENT_START',
      `The session document has schemaVersion ${JSON.stringify(schemaVersion)}; this agent knows "1.0".`,
    );
  }
  if (typeof sessionType !== 'string') {
    throw new AgentError('ERR_AGENT_START', 'The session document has no sessionType.');
  }
  const declared = asObject(documentContent.parameters ?? {}, 'parameters');
  for (const [name, parameter] of Object.entries(declared)) asObject(parameter, `parameter ${name}`);
  const values = valuesOf(declared, given);
  checkPatterns(declared, values);
  return {
    sessionType,
    parameters: Object.fromEntries(values),
    properties: substitute(documentContent.properties, values),
    inputs: asObject(substitute(documentContent.inputs ?? {}, values), 'inputs'),
  };
}

/** The agent of AWS does so as well (section 3.3, rule 2): nobody has checked the defaults before. */
function checkPatterns(declared: JsonObject, values: Values): void {
  const budget = new MatchBudget();
  for (const [name, value] of values) {
    const parameter = Object.hasOwn(declared, name) ? asObject(declared[name], name) : {};
    if (typeof parameter.allowedPattern !== 'string') continue;
    const texts = (Array.isArray(value) ? value : [value]).map((item) =>
      typeof item === 'string' ? item : JSON.stringify(item),
    );
    checkAllowedPattern(name, parameter.allowedPattern, texts, budget);
  }
}
