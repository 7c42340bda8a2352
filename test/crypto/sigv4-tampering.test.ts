import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SignatureError, SignatureVerifier, signRequest } from '../../src/crypto/index.ts';

const now = Date.UTC(2026, 10, 23, 12);
const scope = { region: 'eu-west-1', service: 'ssm', now };
const day = 24 * 60 * 60_000;

interface Message {
  method: string;
  url: URL;
  headers: Headers;
  body: Uint8Array<ArrayBuffer>;
  /** What the verifier expects. */
  expected: typeof scope;
}

const word = fc.stringMatching(/^[a-zA-Z0-9]{1,8}$/);
const text = fc.stringMatching(/^[!-~]{1,20}$/);

const message = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT'),
  path: fc.array(text.map(encodeURIComponent), { maxLength: 4 }),
  query: fc.array(fc.tuple(word, text), { maxLength: 4 }),
  headers: fc.dictionary(
    word.map((name) => `x-${name.toLowerCase()}`),
    text,
    { maxKeys: 4 },
  ),
  body: fc.uint8Array({ maxLength: 100 }),
  sessionToken: fc.option(text, { nil: undefined }),
});

/** Each changes one thing in a signed message. `pick` is any number, for the one to change among many. */
const tampering: Record<string, (message: Message, pick: number) => void> = {
  method: (m) => {
    m.method = m.method === 'GET' ? 'HEAD' : 'GET';
  },
  'path: longer': (m) => {
    m.url.pathname += m.url.pathname.endsWith('/') ? 'x' : '/x';
  },
  'path: one character': (m, pick) => {
    m.url.pathname = changeOne(m.url.pathname, pick);
  },
  'query: one more': (m) => {
    m.url.searchParams.append('x', '');
  },
  'query: one character': (m, pick) => {
    const before = parametersOf(m.url);
    if (m.url.search) m.url.search = changeOne(m.url.search, pick);
    // Some characters change the spelling alone: `a` and `a=` are one and the same query.
    if (parametersOf(m.url) === before) m.url.searchParams.append('x', '');
  },
  'query: one repeated': (m) => {
    m.url.search = m.url.search ? `${m.url.search}&${m.url.search.slice(1)}` : '?x';
  },
  'signed header: one character': (m, pick) => {
    const name = signedHeader(m, pick);
    m.headers.set(name, changeOne(m.headers.get(name)!, pick));
  },
  'signed header: a second line': (m, pick) => m.headers.append(signedHeader(m, pick), 'x'),
  'signed header: gone': (m, pick) => {
    const name = signedHeader(m, pick);
    // Without a Host header the host of the URL stands in for it.
    m.headers.delete(name === 'host' ? 'x-amz-date' : name);
  },
  'signed header: no longer listed': (m, pick) => {
    const name = signedHeader(m, pick);
    edit(m, /SignedHeaders=([^,]*)/, (list) =>
      list
        .split(';')
        .filter((entry) => entry !== name)
        .join(';'),
    );
  },
  'signed headers: one more listed': (m) => {
    m.headers.set('zz', 'x');
    edit(m, /SignedHeaders=([^,]*)/, (list) => `${list};zz`);
  },
  'x-amz-target added': (m) => m.headers.set('x-amz-target', 'AmazonSSM.TerminateSession'),
  'body: one bit': (m, pick) => {
    if (m.body.length > 0) m.body[pick % m.body.length]! ^= 1 << (pick % 8);
    else m.body = new Uint8Array(1);
  },
  'body: one byte more': (m) => {
    m.body = new Uint8Array([...m.body, 0]);
  },
  'date: one second': (m) => m.headers.set('x-amz-date', '20261123T120001Z'),
  'date and scope: the next day': (m) => {
    m.headers.set('x-amz-date', '20261124T120000Z');
    edit(m, /(20261123)/, () => '20261124');
    m.expected = { ...m.expected, now: now + day };
  },
  'region of the scope': (m) => edit(m, /(eu-west-1)/, () => 'eu-west-2'),
  'region of the service': (m) => {
    m.expected = { ...m.expected, region: 'eu-west-2' };
  },
  'region of both': (m) => {
    edit(m, /(eu-west-1)/, () => 'eu-west-2');
    m.expected = { ...m.expected, region: 'eu-west-2' };
  },
  'service of both': (m) => {
    edit(m, /\/(ssm)\//, () => 'ssmmessages');
    m.expected = { ...m.expected, service: 'ssmmessages' };
  },
  'access key': (m) => edit(m, /Credential=(\w+)/, () => 'MALLORY'),
  'signature: one character': (m, pick) => edit(m, /Signature=(\w+)/, (hex) => changeOne(hex, pick)),
  'signature: shorter': (m) => edit(m, /Signature=(\w+)/, (hex) => hex.slice(1)),
  'session token': (m) => {
    const token = m.headers.get('x-amz-security-token');
    if (token === null) m.headers.set('x-amz-security-token', 'x');
    else m.headers.set('x-amz-security-token', changeOne(token, 0));
  },
};

function parametersOf(url: URL): string {
  return JSON.stringify([...url.searchParams.entries()].map(([name, value]) => `${name}=${value}`).sort());
}

it.each(Object.entries(tampering))('refuses a request changed in its %s', async (_, tamper) => {
  await fc.assert(
    fc.asyncProperty(message, fc.nat(), async (recipe, pick) => {
      const { signed, verifier } = await sign(recipe);
      await verifier.verify(signed, signed.expected);
      tamper(signed, pick);
      const error = await verifier.verify(signed, signed.expected).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SignatureError);
    }),
    { numRuns: 30 },
  );
});

it('answers whatever stands in the Authorization header with a SignatureError', async () => {
  const { signed, verifier } = await sign(fc.sample(message, { numRuns: 1, seed: 1 })[0]!);
  const good = signed.headers.get('authorization')!;
  const anything = fc.oneof(
    fc.stringMatching(/^[!-~][ -~]{0,200}$/),
    fc.tuple(fc.nat(), text).map(([at, part]) => {
      const cut = at % good.length;
      return good.slice(0, cut) + part + good.slice(cut + part.length);
    }),
  );
  await fc.assert(
    fc.asyncProperty(anything, async (authorization) => {
      fc.pre(authorization !== good);
      signed.headers.set('authorization', authorization);
      const error = await verifier.verify(signed, scope).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SignatureError);
    }),
    { numRuns: 300 },
  );
});

async function sign(recipe: typeof message extends fc.Arbitrary<infer T> ? T : never) {
  const { method, path, query, body, sessionToken } = recipe;
  const url = new URL(`https://ssm.eu-west-1.amazonaws.com/${path.join('/')}`);
  for (const [name, value] of query) url.searchParams.append(name, value);
  const record = { secretAccessKey: 'secret', sessionToken };
  const headers = new Headers(
    await signRequest(
      { method, url, headers: recipe.headers, body },
      { ...scope, credentials: { accessKeyId: 'ALICE', ...record } },
    ),
  );
  const other = { secretAccessKey: 'another secret', sessionToken };
  const verifier = new SignatureVerifier({ lookup: (id) => (id === 'ALICE' ? record : other) });
  const signed: Message = { method, url, headers, body: new Uint8Array(body), expected: scope };
  return { signed, verifier };
}

/** Changes one letter or digit to another, keeping its kind so that the text stays what it was: a path, a list. */
function changeOne(value: string, pick: number): string {
  const places = [...value.matchAll(/[a-zA-Z0-9]/g)].map((match) => match.index);
  if (places.length === 0) return `${value}x`;
  const at = places[pick % places.length]!;
  return value.slice(0, at) + (value[at] === 'a' ? 'b' : 'a') + value.slice(at + 1);
}

function signedHeader(m: Message, pick: number): string {
  const names = /SignedHeaders=([^,]*)/.exec(m.headers.get('authorization')!)![1]!.split(';');
  return names[pick % names.length]!;
}

function edit(m: Message, part: RegExp, change: (value: string) => string): void {
  const authorization = m.headers.get('authorization')!;
  const [whole, value] = part.exec(authorization)! as unknown as [string, string];
  m.headers.set('authorization', authorization.replace(whole, whole.replace(value, change(value))));
}
