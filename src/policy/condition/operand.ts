import type { RequestKeys } from '../match/context-key.ts';

/** Whether one value of the request matches any of the values of the policy. */
export type Matcher = (value: string, keys: RequestKeys) => boolean;

export interface Family {
  /**
   * @param values of the policy, at least one
   * @param variables whether the document's version has policy variables
   * @throws {VariableSyntaxError}
   */
  compile(values: readonly string[], variables: boolean): Matcher;
  /** Request values for which the operator is false, its Not-form too. */
  readonly refuses?: (value: string) => boolean;
}

/** A matcher of values that are the same for every request. */
export function anyOf<T>(
  values: readonly string[],
  parse: (text: string) => T | undefined,
  matches: (value: T, operand: T) => boolean,
): Matcher {
  const operands = values.map(parse).filter((operand) => operand !== undefined);
  // The time, the caller's address: values come again from one request to the next.
  let lastText: string | undefined;
  let lastMatches = false;
  return (text) => {
    if (text !== lastText) {
      const value = parse(text);
      lastMatches = value !== undefined && operands.some((operand) => matches(value, operand));
      lastText = text;
    }
    return lastMatches;
  };
}
