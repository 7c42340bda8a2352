import { ArnPattern, arnColons } from '../match/arn-pattern.ts';
import type { Family } from './operand.ts';

/** ArnEquals and ArnLike, which are the same: part by part, with wildcards. */
export const arnLike: Family = {
  compile(values, variables) {
    const patterns = values.map((value) => new ArnPattern(value, 'condition', variables));
    return (value, keys) => {
      const colons = arnColons(value);
      return colons !== undefined && patterns.some((pattern) => pattern.matches(value, colons, keys));
    };
  },
  refuses: (value) => arnColons(value) === undefined,
};
