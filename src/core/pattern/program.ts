import type { CharSet } from './char-set.ts';
import type { Assertion, PatternNode } from './node.ts';

/** A nondeterministic automaton: states, each with those that follow it. */
export interface Program {
  readonly states: readonly State[];
  readonly start: number;
}

export type State =
  | { readonly kind: 'set'; readonly set: CharSet; readonly next: number }
  | { readonly kind: 'assertion'; readonly assertion: Assertion; readonly next: number }
  | { readonly kind: 'split'; readonly next: readonly number[] }
  | { readonly kind: 'match' };

/** Thompson's construction, from the end to the start: a part is built knowing what follows it. */
export function compile(node: PatternNode): Program {
  const states: State[] = [{ kind: 'match' }];
  const start = build(node, 0);
  return { states, start };

  function build(part: PatternNode, next: number): number {
    switch (part.kind) {
      case 'set':
        return add({ kind: 'set', set: part.set, next });
      case 'assertion':
        return add({ kind: 'assertion', assertion: part.assertion, next });
      case 'sequence':
        return part.nodes.reduceRight((following, item) => build(item, following), next);
      case 'alternation':
        return add({ kind: 'split', next: part.nodes.map((item) => build(item, next)) });
      case 'repetition':
        return repeat(part.node, part.min, part.max, next);
    }
  }

  function repeat(part: PatternNode, min: number, max: number, next: number): number {
    if (max === Number.POSITIVE_INFINITY) {
      // The place of the loop must be known before its body.
      const loop = add({ kind: 'match' });
      const body = build(part, loop);
      states[loop] = { kind: 'split', next: [body, next] };
      return min === 0 ? loop : copies(part, min - 1, body);
    }
    let following = next;
    for (let i = min; i < max; i++) {
      following = add({ kind: 'split', next: [build(part, following), next] });
    }
    return copies(part, min, following);
  }

  function copies(part: PatternNode, count: number, next: number): number {
    let following = next;
    for (let i = 0; i < count; i++) following = build(part, following);
    return following;
  }

  function add(state: State): number {
    states.push(state);
    return states.length - 1;
  }
}
