import { foldAscii } from './fold.ts';
import { Glob } from './glob.ts';
import { pieces } from './pieces.ts';

/** `service:Name` with wildcards in the name, or `*` (POLICY.md section 2). Compared in lower case. */
export class ActionPattern {
  /** `ssm:`; undefined for `*`. */
  readonly #service: string | undefined;
  readonly #name: Glob | undefined;

  private constructor(service?: string, name?: string) {
    this.#service = service;
    this.#name =
      name === undefined ? undefined : new Glob(pieces(name, { wildcards: true, variables: false }));
  }

  /** @returns undefined for text that is no action */
  static parse(text: string): ActionPattern | undefined {
    if (text === '*') return new ActionPattern();
    const match = ACTION.exec(text);
    return match ? new ActionPattern(foldAscii(match[1]!), foldAscii(match[2]!)) : undefined;
  }

  /** @param action in lower case */
  matches(action: string): boolean {
    if (this.#service === undefined) return true;
    return action.startsWith(this.#service) && this.#name!.matches(action, undefined, this.#service.length);
  }
}

const ACTION = /^([A-Za-z0-9-]+:)([A-Za-z0-9_*?-]+)$/;
