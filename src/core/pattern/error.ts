import { HawserError } from '../../base/error.ts';

/** A regular expression that cannot be used: malformed, too large, or with what RE2 does not have. */
export class PatternError extends HawserError {
  constructor(pattern: string, why: string) {
    super('ERR_PATTERN', `The pattern ${shown(pattern)} cannot be used: ${why}.`);
  }
}

const MAX_SHOWN = 100;

function shown(pattern: string): string {
  return JSON.stringify(pattern.length > MAX_SHOWN ? `${pattern.slice(0, MAX_SHOWN)}…` : pattern);
}
