/**
 * Headers with their repeated lines kept apart, joined only as Signature Version 4 joins them: in their order, each
 * without the white space around it, with a bare `,` between. `Headers` join with `, `, after which one line that holds
 * a comma and two lines look alike.
 */
export class HeaderLines {
  readonly #values = new Map<string, string[]>();

  /** @param lines name and value of each line, in the order of the wire */
  constructor(lines: Iterable<readonly [name: string, value: string]>) {
    for (const [name, line] of lines) {
      const key = name.toLowerCase();
      const value = trimHeader(line);
      const values = this.#values.get(key);
      if (values) values.push(value);
      else this.#values.set(key, [value]);
    }
  }

  get(name: string): string | null {
    return this.#values.get(name.toLowerCase())?.join(',') ?? null;
  }
}

/** Not by a regular expression: for one, a long run of spaces within costs its square. */
export function trimHeader(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value[start]!)) start += 1;
  while (end > start && isBlank(value[end - 1]!)) end -= 1;
  return value.slice(start, end);
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t';
}
