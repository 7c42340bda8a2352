import { PolicyError, type PolicyErrorCode, type PolicyProblem } from '../error.ts';

/** What has been found wrong with a document so far. */
export class Problems {
  readonly #found: PolicyProblem[] = [];

  /** @param path of the part; {@link member} and {@link item} make them */
  add(code: PolicyErrorCode, path: string, reason: string): void {
    if (this.#found.length < MAX_PROBLEMS) this.#found.push({ code, path, reason });
  }

  get full(): boolean {
    return this.#found.length >= MAX_PROBLEMS;
  }

  /** @throws {PolicyError} when there are any */
  throwIfAny(subject: string): void {
    const [first, ...rest] = this.#found;
    if (first) throw new PolicyError(subject, [first, ...rest]);
  }
}

export function member(path: string, name: string): string {
  if (!/^[A-Za-z][A-Za-z0-9]{0,63}$/.test(name)) return `${path}[${quoted(name)}]`;
  return path === '' ? name : `${path}.${name}`;
}

export function item(path: string, index: number): string {
  return `${path}[${index}]`;
}

/** A few words of the policy, for its author. Anything but printable ASCII is escaped, so that look-alikes show. */
export function quoted(text: string): string {
  const short = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(short).replace(/[^ -~…]/g, escaped);
}

const MAX_PROBLEMS = 20;
const MAX_QUOTED = 64;
