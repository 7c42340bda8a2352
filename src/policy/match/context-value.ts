/** One value, or the values of a key that has a list of them. */
export type ContextValue = string | readonly string[];

/**
 * Two spellings of one name, which tags of AWS's services may have, are one key with the values of both, so that no
 * operator for a single value matches either.
 */
export function merged(values: ContextValue | undefined, more: ContextValue): ContextValue {
  return values === undefined ? more : [values, more].flat();
}
