import { inspect } from 'node:util';

/** Knows secrets, and finds them in whatever was said: as text, in hex or base64, or as bytes within other bytes. */
export class Secrets {
  readonly #known = new Map<string, Secret>();

  /** @param secret of 8 bytes or more, so that it is in nothing by chance */
  add(name: string, secret: string | Uint8Array): void {
    const bytes = Buffer.from(secret as string); // a copy: the library fills keys with zeros
    if (bytes.length < 8) throw new RangeError(`${name} is too short to be looked for.`);
    const texts = formsOf(bytes);
    if (typeof secret === 'string')
      texts.push(secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret));
    this.#known.set(`${name} ${bytes.toString('hex')}`, { name, bytes, texts: [...new Set(texts)] });
  }

  /** How many there are, by the beginning of their names. */
  count(name: string): number {
    return [...this.#known.values()].filter((secret) => secret.name.startsWith(name)).length;
  }

  /** The names of those that are in a value: in its text, its properties and theirs, hidden or not, and in its causes. */
  foundIn(value: unknown): string[] {
    const { texts, buffers } = everythingIn(value);
    const haystack = texts.join('\n');
    const places = [haystack, haystack.replaceAll(/\s/g, ''), haystack.replaceAll(/\s|"\d+":/g, '')];
    const found = [...this.#known.values()].filter(
      (secret) =>
        secret.texts.some((text) => places.some((place) => place.includes(text))) ||
        buffers.some((buffer) => buffer.includes(secret.bytes)),
    );
    return [...new Set(found.map(({ name }) => name))];
  }
}

interface Secret {
  readonly name: string;
  readonly bytes: Buffer;
  readonly texts: readonly string[];
}

function formsOf(bytes: Buffer): string[] {
  // Base64 depends on what stands before: all three ways, without what depends on the neighbours.
  const inBase64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replaceAll('=', '');
    return text.slice(before === 0 ? 0 : before + 1, -1);
  });
  return [
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...inBase64,
    ...inBase64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    bytes.join(','),
  ];
}

function everythingIn(value: unknown) {
  const texts: string[] = [];
  const buffers: Buffer[] = [];
  const seen = new Set<unknown>();
  const visit = (part: unknown) => {
    if (typeof part === 'string') texts.push(part);
    if (part === null || (typeof part !== 'object' && typeof part !== 'function') || seen.has(part)) return;
    seen.add(part);
    if (ArrayBuffer.isView(part)) {
      buffers.push(Buffer.from(part.buffer, part.byteOffset, part.byteLength));
      return;
    }
    if (part instanceof ArrayBuffer) buffers.push(Buffer.from(part));
    if (part instanceof Map || part instanceof Set) visit([...part]);
    if (part instanceof Headers) part.forEach(visit);
    if (part instanceof Error) texts.push(part.message, part.stack ?? '', String(part));
    if (part instanceof Request || part instanceof Response) visit([part.url, part.headers]);
    if (part instanceof URL) texts.push(part.href);
    for (const key of Reflect.ownKeys(part)) {
      texts.push(String(key));
      visit(Reflect.getOwnPropertyDescriptor(part, key)?.value);
    }
  };
  visit(value);
  texts.push(inspect(value, EVERYTHING));
  try {
    texts.push(JSON.stringify(value) ?? '');
  } catch {
    // It has circles, or a bigint.
  }
  return { texts, buffers };
}

const EVERYTHING = {
  depth: Infinity,
  showHidden: true,
  maxArrayLength: null,
  maxStringLength: null,
  breakLength: Infinity,
} as const;
