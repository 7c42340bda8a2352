import { HawserError } from '../../base/error.ts';

/** Matching goes on longer than it may. */
export class MatchCostError extends HawserError {
  constructor() {
    super('ERR_PATTERN_COST', 'The value is too long for its pattern: matching it takes too many steps.');
  }
}

/**
 * How many steps the matching of one value may take, or of several together: 5 million, well below a second. Linear
 * time is not enough: 2048 states for each of 65,535 characters are 134 million.
 */
export class MatchBudget {
  #steps = 5_000_000;

  /** @throws {MatchCostError} */
  take(): void {
    if (--this.#steps < 0) throw new MatchCostError();
  }
}
