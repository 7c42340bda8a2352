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

export const stringEqualsIgnoreCase: Family = {
  compile(values, variables) {
    const operands = values.map((value) => pieces(value, { wildcards: false, variables }));
    const fixed = new Set<string>();
    const open: (readonly (string | Variable)[])[] = [];
    for (const operand of operands) {
      const parts = operand as (string | Variable)[];
      if (parts.every((part) => typeof part === 'string')) fixed.add(foldSimply(parts.join('')));
      else open.push(parts);
    }
    return (value, keys) => {
      const folded = foldSimply(value);
      return fixed.has(folded) || open.some((parts) => folded === foldedText(parts, keys));
    };
  },
};

/** `true` and `false`, whatever their case; what is not true in a request counts as false (POLICY.md section 4). */
export const bool: Family = {
  compile(values, variables) {
    const operands = values.map(
      (value) => pieces(value, { wildcards: false, variables }) as (string | Variable)[],
    );
    return (value, keys) => {
      const wanted = value.toLowerCase() === 'true' ? 'true' : 'false';
      return operands.some((parts) => foldedText(parts, keys) === wanted);
    };
  },
};

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

function foldedText(parts: readonly (string | Variable)[], keys: RequestKeys): string | undefined {
  let text = '';
  for (const part of parts) {
    const value = typeof part === 'string' ? part : variableValue(part, keys);
    if (value === undefined) return undefined;
    text += value;
  }
  return foldSimply(text);
}
