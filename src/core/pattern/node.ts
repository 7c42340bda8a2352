import type { CharSet } from './char-set.ts';

/**
 * A regular expression as a tree. Groups have left no trace, lazy forms neither: they make no difference to whether the
 * whole value matches.
 */
export type PatternNode =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'alternation'; readonly nodes: readonly PatternNode[] }
  | {
      readonly kind: 'repetition';
      readonly node: PatternNode;
      readonly min: number;
      /** `Infinity` for no limit. */
      readonly max: number;
    };

/** What must hold at a place in the text, and takes none of it. */
export type Assertion = 'start' | 'end' | 'word boundary' | 'no word boundary';

/** Bounds the states of the compiled pattern, and so the steps of compiling it: also a copy of nothing counts. */
export function sizeOf(node: PatternNode): number {
  switch (node.kind) {
    case 'set':
    case 'assertion':
      return 1;
    case 'sequence':
      return Math.max(1, sumOf(node.nodes));
    case 'alternation':
      return 1 + sumOf(node.nodes);
    case 'repetition': {
      const { min, max } = node;
      const size = sizeOf(node.node);
      if (max === Number.POSITIVE_INFINITY) return 1 + Math.max(1, min) * size;
      return 1 + min * size + (max - min) * (size + 1);
    }
  }
}

function sumOf(nodes: readonly PatternNode[]): number {
  return nodes.reduce((sum, node) => sum + sizeOf(node), 0);
}
