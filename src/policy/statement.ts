import type { Principal } from './authorization.ts';
import type { Condition } from './condition/condition.ts';
import type { ActionPattern } from './match/action-pattern.ts';
import type { ArnColons, ArnPattern } from './match/arn-pattern.ts';
import type { RequestKeys } from './match/context-key.ts';
import { Named, type PrincipalPattern } from './match/principal-pattern.ts';

export interface StatementParts {
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly ActionPattern[];
  readonly notAction: boolean;
  /** `everything` is `*`, which alone matches requests on no resource in particular. Undefined in trust policies. */
  readonly resources: readonly (ArnPattern | 'everything')[] | undefined;
  readonly notResource: boolean;
  readonly principals: PrincipalPattern | undefined;
  readonly notPrincipal: boolean;
  readonly conditions: readonly Condition[];
}

/** What is asked, taken apart once for all statements. */
export interface Question {
  readonly principal: Principal;
  /** In lower case. */
  readonly action: string;
  readonly resource: string;
  /** Undefined for a resource that is no ARN. */
  readonly colons: ArnColons | undefined;
  readonly keys: RequestKeys;
  readonly hasBoundary: boolean;
}

/** One statement, compiled. Its parts are asked one by one; it applies when all of them say so. */
export class Statement {
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  readonly conditions: readonly Condition[];
  readonly #parts: StatementParts;

  constructor(parts: StatementParts) {
    this.sid = parts.sid;
    this.effect = parts.effect;
    this.conditions = parts.conditions;
    this.#parts = parts;
  }

  hasAction(action: string): boolean {
    const { actions, notAction } = this.#parts;
    for (const pattern of actions) if (pattern.matches(action)) return !notAction;
    return notAction;
  }

  hasResource({ resource, colons, keys }: Question): boolean {
    const { resources, notResource } = this.#parts;
    if (resources === undefined) return true;
    for (const pattern of resources) {
      if (pattern === 'everything' || (colons !== undefined && pattern.matches(resource, colons, keys))) {
        return !notResource;
      }
    }
    return notResource;
  }

  /** How it names the principal; statements that have no principals apply to everybody. */
  named({ principal, hasBoundary }: Question): Named {
    const { principals, notPrincipal } = this.#parts;
    if (principals === undefined) return Named.role;
    if (!notPrincipal) return principals.names(principal);
    return hasBoundary || !principals.spares(principal) ? Named.role : Named.not;
  }

  holds(keys: RequestKeys): boolean {
    for (const condition of this.conditions) if (!condition.holds(keys)) return false;
    return true;
  }
}
