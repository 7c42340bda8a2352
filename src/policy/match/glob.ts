import type { RequestKeys } from './context-key.ts';
import { ANY, ONE, type Piece, type Variable } from './pieces.ts';

/**
 * A pattern that matches all of a text or nothing (POLICY.md section 2). The matcher keeps two positions and goes back
 * only to the last `*`, so its time is at most the product of both lengths, which are bounded: that of a text by
 * {@link MAX_VALUE_LENGTH}, that of all patterns together by the size of policies.
 */
export class Glob {
  readonly #pieces: readonly Piece[];
  /** Whether it is text and variables, with or without one `*` at the end, which needs no going back. */
  readonly #plain: boolean;
  readonly #open: boolean;
  readonly #codes: readonly number[] | undefined;

  constructor(pieces: readonly Piece[]) {
    this.#open = pieces.at(-1) === ANY;
    this.#pieces = this.#open ? pieces.slice(0, -1) : pieces;
    this.#plain = this.#pieces.every((piece) => piece !== ANY && piece !== ONE);
    const hasVariables = pieces.some(isVariable);
    this.#codes = this.#plain || hasVariables ? undefined : codesOf(pieces, undefined);
  }

  /** The text that it stands for, when it stands for one text. */
  get literal(): string | undefined {
    if (this.#open || this.#pieces.length > 1) return undefined;
    const [piece = ''] = this.#pieces;
    return typeof piece === 'string' ? piece : undefined;
  }

  /** The variable that it is, when it is one and nothing else. */
  get variable(): Variable | undefined {
    const [piece] = this.#pieces;
    return !this.#open && this.#pieces.length === 1 && isVariable(piece) ? piece : undefined;
  }

  /**
   * @param keys for a pattern that may have variables
   * @returns false as well when a variable has no value
   */
  matches(text: string, keys?: RequestKeys, from = 0, to = text.length): boolean {
    if (!this.#plain) {
      const codes = this.#codes ?? codesOf(this.#whole(), keys, to - from);
      return codes !== undefined && globMatches(codes, text, from, to, keys);
    }
    keys?.spend(this.#pieces.length);
    let at = from;
    for (const piece of this.#pieces) {
      const literal = typeof piece === 'string' ? piece : variableValue(piece as Variable, keys!);
      if (literal === undefined || !text.startsWith(literal, at)) return false;
      at += literal.length;
    }
    return this.#open ? at <= to : at === to;
  }

  #whole(): readonly Piece[] {
    return this.#open ? [...this.#pieces, ANY] : this.#pieces;
  }
}

/** What a variable stands for: literal text. Undefined without a value, and for a key with a list of them. */
export function variableValue({ key, fallback }: Variable, keys: RequestKeys): string | undefined {
  const value = keys.get(key);
  if (value === undefined) return fallback;
  return typeof value === 'string' ? value : undefined;
}

const ANY_CODE = -1;
const ONE_CODE = -2;

function isVariable(piece: Piece | undefined): piece is Variable {
  return typeof piece === 'object';
}

/**
 * Code units and codes for wildcards. Undefined when a variable has no value, and when there are more than a text of
 * `most` code units can match: a few variables can make a very long pattern.
 */
function codesOf(
  pieces: readonly Piece[],
  keys: RequestKeys | undefined,
  most = Number.POSITIVE_INFINITY,
): number[] | undefined {
  const codes: number[] = [];
  // Every one but those for `*` takes at least one code unit.
  let least = 0;
  for (const piece of pieces) {
    if (piece === ANY) codes.push(ANY_CODE);
    else if (piece === ONE) {
      if (++least > most) return undefined;
      codes.push(ONE_CODE);
    } else {
      const text = typeof piece === 'string' ? piece : variableValue(piece, keys!);
      if (text === undefined) return undefined;
      least += text.length;
      if (least > most) return undefined;
      for (let at = 0; at < text.length; at++) codes.push(text.charCodeAt(at));
    }
  }
  return codes;
}

function globMatches(
  pattern: readonly number[],
  text: string,
  from: number,
  to: number,
  keys: RequestKeys | undefined,
): boolean {
  let steps = pattern.length;
  let at = from;
  let next = 0;
  let star = -1;
  let starAt = 0;
  while (at < to) {
    steps++;
    const code = next < pattern.length ? pattern[next]! : undefined;
    if (code === ANY_CODE) {
      star = next++;
      starAt = at;
    } else if (code === ONE_CODE) {
      next++;
      at += isPair(text, at, to) ? 2 : 1;
    } else if (code === text.charCodeAt(at)) {
      next++;
      at++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++starAt;
    } else {
      break;
    }
  }
  keys?.spend(steps);
  if (at < to) return false;
  while (next < pattern.length && pattern[next] === ANY_CODE) next++;
  return next === pattern.length;
}

/** A character beyond U+FFFF has two code units and is still one character. */
function isPair(text: string, at: number, to: number): boolean {
  return (
    at + 1 < to && (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00
  );
}
