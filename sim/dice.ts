import { seededRandom } from '../src/testing/seeded-random.ts';

/** Chance in the forms that scenarios ask for, every draw following from the seed. */
export class Dice {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed).random;
  }

  /** A number in [0, 1). */
  fraction(): number {
    return this.#random();
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** A whole number from `minimum` to `maximum`, both included. */
  whole(minimum: number, maximum: number): number {
    return minimum + Math.floor(this.#random() * (maximum - minimum + 1));
  }

  /** A whole number in the range, as likely between 10 and 100 as between 100 and 1000. */
  magnitude(minimum: number, maximum: number): number {
    return Math.floor(minimum * ((maximum + 1) / minimum) ** this.#random());
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }
}
