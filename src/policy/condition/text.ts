import type { RequestKeys } from '../match/context-key.ts';
import { foldSimply } from '../match/fold.ts';
import { Glob, variableValue } from '../match/glob.ts';
import { pieces, type Variable } from '../match/pieces.ts';
import type { Family, Matcher } from './operand.ts';

/** StringEquals: exact; `*` is a character. */
export const stringEquals: Family = { compile: exact };

/** StringLike: case-sensitive glob. */
export const stringLike: Family = {
  compile(values, variables) {
    const globs = values.map((value) => new Glob(pieces(value, { wildcards: true, variables })));
    return (value, keys) => globs.some((glob) => glob.matches(value, keys));
  },
};

export const stringEqualsIgnoreCase: Family = { compile: folded(foldSimply, foldSimply) };

/** `true` and `false`, whatever their case; what is not true in a request counts as false (POLICY.md section 4). */
export const bool: Family = {
  compile: folded(
    (text) => text.toLowerCase(),
    (value) => (value === 'true' || value.toLowerCase() === 'true' ? 'true' : 'false'),
  ),
};

/** Compares what is left of both sides when they are folded. */
function folded(fold: (text: string) => string, foldValue: (value: string) => string): Family['compile'] {
  return (values, variables) => {
    const fixed: string[] = [];
    const open: (readonly (string | Variable)[])[] = [];
    for (const value of values) {
      const parts = pieces(value, { wildcards: false, variables }) as (string | Variable)[];
      if (parts.every((part) => typeof part === 'string')) fixed.push(fold(parts.join('')));
      else open.push(parts);
    }
    return (value, keys) => {
      keys.spend(value.length * FOLD_STEPS);
      const wanted = foldValue(value);
      if (fixed.includes(wanted)) return true;
      return open.some((parts) => {
        const text = resolved(parts, keys);
        // Folding changes no length.
        if (text?.length !== wanted.length) return false;
        keys.spend(text.length * FOLD_STEPS);
        return fold(text) === wanted;
      });
    };
  };
}

/** What it takes to fold a character, beside a step of a pattern. */
const FOLD_STEPS = 16;

function exact(values: readonly string[], variables: boolean): Matcher {
  const globs = values.map((value) => new Glob(pieces(value, { wildcards: false, variables })));
  const fixed = new Set<string>();
  const open = globs.filter(({ literal }) => literal === undefined || !fixed.add(literal));
  if (open.length === 0 && fixed.size === 1) {
    const [only] = fixed;
    return (value) => value === only;
  }
  return (value, keys) => fixed.has(value) || open.some((glob) => glob.matches(value, keys));
}

function resolved(parts: readonly (string | Variable)[], keys: RequestKeys): string | undefined {
  let text = '';
  for (const part of parts) {
    const value = typeof part === 'string' ? part : variableValue(part, keys);
    if (value === undefined) return undefined;
    text += value;
  }
  return text;
}
