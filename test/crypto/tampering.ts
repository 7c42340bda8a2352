import type { WireRequest } from './wire-request.ts';
import { OTHER_ACCESS_KEY_ID, UNKNOWN_ACCESS_KEY_ID } from './wire-request.ts';

type Tampered = readonly [name: string, request: WireRequest];

/**
 * A signed request with each of its elements changed, one at a time: none of these may be accepted. Header form and query
 * form alike; what a request has not, is not changed.
 *
 * @param unsignedBody whether the body may be any, as S3 allows
 */
export function* tampered(request: WireRequest, { unsignedBody = false } = {}): Iterable<Tampered> {
  const parts: Iterable<Tampered>[] = [
    methods(request),
    paths(request),
    parameters(request),
    headers(request),
    unsignedBody ? [] : bodies(request),
    dates(request),
    scopes(request),
    tokens(request),
    signatures(request),
    signedHeaders(request),
    algorithms(request),
    payloadHashes(request, unsignedBody),
    forms(request),
  ];
  for (const part of parts) yield* part;
}

function* methods(request: WireRequest): Iterable<Tampered> {
  for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', request.method.toLowerCase(), '']) {
    if (method !== request.method) yield [`method ${method}`, { ...request, method }];
  }
}

function* paths(request: WireRequest): Iterable<Tampered> {
  const { path } = request;
  for (const at of lettersOf(path)) {
    yield [`path, character ${at}`, { ...request, path: changeAt(path, at) }];
  }
  const end = path.endsWith('/') ? '' : '/';
  yield ['path, longer', { ...request, path: `${path}${end}x` }];
  yield ['path, another before it', { ...request, path: `/x${path}` }];
  if (lettersOf(path).length > 0) yield ['path, gone', { ...request, path: '/' }];
}

function* parameters(request: WireRequest): Iterable<Tampered> {
  const given = request.query.split('&').filter((parameter) => parameter !== '');
  const to = (name: string, list: readonly string[]): Tampered => [
    `query, ${name}`,
    { ...request, query: list.join('&') },
  ];
  yield to('one added', [...given, 'added=1']);
  yield to('one without a value added', [...given, 'added']);
  for (const [index, parameter] of given.entries()) {
    const name = parameter.split('=')[0]!;
    const replaced = (...by: string[]) => [...given.slice(0, index), ...by, ...given.slice(index + 1)];
    yield to(`${name} removed`, replaced());
    yield to(`${name} doubled`, replaced(parameter, parameter));
    yield to(`${name} with another value`, replaced(`${name}=another`));
    yield to(`${name} with more`, replaced(`${parameter}${parameter.includes('=') ? '' : '='}x`));
    yield to(`${name} by another name`, replaced(`x${parameter}`));
    yield to(`${name} and one of its name`, replaced(parameter, `${name}=another`));
  }
}

function* headers(request: WireRequest): Iterable<Tampered> {
  const { lines } = request;
  for (const name of signedNames(request)) {
    const indexes = [...lines.keys()].filter((index) => lines[index]![0].toLowerCase() === name);
    for (const index of indexes) {
      const value = lines[index]![1];
      const replaced = (...by: (readonly [string, string])[]): WireRequest => ({
        ...request,
        lines: [...lines.slice(0, index), ...by, ...lines.slice(index + 1)],
      });
      for (const at of lettersOf(value)) {
        yield [`header ${name}, character ${at}`, replaced([name, changeAt(value, at)])];
      }
      yield [`header ${name}, longer`, replaced([name, `${value}x`])];
      yield [`header ${name}, empty`, replaced([name, value.trim() === '' ? 'x' : ''])];
      yield [`header ${name}, doubled`, replaced([name, value], [name, value])];
      yield [`header ${name}, a line before it`, replaced([name, 'x'], [name, value])];
      // Without a Content-Length, it is the length of the body: the request is the same.
      if (name === 'content-length') continue;
      yield [`header ${name}, moved to another name`, replaced(['x-moved', value])];
      yield [`header ${name}, removed`, replaced()];
    }
  }
  const [first, ...others] = lines.filter(([name]) => signedNames(request).includes(name.toLowerCase()));
  for (const other of others) {
    if (other[0].toLowerCase() === first![0].toLowerCase() || other[1].trim() === first![1].trim()) continue;
    yield [
      `headers ${first![0]} and ${other[0]}, values changed round`,
      {
        ...request,
        lines: lines.map((line) =>
          line === first ? [line[0], other[1]] : line === other ? [line[0], first![1]] : line,
        ),
      },
    ];
  }
  if (!lines.some(([name]) => name.toLowerCase() === 'x-amz-target')) {
    const added = ['X-Amz-Target', 'AmazonSSM.TerminateSession'] as const;
    yield ['header x-amz-target, added', { ...request, lines: [...lines, added] }];
  }
}

function* bodies(request: WireRequest): Iterable<Tampered> {
  const { body } = request;
  const to = (name: string, bytes: Iterable<number>): Tampered => [
    `body, ${name}`,
    { ...request, body: new Uint8Array(bytes) },
  ];
  yield to('a byte more', [...body, 0]);
  yield to('a space before it', [0x20, ...body]);
  yield to('twice its length', [...body, ...(body.length > 0 ? body : [1])]);
  if (body.length === 0) return;
  yield to('a byte less', body.subarray(1));
  yield to('its end cut off', body.subarray(0, -1));
  yield to('gone', []);
  for (const at of sample(body.length)) {
    yield to(
      `a bit of byte ${at}`,
      body.map((byte, index) => (index === at ? byte ^ (1 << (at % 8)) : byte)),
    );
  }
}

function* dates(request: WireRequest): Iterable<Tampered> {
  const date = part(request, 'Date')!;
  const clock = (days: number): WireRequest['expected'] => ({
    ...request.expected,
    now: request.expected.now + days * 86_400_000,
  });
  for (const other of [
    shiftDate(date, 1),
    shiftDate(date, -1),
    date.replace('Z', ''),
    date.replace('T', ' '),
    '',
  ]) {
    yield [`date ${other}`, withPart(request, 'Date', other)];
  }
  for (const days of [1, -1]) {
    const day = shiftDate(date, days * 86_400);
    const dated = withPart(request, 'Date', day);
    const scoped = editCredential(dated, (scope) => scope.replace(date.slice(0, 8), day.slice(0, 8)));
    yield [`day of the request, ${days}`, { ...dated, expected: clock(days) }];
    yield [`day of request and scope, ${days}`, { ...scoped, expected: clock(days) }];
    const scope = editCredential(request, (text) => text.replace(date.slice(0, 8), day.slice(0, 8)));
    yield [`day of the scope, ${days}`, scope];
  }
  for (const days of [8, -1]) yield [`clock, ${days} days`, { ...request, expected: clock(days) }];
  if (part(request, 'Expires') === undefined) return;
  const expires = Number(part(request, 'Expires'));
  for (const other of [
    expires + 1,
    expires - 1,
    0,
    -1,
    604_800,
    604_801,
    `0${expires}`,
    `${expires}.0`,
    '1e3',
    '',
  ]) {
    if (String(other) === String(expires)) continue;
    yield [`expires ${other}`, withPart(request, 'Expires', String(other))];
  }
}

function* scopes(request: WireRequest): Iterable<Tampered> {
  const { region, service } = request.expected;
  const scoped = (from: string, to: string) =>
    editCredential(request, (scope) => scope.replace(`/${from}/`, `/${to}/`));
  yield ['region of the scope', scoped(region, 'eu-north-9')];
  yield ['region of the service', { ...request, expected: { ...request.expected, region: 'eu-north-9' } }];
  yield [
    'region of both',
    { ...scoped(region, 'eu-north-9'), expected: { ...request.expected, region: 'eu-north-9' } },
  ];
  yield ['service of the scope', scoped(service, 'another')];
  yield ['service of the service', { ...request, expected: { ...request.expected, service: 'another' } }];
  yield [
    'service of both',
    { ...scoped(service, 'another'), expected: { ...request.expected, service: 'another' } },
  ];
  const credential = (name: string, edit: (scope: string) => string): Tampered => [
    `credential, ${name}`,
    editCredential(request, edit),
  ];
  yield credential('terminator', (scope) => scope.replace('aws4_request', 'aws5_request'));
  yield credential('without its terminator', (scope) => scope.replace('/aws4_request', ''));
  yield credential('a part more', (scope) => `${scope}/x`);
  yield credential('access key of another', (scope) => scope.replace(/^\w+/, OTHER_ACCESS_KEY_ID));
  yield credential('access key of nobody', (scope) => scope.replace(/^\w+/, UNKNOWN_ACCESS_KEY_ID));
  yield credential('no access key', (scope) => scope.replace(/^\w+/, ''));
  yield credential('nothing', () => '');
}

function* tokens(request: WireRequest): Iterable<Tampered> {
  const token = part(request, 'Security-Token');
  const added = (name: string, to: WireRequest): Tampered => [`token, ${name}`, to];
  yield added('a header more', {
    ...request,
    lines: [...request.lines, ['X-Amz-Security-Token', 'made+up']],
  });
  if (token === undefined) return;
  yield added('absent', withPart(request, 'Security-Token', undefined));
  yield added('empty', withPart(request, 'Security-Token', ''));
  yield added('shorter', withPart(request, 'Security-Token', token.slice(0, -1)));
  for (const at of lettersOf(token)) {
    yield added(`character ${at}`, withPart(request, 'Security-Token', changeAt(token, at)));
  }
}

function* signatures(request: WireRequest): Iterable<Tampered> {
  const signature = part(request, 'Signature')!;
  const to = (name: string, other: string): Tampered => [
    `signature, ${name}`,
    withPart(request, 'Signature', other),
  ];
  for (const [at, nibble] of [...signature].entries()) {
    const other = (Number.parseInt(nibble, 16) ^ (1 << (at % 4))).toString(16);
    yield to(`nibble ${at}`, `${signature.slice(0, at)}${other}${signature.slice(at + 1)}`);
  }
  yield to('upper case', signature.toUpperCase());
  for (const length of [0, 1, 32, 63]) yield to(`its first ${length}`, signature.slice(0, length));
  yield to('longer', `${signature}0`);
  yield to('twice', signature.repeat(2));
  yield to('in base64', btoa(signature));
}

function* signedHeaders(request: WireRequest): Iterable<Tampered> {
  const names = signedNames(request);
  const to = (name: string, list: readonly string[]): Tampered => [
    `SignedHeaders, ${name}`,
    withPart(request, 'SignedHeaders', list.join(';')),
  ];
  yield to('none', []);
  for (const name of names) {
    yield to(
      `without ${name}`,
      names.filter((other) => other !== name),
    );
    yield to(
      `${name} in upper case`,
      names.map((other) => (other === name ? name.toUpperCase() : other)),
    );
    yield to(
      `${name} twice`,
      names.flatMap((other) => (other === name ? [name, name] : other)),
    );
  }
  if (names.length > 1) yield to('the other way round', [...names].reverse());
  yield to('with one that is not there', [...names, 'zz']);
  const unsigned = request.lines.map(([name]) => name.toLowerCase()).filter((name) => !names.includes(name));
  for (const name of unsigned) yield to(`with ${name}`, [...names, name].sort());
}

function* algorithms(request: WireRequest): Iterable<Tampered> {
  for (const algorithm of ['AWS4-ECDSA-P256-SHA256', 'AWS4-HMAC-SHA1', 'aws4-hmac-sha256', 'AWS4', '']) {
    yield [`algorithm ${algorithm}`, withPart(request, 'Algorithm', algorithm)];
  }
}

function* payloadHashes(request: WireRequest, unsignedBody: boolean): Iterable<Tampered> {
  const others = request.lines.filter(([name]) => name.toLowerCase() !== 'x-amz-content-sha256');
  for (const hash of ['UNSIGNED-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', '0'.repeat(64), '']) {
    const lines = [...others, ['X-Amz-Content-Sha256', hash] as const];
    if (stated(request) === hash || (unsignedBody && hash === 'UNSIGNED-PAYLOAD')) continue;
    yield [`x-amz-content-sha256 ${hash}`, { ...request, lines }];
  }
  const chunked = ['Content-Encoding', 'aws-chunked'] as const;
  yield ['content-encoding aws-chunked', { ...request, lines: [...request.lines, chunked] }];
}

function* forms(request: WireRequest): Iterable<Tampered> {
  if (isPresigned(request)) {
    const lines = [...request.lines, ['Authorization', 'Basic eDp5'] as const];
    yield ['an Authorization header more', { ...request, lines }];
  } else {
    const signature = `X-Amz-Signature=${part(request, 'Signature')}`;
    for (const more of [signature, 'X-Amz-Algorithm=AWS4-HMAC-SHA256']) {
      const query = request.query === '' ? more : `${request.query}&${more}`;
      yield [`${more.split('=')[0]} in the query`, { ...request, query }];
    }
  }
}

type Part =
  | 'Algorithm'
  | 'Credential'
  | 'SignedHeaders'
  | 'Signature'
  | 'Date'
  | 'Security-Token'
  | 'Expires';

export function isPresigned({ query }: WireRequest): boolean {
  return query.includes('X-Amz-Signature=');
}

function stated({ query, lines }: WireRequest): string | undefined {
  const parameter = new URLSearchParams(query).get('X-Amz-Content-Sha256');
  return parameter ?? lines.find(([name]) => name.toLowerCase() === 'x-amz-content-sha256')?.[1].trim();
}

function signedNames(request: WireRequest): string[] {
  return part(request, 'SignedHeaders')!.split(';');
}

function part(request: WireRequest, name: Part): string | undefined {
  if (isPresigned(request)) return new URLSearchParams(request.query).get(`X-Amz-${name}`) ?? undefined;
  if (name === 'Date' || name === 'Security-Token') {
    return request.lines.find((line) => line[0].toLowerCase() === `x-amz-${name.toLowerCase()}`)?.[1].trim();
  }
  return IN_HEADER(name)?.exec(authorizationOf(request))?.[2];
}

/** @param value undefined removes it */
function withPart(request: WireRequest, name: Part, value: string | undefined): WireRequest {
  if (isPresigned(request)) {
    const query = request.query.split('&').flatMap((parameter) => {
      if (!parameter.startsWith(`X-Amz-${name}=`)) return [parameter];
      return value === undefined ? [] : [`X-Amz-${name}=${encodeURIComponent(value)}`];
    });
    return { ...request, query: query.join('&') };
  }
  const header =
    name === 'Date' || name === 'Security-Token' ? `x-amz-${name.toLowerCase()}` : 'authorization';
  const lines = request.lines.flatMap((line): (readonly [string, string])[] => {
    if (line[0].toLowerCase() !== header) return [line];
    if (header !== 'authorization') return value === undefined ? [] : [[line[0], value]];
    return [[line[0], line[1].replace(IN_HEADER(name)!, (_, before: string) => `${before}${value}`)]];
  });
  return { ...request, lines };
}

function editCredential(request: WireRequest, edit: (scope: string) => string): WireRequest {
  return withPart(request, 'Credential', edit(part(request, 'Credential')!));
}

function authorizationOf({ lines }: WireRequest): string {
  return lines.find(([name]) => name.toLowerCase() === 'authorization')![1];
}

/** Before it, and it. */
function IN_HEADER(name: Part): RegExp | undefined {
  if (name === 'Expires') return undefined;
  return name === 'Algorithm' ? /^(\s*)(\S+)/ : new RegExp(`(${name}=)([^,\\s]*)`);
}

function shiftDate(date: string, seconds: number): string {
  const time = Date.parse(date.replace(/(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\d)/, '$1-$2-$3:$4:$5'));
  return new Date(time + seconds * 1000).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** Places of letters and digits that no escape is made of. */
function lettersOf(text: string): number[] {
  const plain = text.replace(/%[0-9a-fA-F]{2}/g, '---');
  const places = [...plain.matchAll(/[a-zA-Z0-9]/g)].map((match) => match.index);
  return sample(places.length).map((index) => places[index]!);
}

/** Its kind stays, so that the text stays what it was: a path, a list. */
function changeAt(text: string, at: number): string {
  const other = text[at] === '1' ? '2' : /\d/.test(text[at]!) ? '1' : text[at] === 'a' ? 'b' : 'a';
  return text.slice(0, at) + other + text.slice(at + 1);
}

/** First, last, and some between. */
function sample(count: number): number[] {
  const step = Math.max(1, Math.floor(count / 8));
  return [
    ...new Set([...Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step), count - 1]),
  ].filter((index) => index >= 0);
}
