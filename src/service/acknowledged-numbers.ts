/**
 * Sequence numbers that have been acknowledged, in any order, as ranges: one, in a session that loses nothing. Beyond
 * 256 ranges the lowest is forgotten, so that no peer can make it grow.
 */
export class AcknowledgedNumbers {
  /** Where ranges start and end, in turn and ascending: `[0, 8, 9, 40]` is 0 to 7 and 9 to 39. */
  readonly #bounds: number[] = [];

  has(number: number): boolean {
    return this.#position(number) % 2 === 1;
  }

  add(number: number): void {
    const bounds = this.#bounds;
    const position = this.#position(number);
    if (position % 2 === 1) return;
    const joinsLower = position > 0 && bounds[position - 1] === number;
    const joinsUpper = bounds[position] === number + 1;
    if (joinsLower && joinsUpper) bounds.splice(position - 1, 2);
    else if (joinsLower) bounds[position - 1] = number + 1;
    else if (joinsUpper) bounds[position] = number;
    else {
      bounds.splice(position, 0, number, number + 1);
      if (bounds.length > 2 * MAX_RANGES) bounds.splice(0, 2);
    }
  }

  get ranges(): number {
    return this.#bounds.length / 2;
  }

  /** How many bounds are not above the number: odd within a range. */
  #position(number: number): number {
    const bounds = this.#bounds;
    let low = 0;
    let high = bounds.length;
    // Nearly always it is above them all.
    if (high > 0 && number >= bounds[high - 1]!) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bounds[middle]! <= number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** There is a gap for every acknowledge that was lost on its way to the relay. */
const MAX_RANGES = 256;
