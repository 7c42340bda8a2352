import { ContextKey } from './context-key.ts';

/** `*`: any run of characters, none included. */
export const ANY = Symbol('*');
/** `?`: exactly one character. */
export const ONE = Symbol('?');

/** `${key}` or `${key, 'default'}` (POLICY.md section 3). */
export class Variable {
  readonly key: ContextKey;
  readonly fallback: string | undefined;

  constructor(key: ContextKey, fallback: string | undefined) {
    this.key = key;
    this.fallback = fallback;
  }
}

/** Text, which stands for itself, or what stands for other text. */
export type Piece = string | typeof ANY | typeof ONE | Variable;

export interface Syntax {
  /** Whether `*` and `?` are wildcards. */
  readonly wildcards: boolean;
  /** Whether `${` begins a variable: under Version 2012-10-17 alone, and only where POLICY.md section 3 says. */
  readonly variables: boolean;
}

/** Why a text has no pieces. The message is a reason for a {@link PolicyProblem}. */
export class VariableSyntaxError extends Error {}

/**
 * Takes a pattern apart, once, when the policy is read. A variable stays a piece of its own for good: its value is
 * never looked at for wildcards or further variables, since users choose it (tags).
 *
 * @throws {VariableSyntaxError}
 */
export function pieces(text: string, { wildcards, variables }: Syntax): Piece[] {
  const found: Piece[] = [];
  let literal = '';
  const push = (piece: Piece) => {
    if (literal !== '') found.push(literal);
    literal = '';
    if (piece !== ANY || found.at(-1) !== ANY) found.push(piece);
  };
  for (let at = 0; at < text.length; ) {
    const character = text[at]!;
    if (variables && text.startsWith('${', at)) {
      const { piece, end } = variable(text, at);
      if (typeof piece === 'string') literal += piece;
      else push(piece);
      at = end;
      continue;
    }
    if (wildcards && character === '*') push(ANY);
    else if (wildcards && character === '?') push(ONE);
    else literal += character;
    at++;
  }
  if (literal !== '') found.push(literal);
  return found;
}

/** The end of what begins with `${` at `start`: behind its brace. @throws {VariableSyntaxError} */
export function variableEnd(text: string, start: number): number {
  return variable(text, start).end;
}

function variable(text: string, start: number): { piece: string | Variable; end: number } {
  FORM.lastIndex = start;
  const match = FORM.exec(text);
  if (!match) {
    throw new VariableSyntaxError(
      "has a ${ that begins no variable: ${key}, ${key, 'default'}, ${*}, ${?} or ${$}",
    );
  }
  const [whole, escaped, key, fallback] = match;
  return { piece: escaped ?? new Variable(new ContextKey(key!), fallback), end: start + whole.length };
}

/** A key has the characters of tag keys: letters, digits, inner spaces and a few signs. Every run ends at a sign. */
const FORM = /\$\{(?:([*?$])|([^\s${}'"*?,\\](?:[^${}'"*?,\\]*[^\s${}'"*?,\\])?)(?:, '([^']*)')?)\}/y;
