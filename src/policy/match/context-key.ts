import type { AuthorizationRequest, Principal } from '../authorization.ts';
import { PolicyError } from '../error.ts';
import { type ContextValue, merged } from './context-value.ts';
import { foldName } from './fold.ts';
import { type PrincipalKey, principalKey } from './principal-keys.ts';

/** Longest action, resource and context value that is matched, in UTF-16 code units: that of an ARN in AWS's own API. */
export const MAX_VALUE_LENGTH = 2_048;
/** Most values of one context key. */
export const MAX_VALUES = 1_000;
/** Most characters and wildcards that are looked at for one request, in all policies together: some tenths of a second. */
export const MAX_STEPS = 2 ** 24;

/** The name of a context key in a policy, made ready for look-ups. */
export class ContextKey {
  /** As the policy spells it. */
  readonly name: string;
  readonly folded: string;
  /** Set for keys that follow from the principal, which nothing else can set. */
  readonly ofPrincipal: PrincipalKey | undefined;

  constructor(name: string) {
    this.name = name;
    this.folded = foldName(name);
    this.ofPrincipal = principalKey(this.folded);
  }
}

/**
 * The context keys of one request. Names are looked up whatever their case (POLICY.md section 4). Keys that follow
 * from the principal come from the principal alone: an entry of that name in the request's context is not read, also
 * where the principal has no such key.
 */
export class RequestKeys {
  readonly #principal: Principal;
  readonly #context: AuthorizationRequest['context'];
  readonly #missing: Set<string> | undefined;
  #names: string[] | undefined;
  #stepsLeft = MAX_STEPS;
  readonly #values: ContextValue[] = [];

  /** @param missing takes the names that are looked up and absent */
  constructor({ principal, context }: AuthorizationRequest, missing?: Set<string>) {
    this.#principal = principal;
    this.#context = context;
    this.#missing = missing;
  }

  /** @throws {PolicyError} for a value that cannot be matched in bounded time */
  get(key: ContextKey): ContextValue | undefined {
    const value = key.ofPrincipal ? key.ofPrincipal(this.#principal) : this.#inContext(key.folded);
    if (value === undefined) this.#missing?.add(key.name);
    else checkValue(key, value);
    return value;
  }

  /**
   * To be told of what takes time by the length of values. Each match of a pattern is bounded; the sum of all values of a
   * list, each with all patterns, is only by this.
   *
   * @throws {PolicyError} when it was too much
   */
  spend(steps: number): void {
    this.#stepsLeft -= steps;
    if (this.#stepsLeft >= 0) return;
    const reason = `takes more than ${MAX_STEPS} steps to decide: its context keys have too many or too long values for the patterns of the policies`;
    throw new PolicyError('The request', [{ code: 'ERR_POLICY_REQUEST', path: '', reason }]);
  }

  /** A context has few keys, so that looking through them all costs less than a map of them. */
  #inContext(folded: string): ContextValue | undefined {
    this.#names ??= this.#foldedNames();
    const at = this.#names.indexOf(folded);
    if (at < 0) return undefined;
    let value: ContextValue | undefined;
    for (let next = at; next >= 0; next = this.#names.indexOf(folded, next + 1)) {
      value = merged(value, this.#values[next]!);
    }
    return value;
  }

  #foldedNames(): string[] {
    const names: string[] = [];
    for (const [name, value] of this.#context) {
      names.push(foldName(name));
      this.#values.push(value);
    }
    return names;
  }
}

/** @throws {PolicyError} */
export function checkText(subject: string, value: unknown): void {
  if (typeof value === 'string' && value.length <= MAX_VALUE_LENGTH) return;
  const reason =
    typeof value === 'string'
      ? `has ${value.length} characters, and at most ${MAX_VALUE_LENGTH} are matched`
      : 'is no string';
  throw new PolicyError(`The ${subject} of the request`, [{ code: 'ERR_POLICY_REQUEST', path: '', reason }]);
}

function checkValue({ name }: ContextKey, value: ContextValue): void {
  if (typeof value === 'string' && value.length <= MAX_VALUE_LENGTH) return;
  if (!Array.isArray(value)) {
    checkText(`context key ${name}`, value);
    return;
  }
  if (value.length > MAX_VALUES) {
    const reason = `has ${value.length} values, and at most ${MAX_VALUES} are matched`;
    throw new PolicyError(`The context key ${name} of the request`, [
      { code: 'ERR_POLICY_REQUEST', path: '', reason },
    ]);
  }
  for (const one of value) checkText(`context key ${name}`, one);
}
