import { type MatchBudget, MatchCostError } from '../pattern/match-budget.ts';
import { Pattern } from '../pattern/pattern.ts';
import { ParameterError, quoted } from './error.ts';

/**
 * Checks that the whole of each value of a parameter matches its pattern (CONTROL-PLANE.md section 3.4).
 *
 * @param budget of all parameters that are checked together
 * @throws {ParameterError} when one does not, or is too long to tell
 * @throws {PatternError} for a pattern that cannot be used
 */
export function checkAllowedPattern(
  name: string,
  pattern: string,
  values: readonly string[],
  budget: MatchBudget,
): void {
  const compiled = new Pattern(pattern);
  for (const value of values) {
    if (matches(name, compiled, value, budget)) continue;
    // In AWS's words.
    throw new ParameterError(
      `Parameter "${name}" has value ${quoted(value)} not matching ${quoted(pattern)}.`,
    );
  }
}

function matches(name: string, pattern: Pattern, value: string, budget: MatchBudget): boolean {
  try {
    return pattern.matches(value, budget);
  } catch (cause) {
    if (!(cause instanceof MatchCostError)) throw cause;
    throw new ParameterError(
      `Parameter "${name}" has ${value.length} characters, too many to be matched with its allowedPattern.`,
      { cause },
    );
  }
}
