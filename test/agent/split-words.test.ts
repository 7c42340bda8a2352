import { expect, test } from 'vitest';
import { splitWords } from '../../src/agent/split-words.ts';

test.each([
  ['', []],
  ['  a\tb\r\nc ', ['a', 'b', 'c']],
  [`'a b' "c d"`, ['a b', 'c d']],
  [`a'b'"c"d`, ['abcd']],
  [`'' ""`, ['', '']],
  [`'a\\b"c'`, ['a\\b"c']],
  ['a\\ b\\"c', ['a b"c']],
  [`"a\\"b\\$c\\\\d"`, ['a"b$c\\d']],
  [`'it'\\''s'`, ["it's"]],
  ['a; b | c && $(d) `e` > f *', ['a;', 'b', '|', 'c', '&&', '$(d)', '`e`', '>', 'f', '*']],
  ['a # b\nc', ['a', 'c']],
  ['a#b #', ['a#b']],
  [`'a\nb'`, ['a\nb']],
  ['# only a comment', []],
])('splits %j as AWS’s agent does', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

test.each([`a 'b`, `a "b`, `a "b\\"`, 'a\\'])('refuses %j, which has no end', (line) => {
  expect(() => splitWords(line)).toThrow(
    expect.objectContaining({
      code: 'ERR_AGENT_START',
      message: expect.stringContaining('split into words'),
    }),
  );
});
