import { utf8 } from '../../base/encoding.ts';
import { MatchBudget } from '../pattern/match-budget.ts';
import { checkedValue } from './check-value.ts';
import { commandTokens } from './command-tokens.ts';
import { ParameterError } from './error.ts';
import { jsonBytes, MAX_DOCUMENT_BYTES } from './json-value.ts';
import type { SessionDocument } from './session-document.ts';

/** As StartSession has them: every value a list of strings. */
export type GivenParameters = ReadonlyMap<string, readonly string[]>;

/** As the agent takes them: a string for `String`, a list for `StringList` (CONTROL-PLANE.md section 3.2). */
export type ParameterValues = Readonly<Record<string, unknown>>;

/**
 * The values for the agent, in which defaults are left out: the agent has the document, and puts them in itself.
 *
 * @throws {ParameterError} for parameters that do not fit the document
 */
export function parameterValues(document: SessionDocument, given: GivenParameters): ParameterValues {
  const declared = new Map(Object.entries(document.parameters ?? {}));
  for (const [name, { default: value }] of declared) {
    if (value === undefined && !given.has(name)) throw new ParameterError(MISSING_OR_UNDECLARED);
  }
  for (const name of given.keys()) {
    if (!declared.has(name)) throw new ParameterError(MISSING_OR_UNDECLARED);
  }
  // First: what follows takes time by the size of the values.
  checkSize(document, given);
  checkLines(document, given);
  const budget = new MatchBudget();
  return Object.fromEntries(
    [...given].map(([name, values]) => [name, checkedValue(name, declared.get(name)!, values, budget)]),
  );
}

/** The text of the API model. */
const MISSING_OR_UNDECLARED =
  'You must specify values for all required parameters in the Amazon Web Services Systems Manager document (SSM document). You can only supply values to parameters defined in the SSM document.';

function checkSize(document: SessionDocument, given: GivenParameters): void {
  const values = [...given.values()].flat().reduce((sum, value) => sum + utf8(value).length, 0);
  const bytes = values === 0 ? 0 : jsonBytes(document) + values;
  if (bytes <= MAX_DOCUMENT_BYTES) return;
  throw new ParameterError(
    `The session document and the values of its parameters have ${bytes} bytes, and may have ${MAX_DOCUMENT_BYTES}.`,
  );
}

/**
 * A value within a command must not begin a line of its own, unless the document says which values there are. Where
 * the value is the command (`{{ command }}`), there is nothing to break out of.
 */
function checkLines(document: SessionDocument, given: GivenParameters): void {
  const { parameters = {} } = document;
  for (const { name, whole } of commandTokens(document)) {
    const { allowedPattern, allowedValues } = parameters[name] ?? {};
    if (allowedPattern !== undefined || allowedValues) continue;
    const refused = whole ? /\0/ : /[\0\r\n]/;
    if (!given.get(name)?.some((value) => refused.test(value))) continue;
    throw new ParameterError(
      `Parameter "${name}" has a line end or NUL in its value, which goes into a command: that takes an allowedPattern in the session document.`,
    );
  }
}
