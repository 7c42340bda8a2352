import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AWS_DOCUMENTS } from '../../src/core/documents/aws-documents.ts';
import { MatchBudget } from '../../src/core/pattern/match-budget.ts';
import { Pattern } from '../../src/core/pattern/pattern.ts';

describe('a pattern matches the whole value', () => {
  test.each([
    ['abc', ['abc'], ['', 'ab', 'abcd', 'xabc', 'ABC']],
    ['', [''], ['a']],
    ['a|bc|', ['a', 'bc', ''], ['abc', 'b']],
    ['^(?:a|b)+$', ['a', 'abba'], ['', 'c', 'ac']],
    ['(?P<one>a)(?<two>b)', ['ab'], ['a']],
    ['a{2}', ['aa'], ['a', 'aaa']],
    ['a{2,}', ['aa', 'aaaa'], ['a']],
    ['a{1,3}', ['a', 'aaa'], ['', 'aaaa']],
    ['(ab){0,2}c??', ['', 'ab', 'ababc'], ['abababc']],
    ['a{0}b', ['b'], ['ab']],
    ['.*', ['', 'x\r😀'], ['a\nb']],
    ['[^a]', ['b', '\n', '😀'], ['a', '', 'bb']],
    ['[a-c\\d_-]+', ['a1_-'], ['d', ' ']],
    ['[]a]+', [']a'], ['b']],
    ['[^]a]+', ['bc'], [']']],
    ['[a-]', ['a', '-'], ['b']],
    ['[\\]\\\\^$.]+', [']\\^$.'], ['a']],
    ['[^\\D]', ['1'], ['a']],
    ['\\d\\w\\s', ['1a '], ['aa ', '1a\v', '1a\u00a0', '١a ']],
    ['\\D\\W\\S', ['a-b'], ['1-b', 'aab', 'a- ']],
    ['\\x41\\x{1F600}\\t\\.\\_', ['A😀\t._'], ['A']],
    ['\\Aa\\z', ['a'], ['a\n']],
    ['a\\b-\\Bb?', ['a-'], ['a-b']],
    ['a$^b|$^', [''], ['ab']],
    ['(a*)*', ['', 'aaa'], ['b']],
    ['(^a|b$)*', ['a', 'ab'], ['ba', 'aa']],
    ['a{,2}', ['a{,2}'], ['aa']],
    ['{a}{01}', ['{a}{01}'], ['a']],
    ['😀+', ['😀😀'], ['\ud83d']],
  ])('%s', (pattern, matching, others) => {
    for (const value of matching) expect(new Pattern(pattern).matches(value), value).toBe(true);
    for (const value of others) expect(new Pattern(pattern).matches(value), value).toBe(false);
  });
});

test.each([
  ['(?=a)', 'look-around'],
  ['(?!a)', 'look-around'],
  ['(?<=a)', 'look-around'],
  ['(?<!a)', 'look-around'],
  ['(a)\\1', 'a back reference'],
  ['(?<n>a)\\k<n>', 'a back reference'],
  ['(?i)a', 'a kind of group'],
  ['(?>a)', 'a kind of group'],
  ['(?#a)', 'a kind of group'],
  ['[[:alpha:]]', 'a named class'],
  ['\\pL', 'the escape \\p'],
  ['\\Qa\\E', 'the escape \\Q'],
  ['\\x{110000}', 'the escape \\x'],
  ['[\\b]', 'the escape \\b'],
  ['a\\', 'a \\ at its end'],
  ['*a', 'a repetition of nothing'],
  ['(|+)', 'a repetition of nothing'],
  ['{2}', 'a repetition of nothing'],
  ['a**', 'a repetition of a repetition'],
  ['a+{2}', 'a repetition of a repetition'],
  ['a*??', 'a repetition of a repetition'],
  ['a{2,1}', 'the count {2,1}'],
  ['a{1001}', 'the count {1001}'],
  ['a{99999999999}', 'the count {99999999999}'],
  ['(a', 'a ( without its )'],
  ['a)', 'a ) without its ('],
  ['[a', 'a [ without its ]'],
  ['[]', 'a [ without its ]'],
  ['[b-a]', 'a range that does not ascend'],
  ['[a-\\d]', 'a range that does not ascend'],
  ['((a{100}){100}){100}', 'parts'],
  ['((((){1000}){1000}){1000}){1000}', 'parts'],
])('%s is refused for %s', (pattern, why) => {
  const refused = expect.objectContaining({ code: 'ERR_PATTERN', message: expect.stringContaining(why) });
  expect(() => new Pattern(pattern)).toThrow(refused);
});

test.each([
  ['depth', '('.repeat(4000), 'groups within groups'],
  ['size', 'a'.repeat(3000), 'parts'],
  ['length', '^'.repeat(5000), 'may have 4096'],
])('the %s of a pattern is bounded', (_, pattern, why) => {
  expect(() => new Pattern(pattern)).toThrow(why);
});

test('a place in the pattern is named', () => {
  expect(() => new Pattern('ab(?=c)')).toThrow(
    'The pattern "ab(?=c)" cannot be used: at character 3 it has look-around, which RE2 does not have.',
  );
});

/** Patterns that JavaScript and RE2 read alike, with so many groups within groups. */
function patterns(depth: number): fc.Arbitrary<string> {
  const atom = fc.constantFrom(
    'a',
    'b',
    'c',
    '1',
    '_',
    '-',
    '😀',
    '.',
    '\\.',
    '\\n',
    '\\d',
    '\\D',
    '\\w',
    '\\W',
  );
  const set = fc.constantFrom('[ab]', '[^ab]', '[a-c]', '[^a-b1]', '[\\d_-]', '[^\\w]', '[\\s\\S]');
  const group = depth > 0 ? [patterns(depth - 1).map((pattern) => `(${pattern})`)] : [];
  const count = fc.constantFrom(
    '',
    '',
    '',
    '*',
    '+',
    '?',
    '*?',
    '+?',
    '??',
    '{2}',
    '{0,2}',
    '{1,}',
    '{1,3}?',
  );
  const repeated = fc.tuple(fc.oneof(atom, set, ...group), count).map((parts) => parts.join(''));
  // JavaScript does not repeat an assertion.
  const part = fc.oneof({ weight: 8, arbitrary: repeated }, fc.constantFrom('^', '$', '\\b', '\\B'));
  return fc
    .array(fc.array(part, { maxLength: 3 }), { minLength: 1, maxLength: 3 })
    .map((branches) => branches.map((parts) => parts.join('')).join('|'));
}

const values = fc.string({
  unit: fc.constantFrom('a', 'b', 'c', '1', '_', '-', '.', '\n', ' ', '😀'),
  maxLength: 8,
});

test('a random pattern matches what JavaScript’s engine matches', () => {
  let matched = 0;
  fc.assert(
    fc.property(patterns(2), fc.array(values, { minLength: 4, maxLength: 4 }), (pattern, texts) => {
      const ours = new Pattern(pattern);
      const oracle = new RegExp(`^(?:${pattern})$`, 'u');
      for (const text of texts) {
        const expected = oracle.test(text);
        if (expected) matched++;
        expect(ours.matches(text), JSON.stringify({ pattern, text })).toBe(expected);
      }
    }),
    { numRuns: 500 },
  );
  expect(matched).toBeGreaterThan(100);
});

test('any text is a pattern or is refused', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab1(){}[]|*+?,^$.\\-:=!<>Pdwsbxk'), maxLength: 20 });
  fc.assert(
    fc.property(text, fc.string({ maxLength: 5 }), (pattern, value) => {
      try {
        new Pattern(pattern).matches(value);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_PATTERN' });
      }
    }),
    { numRuns: 5000 },
  );
});

// Each of them takes a backtracking engine longer than the age of the universe.
test.each(['(a+)+', '(a|a)*', '(a|aa)+', '(.*a){20}', '((a*)*)*', '(a?){500}a{500}'])(
  '%s takes linear time',
  (pattern) => {
    expect(new Pattern(pattern).matches(`${'a'.repeat(20_000)}!`)).toBe(false);
  },
);

describe('what would take linear time, and too much of it,', () => {
  const tooMuch = expect.objectContaining({ code: 'ERR_PATTERN_COST' });
  const long = 'a'.repeat(65_535);

  test.each([
    ['many states at once', '(?:(?:a|.)*|.{0,1000})*b'],
    ['many ways to one state', `(?:${'|'.repeat(2000)}a)*b`],
  ])('is given up: %s', (_, pattern) => {
    expect(() => new Pattern(pattern).matches(long)).toThrow(tooMuch);
  });

  test('is given up for several values together', () => {
    const pattern = new Pattern('(?:.{0,40}){0,24}');
    expect(pattern.matches('aaaa')).toBe(true);
    const budget = new MatchBudget();
    expect(() => {
      for (let count = 0; count < 10_000; count++) pattern.matches('aaaa', budget);
    }).toThrow(tooMuch);
  });

  test('is not a long value with a pattern that people write', () => {
    expect(new Pattern('^[a-zA-Z0-9._/-]{1,}$').matches(long)).toBe(true);
    expect(new Pattern('([a-z]+,?)*').matches(long)).toBe(true);
  });
});

test('the ports of AWS’s documents are 1 to 65535, and 0 on the client', () => {
  const parameters = AWS_DOCUMENTS['AWS-StartPortForwardingSession']!.parameters!;
  const [port, localPort] = [parameters.portNumber!, parameters.localPortNumber!].map(
    ({ allowedPattern }) => new Pattern(allowedPattern!),
  );
  for (let i = 1; i <= 65_535; i += 7) if (!port!.matches(`${i}`)) throw new Error(`${i}`);
  for (const text of ['0', '00', '080', '65536', '70000', '100000', '', '-1', '8 0', '80\n']) {
    expect(port!.matches(text), text).toBe(false);
  }
  expect(localPort!.matches('0')).toBe(true);
});
