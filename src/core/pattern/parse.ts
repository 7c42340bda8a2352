import {
  type CharRange,
  type CharSet,
  charSet,
  DIGIT,
  MAX_CODE_POINT,
  NOT_NEWLINE,
  negated,
  rangesOf,
  SPACE,
  WORD,
} from './char-set.ts';
import { PatternError } from './error.ts';
import type { Assertion, PatternNode } from './node.ts';

/**
 * The subset of RE2's syntax that session documents use: literals, classes, `\d \w \s` and their opposites, `.`,
 * groups, alternation, `* + ? {m,n}` with their lazy forms, `^ $ \A \z \b \B`. What is left out is refused, never
 * read as something else.
 *
 * @throws {PatternError}
 */
export function parsePattern(pattern: string): PatternNode {
  if (pattern.length > MAX_LENGTH) {
    throw new PatternError(pattern, `it has ${pattern.length} characters, and may have ${MAX_LENGTH}`);
  }
  return new Parser(pattern).parse();
}

const MAX_LENGTH = 4096;
/** Groups within groups. */
const MAX_DEPTH = 100;
/** RE2's own bound of `{m,n}`. */
const MAX_REPEAT = 1000;

class Parser {
  readonly #pattern: string;
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#characters = Array.from(pattern);
  }

  parse(): PatternNode {
    const node = this.#alternation();
    if (this.#peek() === ')') throw this.#wrong('a ) without its (');
    return node;
  }

  #alternation(): PatternNode {
    const nodes = [this.#sequence()];
    while (this.#take('|')) nodes.push(this.#sequence());
    return nodes.length === 1 ? nodes[0]! : { kind: 'alternation', nodes };
  }

  #sequence(): PatternNode {
    const nodes: PatternNode[] = [];
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      nodes.push(this.#repetition(this.#atom()));
    }
    return nodes.length === 1 ? nodes[0]! : { kind: 'sequence', nodes };
  }

  #repetition(node: PatternNode): PatternNode {
    const count = this.#count();
    if (!count) return node;
    this.#take('?'); // lazy
    const start = this.#at;
    if (this.#count()) {
      this.#at = start;
      throw this.#wrong('a repetition of a repetition');
    }
    return { kind: 'repetition', node, ...count };
  }

  /** A `{` that begins no count is itself, as in RE2. */
  #count(): { min: number; max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take('?')) return { min: 0, max: 1 };
    if (this.#peek() !== '{') return undefined;
    const [whole, first, comma, last] = COUNT.exec(this.#ahead(COUNT_LENGTH)) ?? [];
    if (whole === undefined) return undefined;
    const min = Number(first);
    const max = comma === undefined ? min : last ? Number(last) : Number.POSITIVE_INFINITY;
    if (min > max || min > MAX_REPEAT || (max > MAX_REPEAT && max !== Number.POSITIVE_INFINITY)) {
      throw this.#wrong(`the count ${whole}, which must ascend and end by ${MAX_REPEAT}`);
    }
    this.#at += whole.length;
    return { min, max };
  }

  #atom(): PatternNode {
    const character = this.#peek()!;
    if (character === '(') return this.#group();
    if (character === '[') return { kind: 'set', set: this.#class() };
    if (/[*+?]/.test(character) || (character === '{' && COUNT.test(this.#ahead(COUNT_LENGTH)))) {
      throw this.#wrong('a repetition of nothing');
    }
    if (character === '\\') return this.#escape();
    this.#at++;
    if (character === '.') return { kind: 'set', set: NOT_NEWLINE };
    if (character === '^') return { kind: 'assertion', assertion: 'start' };
    if (character === '$') return { kind: 'assertion', assertion: 'end' };
    return literal(character.codePointAt(0)!);
  }

  #group(): PatternNode {
    const start = this.#at;
    this.#at++;
    if (this.#peek() === '?') this.#at += this.#groupPrefix(start);
    if (++this.#depth > MAX_DEPTH) throw this.#wrong(`more than ${MAX_DEPTH} groups within groups`);
    const node = this.#alternation();
    this.#depth--;
    if (this.#take(')')) return node;
    this.#at = start;
    throw this.#wrong('a ( without its )');
  }

  /** Length of what stands between the parenthesis and the group itself. */
  #groupPrefix(start: number): number {
    const prefix = this.#ahead(MAX_NAME);
    const known = /^\?(?::|P?<[A-Za-z_]\w*>)/.exec(prefix);
    if (known) return known[0].length;
    this.#at = start;
    throw this.#wrong(
      /^\?<?[=!]/.test(prefix)
        ? 'look-around, which RE2 does not have'
        : 'a kind of group that is not supported',
    );
  }

  #escape(): PatternNode {
    const assertion = ASSERTIONS.get(this.#characters[this.#at + 1] ?? '');
    if (assertion) {
      this.#at += 2;
      return { kind: 'assertion', assertion };
    }
    const escaped = this.#escapedSet();
    return typeof escaped === 'number' ? literal(escaped) : { kind: 'set', set: escaped };
  }

  /** One code point, or the set of `\d` and its like. */
  #escapedSet(): number | CharSet {
    const character = this.#characters[this.#at + 1];
    if (character === undefined) throw this.#wrong('a \\ at its end');
    const set = SETS.get(character);
    const control = CONTROLS.get(character);
    const isPunctuation = /^[!-/:-@[-`{-~]$/.test(character);
    if (!set && control === undefined && !isPunctuation) return this.#escapedNumber(character);
    this.#at += 2;
    return set ?? control ?? character.codePointAt(0)!;
  }

  #escapedNumber(character: string): number {
    if (/^[1-9k]$/.test(character)) throw this.#wrong('a back reference, which RE2 does not have');
    const [whole, two, any] =
      /^\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(this.#ahead(MAX_HEX)) ?? [];
    const codePoint = Number.parseInt(two ?? any ?? '', 16);
    if (whole === undefined || codePoint > MAX_CODE_POINT) {
      throw this.#wrong(`the escape \\${character}, which is not supported`);
    }
    this.#at += whole.length;
    return codePoint;
  }

  #class(): CharSet {
    const start = this.#at;
    this.#at++;
    const isNegated = this.#take('^');
    const ranges: CharRange[] = [];
    // A ] right at the start is one of the characters.
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#peek() === undefined) {
        this.#at = start;
        throw this.#wrong('a [ without its ]');
      }
      ranges.push(...this.#classItem());
    }
    this.#at++;
    const set = charSet(ranges);
    return isNegated ? negated(set) : set;
  }

  #classItem(): readonly CharRange[] {
    const start = this.#at;
    if (this.#ahead(2) === '[:') throw this.#wrong('a named class, which is not supported');
    const first = this.#classCharacter();
    if (typeof first !== 'number') return rangesOf(first);
    const after = this.#characters[this.#at + 1];
    if (this.#peek() !== '-' || after === ']' || after === undefined) return [[first, first]];
    this.#at++;
    const last = this.#classCharacter();
    if (typeof last === 'number' && first <= last) return [[first, last]];
    this.#at = start;
    throw this.#wrong('a range that does not ascend');
  }

  #classCharacter(): number | CharSet {
    const character = this.#peek()!;
    if (character === '\\') return this.#escapedSet();
    this.#at++;
    return character.codePointAt(0)!;
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #ahead(count: number): string {
    return this.#characters.slice(this.#at, this.#at + count).join('');
  }

  #wrong(what: string): PatternError {
    return new PatternError(this.#pattern, `at character ${this.#at + 1} it has ${what}`);
  }
}

const COUNT = /^\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\}/;
/** Of the longest count that is read as one, also to be refused. */
const COUNT_LENGTH = 64;
/** Of the longest prefix of a named group. */
const MAX_NAME = 64;
/** Of the longest hexadecimal escape. */
const MAX_HEX = 10;

const ASSERTIONS: ReadonlyMap<string, Assertion> = new Map([
  ['A', 'start'],
  ['z', 'end'],
  ['b', 'word boundary'],
  ['B', 'no word boundary'],
]);

const SETS: ReadonlyMap<string, CharSet> = new Map([
  ['d', DIGIT],
  ['D', negated(DIGIT)],
  ['w', WORD],
  ['W', negated(WORD)],
  ['s', SPACE],
  ['S', negated(SPACE)],
]);

const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['t', 9],
  ['n', 10],
  ['v', 11],
  ['f', 12],
  ['r', 13],
]);

function literal(codePoint: number): PatternNode {
  return { kind: 'set', set: [codePoint, codePoint] };
}
