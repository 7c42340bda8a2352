import { asObject, type JsonObject } from '../channel/payload/json.ts';
import type { StartSessionTask } from '../channel/payload/task.ts';
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
 * @throws {MessageError} for a document of the wrong shape
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
  const parameters = withDefaults(asObject(documentContent.parameters ?? {}, 'parameters'), given);
  return {
    sessionType,
    parameters: Object.fromEntries(parameters),
    properties: substitute(documentContent.properties, parameters),
    inputs: asObject(substitute(documentContent.inputs ?? {}, parameters), 'inputs'),
  };
}

/** A map, not an object: parameter names come from the network. */
type Parameters = ReadonlyMap<string, unknown>;

const NAME = /^[a-zA-Z0-9]+$/;
const TOKEN = /\{\{\s*([a-zA-Z0-9]+)\s*\}\}/g;
const WHOLE_TOKEN = /^\{\{\s*([a-zA-Z0-9]+)\s*\}\}$/;

function withDefaults(declared: JsonObject, given: JsonObject): Parameters {
  const values = new Map<string, unknown>();
  for (const [name, declaration] of Object.entries(declared)) {
    const { default: value } = asObject(declaration, `parameter ${name}`);
    if (NAME.test(name) && value !== undefined) values.set(name, value);
  }
  for (const [name, value] of Object.entries(given)) if (NAME.test(name)) values.set(name, value);
  return values;
}

function substitute(value: unknown, parameters: Parameters): unknown {
  if (typeof value === 'string') return substituteText(value, parameters);
  if (Array.isArray(value)) return value.map((item) => substitute(item, parameters));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, substitute(member, parameters)]),
  );
}

/** One pass: a value that looks like a token is not expanded again, and unknown tokens stay. */
function substituteText(text: string, parameters: Parameters): unknown {
  const whole = WHOLE_TOKEN.exec(text)?.[1];
  if (whole !== undefined && parameters.has(whole)) return parameters.get(whole);
  return text.replace(TOKEN, (token, name: string) => {
    if (!parameters.has(name)) return token;
    const value = parameters.get(name);
    // `$$` becomes `$`, as in the real agent, and only here.
    return (typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('$$', '$');
  });
}
