import { includes, WORD } from './char-set.ts';
import { PatternError } from './error.ts';
import { MatchBudget } from './match-budget.ts';
import { type Assertion, sizeOf } from './node.ts';
import { parsePattern } from './parse.ts';
import { compile, type Program, type State } from './program.ts';

/**
 * A regular expression from a session document. It is the author's text against a caller's, so it must take linear
 * time whatever both are: JavaScript's own engine does not (CONTROL-PLANE.md section 3.4).
 */
export class Pattern {
  readonly #program: Program;

  /** @throws {PatternError} for what RE2 would refuse, what is not supported here, and what is too large */
  constructor(pattern: string) {
    const node = parsePattern(pattern);
    const size = sizeOf(node);
    if (size > MAX_SIZE) throw new PatternError(pattern, `it has ${size} parts, and may have ${MAX_SIZE}`);
    this.#program = compile(node);
  }

  /**
   * Whether it matches the whole value. Takes at most some 2048 steps for each of its characters.
   *
   * @param budget for values that are matched together; default one for this value alone
   * @throws {MatchCostError} when it would take more steps than that
   */
  matches(value: string, budget = new MatchBudget()): boolean {
    const { states, start } = this.#program;
    const characters = Array.from(value, (character) => character.codePointAt(0)!);
    const seenAt = new Int32Array(states.length).fill(-1);
    let waiting = [start];
    for (let at = 0; at < characters.length && waiting.length > 0; at++) {
      const character = characters[at]!;
      const place = { seenAt, budget, at, before: characters[at - 1], after: character };
      const reached = follow(states, waiting, place);
      waiting = [];
      for (const state of reached) {
        if (state.kind === 'set' && includes(state.set, character)) waiting.push(state.next);
      }
    }
    const at = characters.length;
    const place = { seenAt, budget, at, before: characters[at - 1], after: undefined };
    const reached = follow(states, waiting, place);
    return reached.some(({ kind }) => kind === 'match');
  }
}

interface Place {
  /** Where each state was reached last, so that it is followed once, however many ways lead to it. */
  readonly seenAt: Int32Array;
  readonly budget: MatchBudget;
  /** Characters before it. */
  readonly at: number;
  /** The characters next to it. */
  readonly before: number | undefined;
  readonly after: number | undefined;
}

/** The states that wait for a character, or match, and are reached without taking one. Empties `waiting`. */
function follow(states: readonly State[], waiting: number[], place: Place): readonly State[] {
  const reached: State[] = [];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    // For each way that leads to a state, also to one that has been reached.
    place.budget.take();
    if (place.seenAt[index] === place.at) continue;
    place.seenAt[index] = place.at;
    const state = states[index]!;
    if (state.kind === 'split') waiting.push(...state.next);
    else if (state.kind !== 'assertion') reached.push(state);
    else if (holds(state.assertion, place)) waiting.push(state.next);
  }
  return reached;
}

/** Of a compiled pattern. RE2's own bound of a count is 1000, which must have room. */
const MAX_SIZE = 2048;

function holds(assertion: Assertion, { before, after }: Place): boolean {
  if (assertion === 'start') return before === undefined;
  if (assertion === 'end') return after === undefined;
  return (isWord(before) !== isWord(after)) === (assertion === 'word boundary');
}

function isWord(character: number | undefined): boolean {
  return character !== undefined && includes(WORD, character);
}
