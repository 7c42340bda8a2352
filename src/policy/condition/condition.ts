import type { ContextKey, RequestKeys } from '../match/context-key.ts';
import type { ContextValue } from '../match/context-value.ts';
import type { Matcher } from './operand.ts';
import type { Operator } from './operators.ts';

/** One key under one operator. */
export class Condition {
  readonly key: ContextKey;
  /** As the policy spells it. */
  readonly operator: string;
  readonly #holds: (value: ContextValue | undefined, keys: RequestKeys) => boolean;

  /** @throws {VariableSyntaxError} */
  constructor(
    name: string,
    operator: Operator,
    key: ContextKey,
    values: readonly string[],
    variables: boolean,
  ) {
    this.key = key;
    this.operator = name;
    this.#holds =
      operator.family === 'Null' ? isNull(values) : compiled(operator, operator.family, values, variables);
  }

  holds(keys: RequestKeys): boolean {
    return this.#holds(keys.get(this.key), keys);
  }
}

type Test = (value: ContextValue | undefined, keys: RequestKeys) => boolean;

function isNull(values: readonly string[]): Test {
  const wanted = values.map((value) => value.toLowerCase());
  return (value) => wanted.includes(isNullLike(value) ? 'true' : 'false');
}

/** The table of POLICY.md section 4. */
function compiled(
  { qualifier, negated, ifExists }: Operator,
  { compile, refuses }: Exclude<Operator['family'], 'Null'>,
  values: readonly string[],
  variables: boolean,
): Test {
  const matches: Matcher = compile(values, variables);
  const counted: Matcher = (value, keys) => {
    keys.spend(value.length);
    return matches(value, keys);
  };
  // The list of a negated operator is a NOR: none of it may match.
  const one: Matcher = negated ? (value, keys) => !refuses?.(value) && !counted(value, keys) : counted;
  if (qualifier === 'ForAllValues') {
    return (value, keys) =>
      isNullLike(value) ||
      (typeof value === 'string' ? one(value, keys) : value.every((item) => one(item, keys)));
  }
  if (qualifier === 'ForAnyValue') {
    return (value, keys) => {
      if (isNullLike(value)) return ifExists;
      return typeof value === 'string' ? one(value, keys) : value.some((item) => one(item, keys));
    };
  }
  return (value, keys) => {
    if (typeof value === 'string') return one(value, keys);
    // A list is a mistake under an operator for one value, unless it is empty and so as good as absent.
    return value === undefined || value.length === 0 ? negated || ifExists : false;
  };
}

/** What set operators and `Null` take for no value at all: an empty list, and the empty string. */
function isNullLike(value: ContextValue | undefined): value is undefined {
  if (value === undefined || value === '') return true;
  return typeof value !== 'string' && value.every((item) => item === '');
}
