import { ParameterError } from './error.ts';
import type { DocumentParameter, SessionDocument } from './session-document.ts';

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
  return Object.fromEntries(
    [...given].map(([name, values]) => {
      const parameter = declared.get(name);
      if (!parameter) throw new ParameterError(MISSING_OR_UNDECLARED);
      return [name, parameterValue(name, parameter, values)];
    }),
  );
}

/** The text of the API model. */
const MISSING_OR_UNDECLARED =
  'You must specify values for all required parameters in the Amazon Web Services Systems Manager document (SSM document). You can only supply values to parameters defined in the SSM document.';

function parameterValue(name: string, { type }: DocumentParameter, values: readonly string[]): unknown {
  if (type.toLowerCase() === 'stringlist') return values;
  const [value] = values;
  if (value === undefined || values.length > 1) {
    throw new ParameterError(`Parameter "${name}" takes one value, and was given ${values.length}.`);
  }
  return value;
}
