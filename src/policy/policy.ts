import type { PolicyKind } from './policy-kind.ts';
import type { Statement } from './statement.ts';

/** A policy that {@link parsePolicy} has read and compiled: evaluate it as often as you like. */
export interface Policy<K extends PolicyKind = PolicyKind> {
  readonly kind: K;
  /** What {@link Explanation} calls it. */
  readonly name: string | undefined;
  /** How many statements it has. */
  readonly size: number;
}

/** Statements that may apply to an action, in the order of the document. */
export interface Candidates {
  readonly denies: readonly Statement[];
  readonly allows: readonly Statement[];
}

export class CompiledPolicy<K extends PolicyKind = PolicyKind> implements Policy<K> {
  readonly kind: K;
  readonly name: string | undefined;
  readonly statements: readonly Statement[];
  readonly #byAction = new Map<string, Candidates>();

  constructor(kind: K, name: string | undefined, statements: readonly Statement[]) {
    this.kind = kind;
    this.name = name;
    this.statements = statements;
  }

  get size(): number {
    return this.statements.length;
  }

  /** @param action in lower case */
  candidates(action: string): Candidates {
    const known = this.#byAction.get(action);
    if (known) return known;
    const applying = this.statements.filter((statement) => statement.hasAction(action));
    const candidates = {
      denies: applying.filter(({ effect }) => effect === 'Deny'),
      allows: applying.filter(({ effect }) => effect === 'Allow'),
    };
    // Whatever is asked for, memory stays bounded: then it starts afresh.
    if (this.#byAction.size >= MAX_ACTIONS) this.#byAction.clear();
    this.#byAction.set(action, candidates);
    return candidates;
  }
}

/** A service asks for a few dozen actions at most. */
const MAX_ACTIONS = 64;
