import { DocumentError } from './error.ts';
import { isRecord, MAX_DEPTH } from './json-value.ts';

/** Values by parameter name. A map, not an object: the names come from the network. */
export type Values = ReadonlyMap<string, unknown>;

/** What a parameter may be called; the agent knows no others. */
export const PARAMETER_NAME = /^[a-zA-Z0-9]+$/;

/** The values given, and the defaults of those that are not (CONTROL-PLANE.md section 3.3, rule 1). */
export function valuesOf(
  declared: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): Values {
  const values = new Map<string, unknown>();
  for (const [name, parameter] of Object.entries(declared)) {
    const value = isRecord(parameter) ? parameter.default : undefined;
    if (PARAMETER_NAME.test(name) && value !== undefined) values.set(name, value);
  }
  for (const [name, value] of Object.entries(given)) {
    if (PARAMETER_NAME.test(name)) values.set(name, value);
  }
  return values;
}

/**
 * Puts the values into all texts of `properties` or `inputs`, not into keys (section 3.3, rule 3). One pass: a value
 * that looks like a token is not expanded again, and unknown tokens stay.
 *
 * @throws {DocumentError} `ERR_DOCUMENT_SIZE` for what is nested more than 32 deep, or becomes longer than 1 MiB
 */
export function substitute(value: unknown, values: Values): unknown {
  let left = MAX_SUBSTITUTED;
  return walk(value, 0);

  function walk(part: unknown, depth: number): unknown {
    if (typeof part === 'string') return walkText(part);
    if (typeof part !== 'object' || part === null) return part;
    if (depth === MAX_DEPTH) throw tooLarge(`is nested more than ${MAX_DEPTH} deep`);
    if (Array.isArray(part)) return part.map((item) => walk(item, depth + 1));
    return Object.fromEntries(Object.entries(part).map(([key, member]) => [key, walk(member, depth + 1)]));
  }

  function walkText(text: string): unknown {
    const whole = WHOLE_TOKEN.exec(text)?.[1];
    if (whole !== undefined && values.has(whole)) {
      const given = values.get(whole);
      count(typeof given === 'string' ? given.length : (JSON.stringify(given)?.length ?? 0));
      return given;
    }
    return text.replace(TOKEN, (token, name: string) => {
      if (!values.has(name)) return token;
      const given = values.get(name);
      // `$$` becomes `$`, as in the real agent, and only here.
      const inserted = (typeof given === 'string' ? given : JSON.stringify(given)).replaceAll('$$', '$');
      count(inserted.length);
      return inserted;
    });
  }

  function count(length: number): void {
    left -= length;
    if (left < 0) throw tooLarge('becomes too long with the values of its parameters');
  }
}

/** A place in a text where a value goes. */
export interface Token {
  readonly name: string;
  /** Nothing else is in the text: the value takes its place. */
  readonly whole: boolean;
}

export function tokensIn(text: string): readonly Token[] {
  const whole = WHOLE_TOKEN.test(text);
  return Array.from(text.matchAll(TOKEN), ([, name]) => ({ name: name!, whole }));
}

const TOKEN = /\{\{\s*([a-zA-Z0-9]+)\s*\}\}/g;
const WHOLE_TOKEN = /^\{\{\s*([a-zA-Z0-9]+)\s*\}\}$/;

/** Characters that values add. A short document can name a long value many times. */
const MAX_SUBSTITUTED = 1024 * 1024;

function tooLarge(reason: string): DocumentError {
  return new DocumentError({ path: '', reason, code: 'ERR_DOCUMENT_SIZE' });
}
