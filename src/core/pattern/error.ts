import { HawserError } from '../../base/error.ts';

/** A regular expression that cannot be used: malformed, too large, or with what RE2 does not have. */
export class PatternError extends HawserError {
  /** As the rest of a sentence: `at character 3 it has look-around, which RE2 does not have`. */
  readonly reason: string;

  constructor(pattern: string, reason: string) {
    super('ERR_PATTERN', `The pattern ${shown(pattern)} cannot be used: ${reason}.`);
    this.reason = reason;
  }
}

const MAX_SHOWN = 100;

function shown(pattern: string): string {
  return JSON.stringify(pattern.length > MAX_SHOWN ? `${pattern.slice(0, MAX_SHOWN)}…` : pattern);
}
