/**
 * Headers with their repeated lines kept apart, joined only as Signature Version 4 joins them: in their order, each
 * without the white space around it, with a bare `,` between. `Headers` join with `, `, after which one line that holds
 * a comma and two lines look alike.
 */
export class HeaderLines {
  readonly #values = new Map<string, string[]>();

  /** @param lines name and value of each line, in the order of the wire */
  constructor(lines: Iterable<readonly [name: string, value: string]>) {
    for (const [name, value] of lines) {
      const key = name.toLowerCase();
      const values = this.#values.get(key);
      if (values) values.push(trim(value));
      else this.#values.set(key, [trim(value)]);
    }
  }

  get(name: string): string | null {
    return this.#values.get(name.toLowerCase())?.join(',') ?? null;
  }
}

function trim(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, '');
}
