import type { RequestKeys } from './context-key.ts';
import { Glob, variableValue } from './glob.ts';
import { pieces, type Syntax, type Variable, variableEnd } from './pieces.ts';

/** Where the six parts of an ARN begin and end; the sixth keeps any further colons. */
export type ArnColons = readonly [number, number, number, number, number];

/** @returns undefined for a text that is no ARN */
export function arnColons(text: string): ArnColons | undefined {
  if (!text.startsWith('arn:')) return undefined;
  const second = text.indexOf(':', 4);
  if (second < 0) return undefined;
  const third = text.indexOf(':', second + 1);
  if (third < 0) return undefined;
  const fourth = text.indexOf(':', third + 1);
  if (fourth < 0) return undefined;
  const fifth = text.indexOf(':', fourth + 1);
  return fifth < 0 ? undefined : [3, second, third, fourth, fifth];
}

/**
 * `resource`: variables in the sixth part only (POLICY.md section 3). `condition`: in every part, each within its
 * part, whatever colons its value has; a variable alone stands for a whole ARN.
 */
export type ArnPlace = 'resource' | 'condition';

/** An ARN with wildcards, matched part by part (POLICY.md section 2). */
export class ArnPattern {
  /** The first five parts with their colons, where they have nothing but text. */
  readonly #prefix: string | undefined;
  readonly #parts: readonly Glob[];
  readonly #whole: Variable | undefined;

  /** @throws {VariableSyntaxError} */
  constructor(text: string, place: ArnPlace, variables: boolean) {
    const parts = splitPattern(text, place === 'condition' && variables);
    const isOpen = parts.length < ARN_PARTS && text.endsWith('*');
    while (isOpen && parts.length < ARN_PARTS) parts.push('*');
    const syntax = (index: number): Syntax => ({
      wildcards: true,
      variables: variables && (place === 'condition' || index === ARN_PARTS - 1),
    });
    this.#parts = parts.map((part, index) => new Glob(pieces(part, syntax(index))));
    this.#whole = parts.length === 1 ? this.#parts[0]!.variable : undefined;
    const literals = this.#parts.slice(0, ARN_PARTS - 1).map(({ literal }) => literal);
    if (parts.length < ARN_PARTS || literals.includes(undefined)) return;
    this.#prefix = `${literals.join(':')}:`;
    this.#parts = this.#parts.slice(-1);
  }

  matches(arn: string, colons: ArnColons, keys: RequestKeys): boolean {
    const parts = this.#parts;
    if (this.#prefix !== undefined) {
      return arn.startsWith(this.#prefix) && parts[0]!.matches(arn, keys, this.#prefix.length);
    }
    if (this.#whole) return variableValue(this.#whole, keys) === arn;
    if (parts.length < ARN_PARTS) return false;
    let from = 0;
    for (let index = 0; index < ARN_PARTS; index++) {
      const to = colons[index] ?? arn.length;
      if (!parts[index]!.matches(arn, keys, from, to)) return false;
      from = to + 1;
    }
    return true;
  }
}

const ARN_PARTS = 6;

/** @param aroundVariables whether colons within `${…}` are none that divide */
function splitPattern(text: string, aroundVariables: boolean): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length && parts.length < ARN_PARTS - 1; at++) {
    if (aroundVariables && text.startsWith('${', at)) at = variableEnd(text, at) - 1;
    else if (text[at] === ':') {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)];
}
