/**
 * POLICY.md once more, word for word: slow, without compiling, indexing or stopping early, and without a line of
 * `src/policy` but the types of a request. What it and `evaluate` disagree about is a bug in one of them.
 */
import type { AuthorizationRequest, Decision, PolicyType } from '../../src/policy/index.ts';

export type Values = string | number | boolean | readonly (string | number | boolean)[];

export interface StatementDocument {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  Action?: string | readonly string[];
  NotAction?: string | readonly string[];
  Resource?: string | readonly string[];
  NotResource?: string | readonly string[];
  Principal?: '*' | Readonly<Record<string, string | readonly string[]>>;
  NotPrincipal?: '*' | Readonly<Record<string, string | readonly string[]>>;
  Condition?: Readonly<Record<string, Readonly<Record<string, Values>>>>;
}

export interface PolicyDocument {
  Version?: '2012-10-17' | '2008-10-17';
  Statement: StatementDocument | readonly StatementDocument[];
}

export interface Documents {
  identity?: readonly PolicyDocument[];
  resource?: readonly PolicyDocument[];
  boundary?: PolicyDocument;
  session?: readonly PolicyDocument[];
  scp?: readonly (readonly PolicyDocument[])[];
  rcp?: readonly (readonly PolicyDocument[])[];
  vpce?: PolicyDocument;
}

/** A statement that applies. `place` is such as `identity 0` or `scp 1 0`, with `#` and the index of the statement. */
export interface Applying {
  readonly place: string;
  readonly effect: 'Allow' | 'Deny';
  readonly named: Naming;
}

type Naming = 'nobody' | 'account' | 'everybody or role' | 'user' | 'session';

export function secondOpinion(
  documents: Documents,
  request: AuthorizationRequest,
  applying: readonly Applying[] = applyingStatements(documents, request),
): Decision {
  const { principal } = request;
  const inPlace = (place: string) => applying.filter((one) => one.place.startsWith(`${place} `));
  const allows = (place: string) => inPlace(place).some(({ effect }) => effect === 'Allow');

  // 2. Any applicable Deny anywhere.
  const places = ['scp', 'rcp', 'vpce', 'resource', 'identity', 'boundary', 'session'] as const;
  for (const place of places) {
    if (place === 'scp' && principal.serviceLinked) continue;
    if (inPlace(place).some(({ effect }) => effect === 'Deny')) return deny('ExplicitDeny', place);
  }

  // 3. and 4., in the order in which AWS would name the first that is missing.
  if (!principal.serviceLinked) {
    for (const level of (documents.scp ?? []).keys()) {
      if (!allows(`scp ${level}`)) return deny('ImplicitDeny', 'scp');
    }
  }
  if (documents.vpce && !allows('vpce')) return deny('ImplicitDeny', 'vpce');

  const root = /^arn:[^:]*:iam::[^:]*:root$/.test(principal.arn);
  const identity = root || allows('identity');
  const naming = new Set(
    inPlace('resource')
      .filter(({ effect }) => effect === 'Allow')
      .map(({ named }) => named),
  );
  const resourceAllows = naming.size > 0;
  const resourceGrants = [...naming].some((named) => named !== 'account');
  const direct = { user: naming.has('user'), session: naming.has('session') };
  const same = isSameAccount(request);
  const outside = !principal.arn.startsWith('arn:');
  const ownPolicyDecides =
    /^sts:assumerole/i.test(request.action) || /^arn:[^:]*:kms:[^:]*:[^:]*:key\//.test(request.resource);

  if (outside && !resourceGrants) return deny('ImplicitDeny', 'resource');
  if (!outside && !same && !identity) return deny('ImplicitDeny', 'identity');
  if (!outside && !same && !resourceAllows) return deny('ImplicitDeny', 'resource');
  if (!outside && same && ownPolicyDecides && !resourceAllows) return deny('ImplicitDeny', 'resource');
  if (!outside && same && !identity && !resourceGrants) return deny('ImplicitDeny', 'identity');

  const passesBoundary = root || (same && (direct.user || direct.session));
  if (documents.boundary && !allows('boundary') && !passesBoundary) return deny('ImplicitDeny', 'boundary');
  const passesSession = same && direct.session;
  if (documents.session && !allows('session') && !passesSession) return deny('ImplicitDeny', 'session');
  return { effect: 'Allow' };
}

/** 1. Every statement that applies, in all policy kinds. */
export function applyingStatements(documents: Documents, request: AuthorizationRequest): Applying[] {
  const hasBoundary = documents.boundary !== undefined;
  const of = (place: string, document: PolicyDocument): Applying[] =>
    listOf(document.Statement).flatMap((statement, index) => {
      const named = namedBy(statement, request, hasBoundary);
      const applies =
        named !== 'nobody' &&
        actionApplies(statement, request.action) &&
        resourceApplies(statement, document, request) &&
        conditionsHold(statement, document, request);
      return applies ? [{ place: `${place} #${index}`, effect: statement.Effect, named }] : [];
    });
  const all = (place: string, list: readonly PolicyDocument[] = []) =>
    list.flatMap((document, index) => of(`${place} ${index}`, document));
  const levels = (place: string, list: readonly (readonly PolicyDocument[])[] = []) =>
    list.flatMap((level, index) => all(`${place} ${index}`, level));
  return [
    ...levels('scp', documents.scp),
    ...levels('rcp', documents.rcp),
    ...all('vpce', documents.vpce && [documents.vpce]),
    ...all('resource', documents.resource),
    ...all('identity', documents.identity),
    ...all('boundary', documents.boundary && [documents.boundary]),
    ...all('session', documents.session),
  ];
}

const TYPES: Record<string, PolicyType> = {
  identity: 'identity-based policy',
  resource: 'resource-based policy',
  boundary: 'permissions boundary',
  session: 'session policy',
  scp: 'service control policy',
  rcp: 'resource control policy',
  vpce: 'VPC endpoint policy',
};

function deny(effect: 'ExplicitDeny' | 'ImplicitDeny', place: string): Decision {
  return { effect, policyType: TYPES[place]! };
}

function isSameAccount({ principal, resource, context }: AuthorizationRequest): boolean {
  const account = resource.startsWith('arn:') ? (resource.split(':')[4] ?? '') : '';
  if (account !== '' && account !== 'aws') return account === principal.accountId;
  const named = lookUp('aws:ResourceAccount', { principal, context });
  return named === undefined || named === principal.accountId;
}

// Principals

function namedBy(
  statement: StatementDocument,
  { principal }: AuthorizationRequest,
  hasBoundary: boolean,
): Naming {
  const listed = (element: StatementDocument['Principal']): string[] =>
    element === '*' ? ['*'] : Object.values(element ?? {}).flatMap((values) => [...listOf(values)]);
  const [, partition, , , account, name = ''] =
    /^(arn:([^:]*):([^:]*):([^:]*):([^:]*)):(.*)$/.exec(principal.arn)?.slice(1) ?? [];
  const session = /^assumed-role\/([^/]+)\//.exec(name);
  const isTheRole = (entry: string): boolean => {
    if (!session) return false;
    if (principal.roleArn !== undefined) return entry === principal.roleArn;
    const role = entry.split(':role/');
    return (
      role.length === 2 &&
      role[0] === `arn:${partition}:iam::${account}` &&
      role[1]!.split('/').at(-1) === session[1]
    );
  };
  const isTheAccount = (entry: string): boolean =>
    entry === principal.accountId ||
    /^arn:[^:]*:iam::(\d{12}):root$/.exec(entry)?.[1] === principal.accountId;

  if (statement.NotPrincipal !== undefined) {
    const entries = listed(statement.NotPrincipal);
    if (hasBoundary) return 'everybody or role';
    if (entries.includes('*')) return 'nobody';
    const account = !principal.arn.startsWith('arn:') || entries.some(isTheAccount);
    const itself = name === 'root' || entries.includes(principal.arn);
    const role = !session || entries.some(isTheRole);
    return account && itself && role ? 'nobody' : 'everybody or role';
  }
  if (statement.Principal === undefined) return 'everybody or role';
  const entries = listed(statement.Principal);
  if (name !== 'root' && entries.includes(principal.arn)) {
    if (name.startsWith('user/')) return 'user';
    return name.startsWith('assumed-role/') || name.startsWith('federated-user/')
      ? 'session'
      : 'everybody or role';
  }
  if (entries.includes('*') || entries.some(isTheRole)) return 'everybody or role';
  return entries.some(isTheAccount) ? 'account' : 'nobody';
}

// Actions and resources

function actionApplies({ Action, NotAction }: StatementDocument, action: string): boolean {
  const matches = (pattern: string): boolean => {
    if (pattern === '*') return true;
    const [service, name] = [asciiLower(pattern).split(':')[0]!, asciiLower(pattern).split(':')[1]!];
    const [asked, ...rest] = asciiLower(action).split(':');
    return rest.length > 0 && asked === service && globs(wild(name), rest.join(':'));
  };
  return NotAction === undefined ? listOf(Action!).some(matches) : !listOf(NotAction).some(matches);
}

function resourceApplies(
  { Resource, NotResource }: StatementDocument,
  { Version }: PolicyDocument,
  request: AuthorizationRequest,
): boolean {
  const matches = (pattern: string): boolean => {
    if (pattern === '*') return true;
    const variables = Version === '2012-10-17';
    const parts = fillUp(sixParts(pattern), pattern);
    return matchesArn(request.resource, parts, (part, index) =>
      variables && index === 5 ? withVariables(part, request) : wild(part),
    );
  };
  if (Resource === undefined && NotResource === undefined) return true;
  return NotResource === undefined ? listOf(Resource!).some(matches) : !listOf(NotResource).some(matches);
}

function sixParts(text: string): string[] {
  const parts = text.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

/** A pattern with fewer than six parts whose last character is `*` behaves as if the missing parts were `*`. */
function fillUp(parts: string[], pattern: string): string[] {
  if (!pattern.endsWith('*')) return parts;
  return [...parts, ...new Array<string>(Math.max(0, 6 - parts.length)).fill('*')];
}

function matchesArn(
  arn: string,
  patterns: readonly string[],
  tokens: (part: string, index: number) => Token[] | undefined,
): boolean {
  const parts = sixParts(arn);
  if (parts[0] !== 'arn' || parts.length !== 6 || patterns.length !== 6) return false;
  return patterns.every((pattern, index) => globs(tokens(pattern, index), parts[index]!));
}

// Patterns and variables

type Token = { readonly is: 'any' | 'one' } | { readonly is: 'character'; readonly character: string };

function wild(text: string): Token[] {
  return [...text].map((character) =>
    character === '*' ? { is: 'any' } : character === '?' ? { is: 'one' } : { is: 'character', character },
  );
}

function plain(text: string): Token[] {
  return [...text].map((character) => ({ is: 'character', character }));
}

/** Undefined when a variable has no value. @param read of the text between variables */
function withVariables(
  text: string,
  request: Pick<AuthorizationRequest, 'principal' | 'context'>,
  read: (text: string) => Token[] = wild,
): Token[] | undefined {
  const start = text.indexOf('${');
  if (start < 0) return read(text);
  // A default may hold a brace or a comma itself.
  const [whole, name, fallback] = /^\$\{([^,}]*)(?:, '([^']*)')?\}/.exec(text.slice(start))!;
  const rest = withVariables(text.slice(start + whole.length), request, read);
  const value = ['*', '?', '$'].includes(name!) ? name : (lookUp(name!, request) ?? fallback);
  if (typeof value !== 'string' || rest === undefined) return undefined;
  return [...read(text.slice(0, start)), ...plain(value), ...rest];
}

/** By the table of all beginnings of the pattern and all beginnings of the text. */
function globs(pattern: Token[] | undefined, text: string): boolean {
  if (pattern === undefined) return false;
  const characters = [...text];
  let row = [true, ...characters.map(() => false)];
  for (const token of pattern) {
    const next = [token.is === 'any' && row[0]!];
    for (const [index, character] of characters.entries()) {
      if (token.is === 'any') next.push(next[index]! || row[index + 1]!);
      else
        next.push(
          row[index]! && (token.is === 'one' || (token.is === 'character' && token.character === character)),
        );
    }
    row = next;
  }
  return row.at(-1)!;
}

// Context keys

function lookUp(
  name: string,
  { principal, context }: Pick<AuthorizationRequest, 'principal' | 'context'>,
): string | readonly string[] | undefined {
  const key = asciiLower(name);
  const of = (entries: Iterable<readonly [string, string | readonly string[]]>, wanted: string) => {
    const found = [...entries].filter(([entry]) => asciiLower(entry) === wanted).map(([, value]) => value);
    return found.length > 1 ? found.flat() : found[0];
  };
  const [, partition, service, account, resource = ''] =
    /^arn:([^:]*):([^:]*):[^:]*:([^:]*):(.*)$/.exec(principal.arn) ?? [];
  const [kind = '', ...names] = resource.split('/');
  const isAnonymous = principal.arn === 'anonymous';
  switch (key) {
    case 'aws:principalarn':
      if (isAnonymous) return undefined;
      return service === 'sts' && kind === 'assumed-role'
        ? (principal.roleArn ?? `arn:${partition}:iam::${account}:role/${names[0]}`)
        : principal.arn;
    case 'aws:principalaccount':
      return principal.accountId || undefined;
    case 'aws:principaltype':
      if (isAnonymous) return 'Anonymous';
      return {
        root: 'Account',
        user: 'User',
        'assumed-role': 'AssumedRole',
        'federated-user': 'FederatedUser',
      }[kind];
    case 'aws:userid':
      return principal.userId;
    case 'aws:username':
      return kind === 'user' ? (principal.userName ?? names.at(-1)) : undefined;
  }
  if (key.startsWith('aws:principaltag/'))
    return of(principal.tags ?? [], key.slice('aws:principaltag/'.length));
  return of(context, key);
}

function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32));
}

// Conditions

function conditionsHold(
  { Condition }: StatementDocument,
  { Version }: PolicyDocument,
  request: AuthorizationRequest,
): boolean {
  return Object.entries(Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) =>
      conditionHolds(
        asciiLower(operator),
        lookUp(key, request),
        listOf(values).map(String),
        Version === '2012-10-17',
        request,
      ),
    ),
  );
}

/** The table of section 4, row by row. */
function conditionHolds(
  operator: string,
  value: string | readonly string[] | undefined,
  wanted: readonly string[],
  variables: boolean,
  request: AuthorizationRequest,
): boolean {
  const nullLike = value === undefined || [value].flat().every((one) => one === '');
  if (operator === 'null') return wanted.map(asciiLower).includes(String(nullLike));
  const ifExists = operator.endsWith('ifexists');
  const name = operator.replace(/ifexists$/, '').replace(/^forallvalues:|^foranyvalue:/, '');
  const negated = name.includes('not');
  const positive = name.replace('not', '');
  const one = (asked: string): boolean => {
    if (!negated) return wanted.some((text) => baseHolds(positive, asked, text, variables, request));
    if (positive.startsWith('arn') && !isArn(asked)) return false;
    return wanted.every((text) => !baseHolds(positive, asked, text, variables, request));
  };
  if (operator.startsWith('forallvalues:')) return nullLike || [value!].flat().every(one);
  if (operator.startsWith('foranyvalue:')) return nullLike ? ifExists : [value!].flat().some(one);
  if (value === undefined || value.length === 0)
    return typeof value === 'string' ? one(value) : ifExists || negated;
  return typeof value === 'string' && one(value);
}

function baseHolds(
  operator: string,
  asked: string,
  wanted: string,
  variables: boolean,
  request: AuthorizationRequest,
): boolean {
  const text = (read: (text: string) => Token[]) =>
    variables ? withVariables(wanted, request, read) : read(wanted);
  const literal = () => {
    const tokens = text(plain);
    return tokens?.map((token) => (token.is === 'character' ? token.character : '')).join('');
  };
  switch (operator) {
    case 'stringequals':
      return literal() === asked;
    case 'stringequalsignorecase': {
      const wantedText = literal();
      if (wantedText === undefined) return false;
      // With both flags a regular expression folds as Unicode's simple case folding does.
      return new RegExp(
        `^${[...wantedText].map((one) => `\\u{${one.codePointAt(0)!.toString(16)}}`).join('')}$`,
        'iu',
      ).test(asked);
    }
    case 'stringlike':
      return globs(text(wild), asked);
    case 'bool': {
      const wantedText = literal()?.toLowerCase();
      return wantedText === 'true'
        ? asked.toLowerCase() === 'true'
        : wantedText === 'false' && asked.toLowerCase() !== 'true';
    }
    case 'arnequals':
    case 'arnlike':
      return arnHolds(asked, wanted, variables, request);
    case 'binaryequals': {
      const bytes = (base64: string) => {
        const buffer = Buffer.from(base64, 'base64');
        return buffer.toString('base64') === base64 ? buffer.toString('hex') : undefined;
      };
      return bytes(asked) !== undefined && bytes(asked) === bytes(wanted);
    }
    case 'ipaddress':
      return ipHolds(asked, wanted);
  }
  const read = operator.startsWith('date') ? secondsOf : numberOf;
  const [left, right] = [read(asked), read(wanted)];
  if (left === undefined || right === undefined) return false;
  const comparison = operator.replace(/^date|^numeric/, '');
  if (comparison === 'equals') return left === right;
  if (comparison === 'lessthan') return left < right;
  if (comparison === 'lessthanequals') return left <= right;
  if (comparison === 'greaterthan') return left > right;
  return left >= right;
}

function isArn(text: string): boolean {
  return /^arn:[^:]*:[^:]*:[^:]*:[^:]*:/.test(text);
}

function arnHolds(asked: string, wanted: string, variables: boolean, request: AuthorizationRequest): boolean {
  if (!isArn(asked)) return false;
  if (variables && /^\$\{[^}]*\}$/.test(wanted)) {
    const tokens = withVariables(wanted, request, plain);
    return (
      tokens !== undefined &&
      asked === tokens.map((token) => (token.is === 'character' ? token.character : '')).join('')
    );
  }
  // Colons of variables' names do not divide: they are put aside meanwhile.
  const aside = variables ? wanted.replace(/\$\{[^}]*\}/g, (name) => name.replaceAll(':', '\n')) : wanted;
  const parts = fillUp(sixParts(aside), wanted).map((part) => part.replaceAll('\n', ':'));
  return matchesArn(asked, parts, (part) => (variables ? withVariables(part, request) : wild(part)));
}

function numberOf(text: string): number | undefined {
  return /^[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?$/.test(text) && Number.isFinite(+text) ? +text : undefined;
}

function secondsOf(text: string): number | undefined {
  const form = /^(\d{4})(-\d\d)?(-\d\d)?(T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/.exec(text);
  if (!form) return /^-?\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
  const [, year, month = '-01', day, time] = form;
  if ((day !== undefined && form[2] === undefined) || (time !== undefined && day === undefined))
    return undefined;
  const noon = new Date(`${year}${month}${day ?? '-01'}T12:00:00Z`);
  // A day that is not in the calendar comes out as another.
  if (Number.isNaN(noon.getTime()) || noon.toISOString().slice(8, 10) !== (day ?? '-01').slice(1))
    return undefined;
  if (time === undefined) return (noon.getTime() - 12 * 3_600_000) / 1000;
  if (/^T(?:2[4-9]|[3-9])|^T..:[6-9]|^T..:..:[6-9]|[+-](?:2[4-9]|[3-9])...$|[+-]..:[6-9].$/.test(time))
    return undefined;
  const fraction = /\.\d+/.exec(time)?.[0] ?? '';
  return Date.parse(`${year}${month}${day}${time.replace(fraction, '')}`) / 1000 + Number(`0${fraction}`);
}

function ipHolds(asked: string, wanted: string): boolean {
  const [left, right] = [networkOf(asked), networkOf(wanted)];
  if (!left || !right || left.size !== right.size || left.bits < right.bits) return false;
  const shift = BigInt(right.size - right.bits);
  return left.address >> shift === right.address >> shift;
}

function networkOf(text: string): { address: bigint; size: number; bits: number } | undefined {
  const [address, bits, ...more] = text.split('/');
  const v4 = ip4(address!);
  const v6 = v4 === undefined ? ip6(address!) : undefined;
  const size = v4 === undefined ? 128 : 32;
  const value = v4 ?? v6;
  const prefix = bits ?? String(size);
  if (value === undefined || more.length > 0 || !/^(0|[1-9]\d?\d?)$/.test(prefix) || Number(prefix) > size)
    return undefined;
  return { address: value, size, bits: Number(prefix) };
}

function ip4(text: string): bigint | undefined {
  if (!/^(0|[1-9]\d?\d?)(\.(0|[1-9]\d?\d?)){3}$/.test(text)) return undefined;
  const numbers = text.split('.').map(BigInt);
  return numbers.some((number) => number > 255n)
    ? undefined
    : numbers.reduce((sum, number) => sum * 256n + number, 0n);
}

function ip6(text: string): bigint | undefined {
  const last = text.slice(text.lastIndexOf(':') + 1);
  const v4 = ip4(last);
  const hexOnly =
    v4 === undefined
      ? text
      : `${text.slice(0, -last.length)}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
  const halves = hexOnly.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const count = groups.flat().length;
  if (halves.length === 1 ? count !== 8 : count > 7) return undefined;
  const zeros = new Array<string>(8 - count).fill('0');
  const all = halves.length === 1 ? groups[0]! : [...groups[0]!, ...zeros, ...groups[1]!];
  if (!all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return all.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
