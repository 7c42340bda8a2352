import type { MatchBudget } from '../pattern/match-budget.ts';
import { checkAllowedPattern } from './allowed-pattern.ts';
import { ParameterError, quoted, type Refuse } from './error.ts';
import { copyJson, isRecord } from './json-value.ts';
import { countOf } from './parse-parameter.ts';
import type { DocumentParameter } from './session-document.ts';

/**
 * The value of a parameter as the agent takes it, which it does not check itself but for the pattern
 * (CONTROL-PLANE.md section 3.4).
 *
 * @param budget of all parameters that are checked together
 * @throws {ParameterError} for a value that the document does not allow
 */
export function checkedValue(
  name: string,
  parameter: DocumentParameter,
  values: readonly string[],
  budget: MatchBudget,
): unknown {
  const type = parameter.type.toLowerCase();
  const isList = type === 'stringlist' || type === 'maplist';
  if (!isList && values.length !== 1) {
    throw new ParameterError(`Parameter "${name}" takes one value, and was given ${values.length}.`);
  }
  if (isList) checkCount(name, 'items', values.length, parameter.minItems, parameter.maxItems);
  for (const value of values) checkText(name, parameter, value);
  const { allowedPattern } = parameter;
  if (allowedPattern !== undefined) checkAllowedPattern(name, allowedPattern, values, budget);
  const form = FORMS.get(type);
  const read = values.map((value) => (form ? form(name, value) : value));
  return isList ? read : read[0];
}

type Form = (name: string, value: string) => unknown;

const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['integer', matching(/^-?\d+$/, 'a whole number')],
  ['boolean', matching(/^(?:true|false)$/, 'true or false')],
  ['stringmap', object],
  ['maplist', object],
]);

function matching(form: RegExp, expected: string): Form {
  return (name, value) => {
    if (form.test(value)) return value;
    throw new ParameterError(`Parameter "${name}" has value ${quoted(value)}, which is not ${expected}.`);
  };
}

/** The API has strings only; a map comes as JSON text in one. */
function object(name: string, text: string): unknown {
  const wrong = () =>
    new ParameterError(`Parameter "${name}" has value ${quoted(text)}, which is no JSON object.`);
  const refuse: Refuse = (_, reason) => new ParameterError(`Parameter "${name}" ${reason}.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong();
  }
  if (!isRecord(value)) throw wrong();
  return copyJson(value, refuse);
}

function checkText(name: string, parameter: DocumentParameter, value: string): void {
  const { allowedValues, minChars, maxChars } = parameter;
  checkCount(name, 'characters', Array.from(value).length, minChars, maxChars);
  if (allowedValues && !allowedValues.includes(value)) {
    const allowed = quoted(allowedValues.join(', '));
    throw new ParameterError(`Parameter "${name}" has value ${quoted(value)} not among ${allowed}.`);
  }
}

function checkCount(
  name: string,
  what: string,
  count: number,
  min: number | string | undefined,
  max: number | string | undefined,
): void {
  const broken =
    count < (countOf(min) ?? 0)
      ? `at least ${min}`
      : count > (countOf(max) ?? Number.POSITIVE_INFINITY)
        ? `at most ${max}`
        : undefined;
  if (broken) throw new ParameterError(`Parameter "${name}" has ${count} ${what}, and must have ${broken}.`);
}
