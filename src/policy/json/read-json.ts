import { item, member, type Problems, quoted } from '../parse/problems.ts';
import { JsonNumber, type JsonValue, MAX_DEPTH } from './json-value.ts';

/**
 * Reads JSON by RFC 8259 to the letter, and finds names that come twice in one object, of which `JSON.parse`
 * keeps the last in silence. Takes time and memory in proportion to the text.
 *
 * @returns undefined when the text is no JSON, which is then among the problems
 */
export function readJson(text: string, problems: Problems): JsonValue | undefined {
  const reader = new Reader(text, problems);
  try {
    return reader.document();
  } catch (error) {
    if (error !== STOP) throw error;
    return undefined;
  }
}

/** Thrown at the first character that cannot be read: what follows means nothing. */
const STOP = Symbol('stop');

class Reader {
  readonly #text: string;
  readonly #problems: Problems;
  #at = 0;

  constructor(text: string, problems: Problems) {
    this.#text = text;
    this.#problems = problems;
  }

  document(): JsonValue {
    const value = this.#value('', 0);
    this.#space();
    if (this.#at < this.#text.length) this.#stop('', 'has something behind its end');
    return value;
  }

  #value(path: string, depth: number): JsonValue {
    this.#space();
    const character = this.#text[this.#at];
    if (character === '{' || character === '[') {
      if (depth === MAX_DEPTH) {
        this.#problems.add('ERR_POLICY_SIZE', path, `is nested more than ${MAX_DEPTH} deep`);
        throw STOP;
      }
      return character === '{' ? this.#object(path, depth) : this.#list(path, depth);
    }
    if (character === '"') return this.#string(path);
    return this.#word('true')
      ? true
      : this.#word('false')
        ? false
        : this.#word('null')
          ? null
          : this.#number(path);
  }

  #object(path: string, depth: number): JsonValue {
    const members = new Map<string, JsonValue>();
    this.#at++;
    if (this.#skip('}')) return members;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#stop(path, 'needs a name in quotes');
      const name = this.#string(path);
      if (!this.#skip(':')) this.#stop(path, `needs a colon after ${quoted(name)}`);
      const value = this.#value(member(path, name), depth + 1);
      if (members.has(name)) {
        this.#problems.add('ERR_POLICY_DUPLICATE_KEY', member(path, name), 'is there twice');
      } else {
        members.set(name, value);
      }
    } while (this.#skip(','));
    if (!this.#skip('}')) this.#stop(path, 'needs a comma or a closing brace');
    return members;
  }

  #list(path: string, depth: number): JsonValue {
    const items: JsonValue[] = [];
    this.#at++;
    if (this.#skip(']')) return items;
    do {
      items.push(this.#value(item(path, items.length), depth + 1));
    } while (this.#skip(','));
    if (!this.#skip(']')) this.#stop(path, 'needs a comma or a closing bracket');
    return items;
  }

  #string(path: string): string {
    const from = this.#at;
    let to = from + 1;
    let escaped = false;
    for (; ; to++) {
      const code = this.#text.charCodeAt(to);
      if (code === QUOTE) break;
      // NaN, at the end of the text, is neither below nor above anything
      if (!(code >= 0x20)) this.#stop(path, 'has a string without an end, or with a bare control character');
      if (code === BACKSLASH) {
        escaped = true;
        to++;
      }
    }
    this.#at = to + 1;
    if (!escaped) return this.#text.slice(from + 1, to);
    try {
      return JSON.parse(this.#text.slice(from, to + 1));
    } catch {
      this.#at = from;
      return this.#stop(path, 'has a string with an unknown escape');
    }
  }

  #number(path: string): JsonNumber {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (!match) return this.#stop(path, 'is no JSON value');
    this.#at += match[0].length;
    return new JsonNumber(match[0]);
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #skip(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    while (isJsonSpace(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #stop(path: string, reason: string): never {
    this.#problems.add('ERR_POLICY_JSON', path, `${reason} (character ${this.#at} of the text)`);
    throw STOP;
  }
}

export function isJsonSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
