import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitWords } from '../../src/agent/split-words.ts';
import { quoteWords } from '../../src/core/shell-quote.ts';

describe('quoteWords', () => {
  test.each([
    [['ls', '-l', '/tmp/a_b.c'], 'ls -l /tmp/a_b.c'],
    [['a b', '', "it's", '$x', 'a=1', '#', '~'], `'a b' '' 'it'\\''s' '$x' 'a=1' '#' '~'`],
    [['{{ssm:secret}}', '{{{', '$$', '$$$'], `'{''{ssm:secret}}' '{''{''{' '$''$' '$''$''$'`],
  ])('%j is %s', (words, line) => {
    expect(quoteWords(words)).toBe(line);
  });

  test('any words come out of the agent’s word splitting as they went in, with no token between', () => {
    const character = fc.constantFrom(...`ab '"\\$\`{}#;|&*?~!=<>()[]\n\r\té日`);
    fc.assert(
      fc.property(fc.array(fc.string({ unit: character })), (words) => {
        const line = quoteWords(words);
        expect(splitWords(line)).toEqual(words);
        expect(line).not.toMatch(/\{\{|\$\$/);
      }),
      { numRuns: 2_000 },
    );
  });

  test('refuses NUL', () => {
    expect(() => quoteWords(['a\0b'])).toThrow(expect.objectContaining({ code: 'ERR_SESSION_ARGUMENT' }));
  });
});
