import { DocumentError, type Refuse } from './error.ts';
import { copyJson, isRecord, type JsonRecord, join, own } from './json-value.ts';
import { checkInputs } from './parse-inputs.ts';
import { checkParameter } from './parse-parameter.ts';
import { readProperties } from './parse-properties.ts';
import type { SessionDocument } from './session-document.ts';
import { PARAMETER_NAME, tokensIn } from './substitute.ts';

/**
 * Checks what should be a session document (CONTROL-PLANE.md section 3.1), and returns a copy of it. Keys that are not
 * known are kept; `commands` given as a list become a text of as many lines.
 *
 * @param name of the document, for the error only
 * @throws {DocumentError} which says where and why: a member of the wrong type, a pattern that cannot be used, a
 * `{{ name }}` that is no parameter; or a document of more than 64 KB or nested more than 32 deep
 */
export function parseSessionDocument(value: unknown, name?: string): SessionDocument {
  const refuse: Refuse = (path, reason, more) => new DocumentError({ name, path, reason, ...more });
  const document = copyJson(value, refuse);
  if (!isRecord(document)) throw refuse('', 'must be an object');
  if (own(document, 'schemaVersion') !== '1.0') {
    throw refuse('schemaVersion', 'must be "1.0"', { code: 'ERR_DOCUMENT_SCHEMA_VERSION' });
  }
  const sessionType = own(document, 'sessionType');
  if (typeof sessionType !== 'string' || sessionType === '') throw refuse('sessionType', 'must be a string');
  if (typeof (own(document, 'description') ?? '') !== 'string')
    throw refuse('description', 'must be a string');
  const parameters = checkParameters(own(document, 'parameters') ?? {}, refuse);
  const inputs = own(document, 'inputs') ?? {};
  checkInputs(inputs, refuse);
  const properties = readProperties(sessionType, own(document, 'properties'), refuse);
  checkTokens(properties, 'properties', parameters, refuse);
  checkTokens(inputs, 'inputs', parameters, refuse);
  return { ...document, ...(properties !== undefined && { properties }) } as unknown as SessionDocument;
}

function checkParameters(parameters: unknown, refuse: Refuse): JsonRecord {
  if (!isRecord(parameters)) throw refuse('parameters', 'must be an object');
  for (const [name, parameter] of Object.entries(parameters)) {
    const path = join('parameters', name);
    if (!PARAMETER_NAME.test(name)) throw refuse(path, 'must have a name of letters and digits');
    checkParameter(parameter, path, refuse);
  }
  return parameters;
}

/** What is no name, such as `{{ssm:name}}` or `{{.Names}}`, is no token of ours. */
function checkTokens(value: unknown, path: string, parameters: JsonRecord, refuse: Refuse): void {
  if (typeof value === 'string') {
    for (const { name } of tokensIn(value)) {
      if (!Object.hasOwn(parameters, name))
        throw refuse(path, `has {{ ${name} }}, which is no parameter of it`);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value))
      checkTokens(member, join(path, key), parameters, refuse);
  }
}
