import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  payloadDigest,
  presignRequest,
  type SignableRequest,
  SignatureError,
  signRequest,
} from '../../src/crypto/index.ts';
import { tampered } from './tampering.ts';
import { notRefused, verifierOf, type WireRequest } from './wire-request.ts';

const now = Date.UTC(2026, 10, 23, 12);
const expected = { region: 'eu-west-1', service: 'ssm', now };
const host = 'ssm.eu-west-1.amazonaws.com';
const digest = payloadDigest((bytes) => createHash('sha256').update(bytes).digest());

const word = fc.stringMatching(/^[a-zA-Z0-9]{1,8}$/);
const text = fc.stringMatching(/^[!-~]{1,20}$/);
/** Of a path or a query, encoded as clients do it and as they do not. */
const piece = fc.oneof(
  text.map(encodeURIComponent),
  fc.string({ unit: 'grapheme', maxLength: 6 }).map(encodeURIComponent),
  fc.stringMatching(/^[a-z0-9!$'()*,;:@+~._-]{0,8}$/),
  fc.constantFrom('%7e', '%7E', '%2f', '%2B', '%', '%4', '100%25', '.', '..', 'a%20b'),
);

const message = fc.record({
  form: fc.constantFrom('header', 'query'),
  pathEncoding: fc.constantFrom('normal', 's3'),
  method: fc.constantFrom('GET', 'POST', 'PUT'),
  path: fc.array(piece, { maxLength: 4 }),
  query: fc.array(fc.oneof(fc.tuple(word, piece), fc.tuple(fc.constantFrom('a', 'a-b', 'toString'), piece)), {
    maxLength: 5,
  }),
  headers: fc.dictionary(
    word.map((name) => `x-${name.toLowerCase()}`),
    fc.oneof(text, fc.array(text, { minLength: 2, maxLength: 3 })),
    { maxKeys: 4 },
  ),
  body: fc.uint8Array({ maxLength: 100 }),
  sessionToken: fc.option(text, { nil: undefined }),
});
type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;

it('accepts whatever was signed or presigned here', async () => {
  await fc.assert(
    fc.asyncProperty(message, async (recipe) => {
      const { request, verify } = await signed(recipe);
      await verify(request);
    }),
    { numRuns: 300 },
  );
});

it('refuses it with any one element changed', async () => {
  await fc.assert(
    fc.asyncProperty(message, async (recipe) => {
      const { request, verify } = await signed(recipe);
      expect(await notRefused(verify, tampered(request))).toEqual([]);
    }),
    { numRuns: 25 },
  );
});

it.each(['header', 'query'] as const)(
  'answers whatever stands in the %s with a SignatureError',
  async (form) => {
    const { request, verify } = await signed({
      form,
      pathEncoding: 'normal',
      method: 'GET',
      path: [],
      query: [],
      headers: {},
      body: new Uint8Array(0),
      sessionToken: undefined,
    });
    const good =
      form === 'query' ? request.query : request.lines.find(([name]) => name === 'authorization')![1];
    const anything = fc.oneof(
      fc.stringMatching(/^[!-~][ -~]{0,200}$/),
      fc.tuple(fc.nat(), text).map(([at, part]) => {
        const cut = at % good.length;
        return good.slice(0, cut) + part + good.slice(cut + part.length);
      }),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (other) => {
        fc.pre(decodeLoosely(other) !== decodeLoosely(good));
        const changed: WireRequest =
          form === 'query'
            ? { ...request, query: other }
            : {
                ...request,
                lines: request.lines.map(([name, value]) => [name, name === 'authorization' ? other : value]),
              };
        await expect(verify(changed)).rejects.toBeInstanceOf(SignatureError);
      }),
      { numRuns: 300 },
    );
  },
);

async function signed({ form, pathEncoding, method, path, query, sessionToken, ...rest }: Message) {
  const key = { secretAccessKey: 'secret', sessionToken };
  const search = query.map(([name, value]) => `${name}=${value}`).join('&');
  const address = {
    protocol: 'https:',
    host,
    pathname: `/${path.join('/')}`,
    search: search && `?${search}`,
  };
  const url =
    pathEncoding === 's3' ? address : new URL(`https://${host}${address.pathname}${address.search}`);
  const request: SignableRequest = { method, url, ...rest };
  const options = {
    ...expected,
    pathEncoding,
    digest,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', ...key },
  };
  const lines = Object.entries({ host, ...rest.headers }).flatMap(([name, value]) =>
    [value].flat().map((line) => [name, line] as const),
  );
  const wire = { method, path: url.pathname, body: rest.body, expected };
  const verify = verifierOf(key, { pathEncoding, digest });
  if (form === 'query') {
    const presigned = await presignRequest(request, { ...options, expires: 60 });
    return { verify, request: { ...wire, lines, query: presigned.slice(presigned.indexOf('?') + 1) } };
  }
  const made = Object.entries(await signRequest(request, options));
  const own = made.filter(([name]) => !lines.some(([given]) => given === name));
  return { verify, request: { ...wire, lines: [...lines, ...own], query: url.search.slice(1) } };
}

/** What a parameter means, however it is spelled. */
function decodeLoosely(query: string): string {
  return JSON.stringify([...new URLSearchParams(query)]);
}
