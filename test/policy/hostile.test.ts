import { describe, expect, it } from 'vitest';
import { evaluate, type Policies, PolicyError, parsePolicy } from '../../src/policy/index.ts';
import { applies, policy, problemsOf, request } from './world.ts';

const ALLOW = { Effect: 'Allow', Action: '*', Resource: '*' };

/** The work of a call, whatever the machine: how much of a text or an object was looked at. */
function countingReads(target: object): { proxy: object; reads: () => number } {
  let reads = 0;
  const watch = (part: object): object =>
    new Proxy(part, {
      get(object, name) {
        reads++;
        const value = Reflect.get(object, name);
        return typeof value === 'object' && value !== null ? watch(value) : value;
      },
    });
  return { proxy: watch(target), reads: () => reads };
}

describe('bad input', () => {
  it('of 100,000 statements is refused by its size, without a look at all of it', () => {
    const statements = new Array(100_000).fill(ALLOW);
    expect(problemsOf('identity', JSON.stringify({ Statement: statements }))).toEqual([
      'ERR_POLICY_SIZE at ',
    ]);
    const { proxy, reads } = countingReads({ Statement: statements });
    expect(problemsOf('identity', proxy)).toEqual(['ERR_POLICY_SIZE at ']);
    expect(reads()).toBeLessThan(5_000);
  });

  it('of 100,000 wrong statements has a bounded list of problems, where such a size is permitted', () => {
    const text = JSON.stringify({ Statement: new Array(100_000).fill({ Effect: 'x' }) });
    try {
      parsePolicy('identity', text, { maxCharacters: text.length });
      expect.unreachable();
    } catch (error) {
      expect((error as PolicyError).problems).toHaveLength(20);
      expect((error as PolicyError).message.length).toBeLessThan(4_000);
    }
  });

  it('that is nested too deep is refused, as text and as an object', () => {
    const deep = (open: string, close: string) => `${open.repeat(2_000)}1${close.repeat(2_000)}`;
    expect(problemsOf('resource', deep('[', ']'))).toEqual([expect.stringMatching(/^ERR_POLICY_SIZE at /)]);
    expect(problemsOf('resource', deep('{"a":', '}'))).toEqual([
      expect.stringMatching(/^ERR_POLICY_SIZE at /),
    ]);
    expect(problemsOf('resource', '['.repeat(1_000_000))).toEqual(['ERR_POLICY_SIZE at ']);
    const circle: Record<string, unknown> = {};
    circle.Statement = circle;
    expect(problemsOf('identity', circle)).toEqual([expect.stringMatching(/^ERR_POLICY_SIZE at Statement/)]);
  });

  it('with strings of a megabyte is refused, wherever they are', () => {
    const long = 'x'.repeat(1_000_000);
    for (const said of [
      { Sid: long },
      { Action: `ssm:${long}` },
      { Resource: `arn:aws:s3:::${long}` },
      { [long]: 1 },
    ]) {
      const source = { Statement: { ...ALLOW, ...said } };
      expect(problemsOf('identity', source)).toEqual(['ERR_POLICY_SIZE at ']);
      expect(problemsOf('identity', JSON.stringify(source))).toEqual(['ERR_POLICY_SIZE at ']);
    }
    expect(problemsOf('identity', ' '.repeat(1_000_000))).toEqual(['ERR_POLICY_SIZE at ']);
  });

  it('has a size in characters, white space not counted but in SCPs and RCPs', () => {
    const document = (length: number) =>
      `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${'x'.repeat(length - 72)}"}}`;
    for (const [kind, most] of [
      ['session', 2_048],
      ['boundary', 6_144],
      ['identity', 10_240],
    ] as const) {
      const text = document(most);
      expect(text.length).toBe(most);
      expect(problemsOf(kind, `${text}${' \n'.repeat(500)}`)).toEqual([]);
      expect(problemsOf(kind, `${text.slice(0, -3)}x"}}`)).toEqual(['ERR_POLICY_SIZE at ']);
      expect(problemsOf(kind, JSON.parse(text))).toEqual([]);
    }
    expect(problemsOf('scp', document(5_120))).toEqual([]);
    expect(problemsOf('scp', `${document(5_119)}\n\n`)).toEqual(['ERR_POLICY_SIZE at ']);
    expect(parsePolicy('session', document(3_000), { maxCharacters: 3_000 }).size).toBe(1);
  });

  it('with names that every object has is refused, and changes no object', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const text = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","${name}":{"polluted":true}}}`;
      expect(problemsOf('identity', text)).toEqual(['ERR_POLICY_ELEMENT at Statement']);
      expect(problemsOf('identity', JSON.parse(text))).toEqual(['ERR_POLICY_ELEMENT at Statement']);
      const operator = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"${name}":{}}}}`;
      expect(problemsOf('identity', operator)).toEqual(['ERR_POLICY_CONDITION at Statement.Condition']);
      expect(problemsOf('resource', operator.replace('"Condition"', '"Principal"'))).toHaveLength(1);
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    const inherited = Object.create({ Statement: ALLOW });
    expect(problemsOf('identity', inherited)).toHaveLength(1);
  });

  it('with look-alikes of letters is refused or matches nothing', () => {
    const cyrillic = (text: string) => text.replace('a', '\u0430').replace('A', '\u0410');
    for (const said of [
      { Effect: cyrillic('Allow') },
      { Action: 'ssm:St\u0430rtSession' },
      { Action: '\u212ams:*' },
      { Resource: `${cyrillic('arn')}:aws:s3:::*` },
      { [cyrillic('Action')]: '*' },
      { Condition: { [cyrillic('StringEqualsIgnoreCase').replace('e', '\u0435')]: { k: 'v' } } },
    ]) {
      expect(problemsOf('identity', { Statement: { ...ALLOW, ...said } })).not.toEqual([]);
    }
    const Condition = { StringEquals: { 'aws:ResourceTag/\u212aey': 'v' } };
    expect(applies({ Condition }, { context: { 'aws:ResourceTag/Key': 'v' } })).toBe(false);
  });

  it.each([
    '',
    '{',
    '{"Statement":[}',
    '{"Statement":{},}',
    "{'Statement':{}}",
    '{"Statement":01}',
    '{"Statement":"\t"}',
    '{"Statement":"\\x"}',
    '{"Statement":"',
    '{"Statement":nul}',
    '{} {}',
    '\ufeff{}',
    '// {}',
  ])('that is no JSON is refused: %j', (text) => {
    expect(problemsOf('identity', text)).toEqual([expect.stringMatching(/^ERR_POLICY_JSON at /)]);
  });

  it('that no JSON can be is refused', () => {
    for (const Sid of [() => 1, Symbol('x'), Number.NaN, 1n, new Date(0), new Map()]) {
      expect(problemsOf('identity', { Statement: { ...ALLOW, Sid } })).toEqual([
        'ERR_POLICY_JSON at Statement.Sid',
      ]);
    }
  });

  it('shows what looks like something else in its errors', () => {
    const source = { Statement: { ...ALLOW, Action: 'ssm:St\u0430rt\u202e' } };
    expect(() => parsePolicy('identity', source)).toThrow(/"ssm:St\\u0430rt\\u202e"/);
  });
});

describe('requests that cannot be decided', () => {
  const steps = /takes more than 16777216 steps to decide/;
  const numbered = (count: number, text: string) => Array.from({ length: count }, (_, n) => `${text}${n}`);

  it.each([
    ['StringLike, with wildcards in the pattern', 'StringLike', numbered(500, '*?a?a?a?ab'), 100],
    ['StringLike, with a long value in each pattern', 'StringLike', numbered(500, '*${v}?'), 10],
    ['StringNotLike', 'StringNotLike', numbered(500, '*${v}?'), 10],
    ['StringEqualsIgnoreCase, with a variable', 'StringEqualsIgnoreCase', numbered(500, '${v}'), 100],
    ['StringEqualsIgnoreCase', 'StringEqualsIgnoreCase', ['x'], 1_000],
  ])('are refused: many long values under %s', (_, operator, patterns, count) => {
    const allow = policy('identity', {
      Condition: { [`ForAnyValue:${operator}`]: { k: patterns } },
    });
    const k = numbered(count, 'a'.repeat(2_040));
    const v = `${'a'.repeat(operator.endsWith('Like') ? 1_000 : 2_039)}b`;
    const asked = (values: readonly string[]) => request({ context: { k: values, v } });
    expect(() => evaluate({ identity: [allow] }, asked(k))).toThrow(steps);
    expect(() => evaluate({ identity: [allow] }, asked(['a', 'b']))).not.toThrow();
  });

  it('are refused: many conditions on a long list', () => {
    const one = { Condition: { 'ForAnyValue:StringEquals': { k: 'x' } } };
    const k = numbered(1_000, 'a'.repeat(2_000));
    expect(() =>
      evaluate({ identity: [policy('identity', new Array(10).fill(one))] }, request({ context: { k } })),
    ).toThrow(steps);
  });

  it('does not write out a pattern that is longer than any value', () => {
    const long = policy('identity', { Condition: { StringLike: { k: `*${'${v}?'.repeat(2_000)}` } } });
    const v = 'a'.repeat(2_048);
    const asked = request({ context: { k: v, v } });
    expect(evaluate({ identity: new Array(10).fill(long) }, asked).effect).toBe('ImplicitDeny');
  });

  const policies: Policies = { identity: [policy('identity', { Condition: { StringLike: { k: '*a*' } } })] };
  const asked = (k: unknown) => request({ context: { k: k as string } });

  it('are refused: values that are too long, too many, or no strings', () => {
    for (const k of [
      'a'.repeat(2_049),
      new Array(1_001).fill('a'),
      ['a'.repeat(2_049)],
      true,
      7,
      null,
      [7],
    ]) {
      expect(() => evaluate(policies, asked(k))).toThrow(PolicyError);
    }
    expect(evaluate(policies, asked('a'.repeat(2_048))).effect).toBe('Allow');
    const resource = `arn:aws:s3:::${'x'.repeat(2_048)}`;
    expect(() => evaluate(policies, request({ resource }))).toThrow(/at most 2048 are matched/);
    expect(() => evaluate(policies, request({ action: undefined as unknown as string }))).not.toThrow();
    const action = { ...request(), action: 7 as unknown as string };
    expect(() => evaluate(policies, action)).toThrow(/The action of the request: is no string/);
  });
});
