import { describe, expect, test } from 'vitest';
import { parameterValues } from '../../src/core/documents/parameters.ts';
import { parseSessionDocument } from '../../src/core/documents/parse.ts';

/** What the agent is sent for the parameter `p`, or why it is not. */
function value(parameter: object, values: readonly string[], commands = 'x') {
  const document = parseSessionDocument({
    schemaVersion: '1.0',
    sessionType: 'InteractiveCommands',
    parameters: { p: parameter },
    properties: { linux: { commands } },
  });
  return parameterValues(document, new Map([['p', values]])).p;
}

const string = { type: 'String' };

describe('a value is sent', () => {
  test.each([
    [string, ['a'], 'a'],
    [string, [''], ''],
    [{ type: 'integer' }, ['-7'], '-7'],
    [{ type: 'Boolean' }, ['true'], 'true'],
    [{ type: 'StringList' }, ['a', 'b'], ['a', 'b']],
    [{ type: 'StringList' }, [], []],
    [{ type: 'StringMap' }, ['{"a":"b"}'], { a: 'b' }],
    [{ type: 'MapList' }, ['{"a":1}', '{}'], [{ a: 1 }, {}]],
    [{ ...string, allowedPattern: '[a-z]+' }, ['abc'], 'abc'],
    [{ ...string, allowedValues: ['on', 'off'] }, ['on'], 'on'],
    [{ ...string, minChars: '2', maxChars: 2 }, ['😀😀'], '😀😀'],
    [{ type: 'StringList', minItems: 1, maxItems: '2' }, ['a', 'b'], ['a', 'b']],
  ])('%j %j', (parameter, values, expected) => {
    expect(value(parameter, values)).toEqual(expected);
  });
});

describe('a value is refused', () => {
  test.each([
    [string, [], 'takes one value, and was given 0.'],
    [string, ['a', 'b'], 'takes one value, and was given 2.'],
    [{ type: 'Integer' }, ['1.5'], 'has value "1.5", which is not a whole number.'],
    [{ type: 'Integer' }, ['1\n'], 'has value "1\n", which is not a whole number.'],
    [{ type: 'Boolean' }, ['yes'], 'has value "yes", which is not true or false.'],
    [{ type: 'StringMap' }, ['[]'], 'has value "[]", which is no JSON object.'],
    [{ type: 'StringMap' }, ['{'], 'has value "{", which is no JSON object.'],
    [{ type: 'MapList' }, ['{}', '1'], 'has value "1", which is no JSON object.'],
    [{ type: 'StringMap' }, [`{"a":${'['.repeat(9000)}${']'.repeat(9000)}}`], 'is nested more than 32 deep.'],
    [{ ...string, allowedPattern: '^[a-z]+$' }, ['a;b'], 'has value "a;b" not matching "^[a-z]+$".'],
    [{ ...string, allowedPattern: 'a|b' }, ['ab'], 'has value "ab" not matching "a|b".'],
    [{ ...string, allowedPattern: '.+' }, ['a\nb'], 'has value "a\nb" not matching ".+".'],
    [{ type: 'StringList', allowedPattern: 'a' }, ['a', 'b'], 'has value "b" not matching "a".'],
    [{ ...string, allowedValues: ['on', 'off'] }, ['onoff'], 'has value "onoff" not among "on, off".'],
    [{ ...string, minChars: '2' }, ['😀'], 'has 1 characters, and must have at least 2.'],
    [{ ...string, maxChars: 1 }, ['ab'], 'has 2 characters, and must have at most 1.'],
    [{ type: 'StringList', minItems: 1 }, [], 'has 0 items, and must have at least 1.'],
    [{ type: 'StringList', maxItems: '1' }, ['a', 'b'], 'has 2 items, and must have at most 1.'],
  ])('%j %j', (parameter, values, expected) => {
    const refused = expect.objectContaining({ code: 'ERR_PARAMETERS', message: `Parameter "p" ${expected}` });
    expect(() => value(parameter, values)).toThrow(refused);
  });

  test('and not repeated at any length', () => {
    const parameter = { ...string, allowedPattern: 'b*' };
    expect(() => value(parameter, ['a'.repeat(60_000)])).toThrow(
      `Parameter "p" has value "${'a'.repeat(400)}…" not matching "b*".`,
    );
  });
});

test('values that would take too long to match are refused, one or many', () => {
  const tooMany = expect.objectContaining({
    code: 'ERR_PARAMETERS',
    message: expect.stringContaining('too many to be matched with its allowedPattern'),
  });
  const allowedPattern = '(?:(?:a|.)*|.{0,1000})*b';
  expect(() => value({ ...string, allowedPattern }, ['a'.repeat(60_000)])).toThrow(tooMany);
  const many = Array.from({ length: 600 }, () => `${'a'.repeat(90)}b`);
  expect(() => value({ type: 'StringList', allowedPattern }, many)).toThrow(tooMany);
  expect(value({ type: 'StringList', allowedPattern }, many.slice(0, 3))).toEqual(many.slice(0, 3));
});

describe('a value within a command', () => {
  test.each(['\n', '\r', '\0'])('brings no %j without a pattern', (character) => {
    const text = `a${character}b`;
    const refusal = 'goes into a command: that takes an allowedPattern';
    expect(() => value(string, [text], 'ls {{ p }}')).toThrow(refusal);
    expect(() => value({ type: 'StringList' }, ['a', text], 'ls {{ p }}')).toThrow(refusal);
    expect(value({ ...string, allowedPattern: '[^x]+' }, [text], 'ls {{ p }}')).toBe(text);
    expect(value(string, [text], 'ls')).toBe(text);
  });

  test('may have lines where it is the command, but no NUL', () => {
    expect(value(string, ['cd /tmp\nls'], '{{ p }}')).toBe('cd /tmp\nls');
    expect(() => value(string, ['ls\0'], '{{ p }}')).toThrow('line end or NUL');
  });
});

test('the document and the values of its parameters are bounded together', () => {
  const text = 'ä'.repeat(32_600);
  expect(value(string, [text])).toBe(text);
  expect(() => value(string, [`${text}${'ä'.repeat(200)}`])).toThrow('and may have 65536');
  expect(() => value({ type: 'StringList' }, Array(3).fill('x'.repeat(30_000)))).toThrow(
    'and may have 65536',
  );
  expect(() => value({ ...string, allowedPattern: 'y' }, ['x'.repeat(1024 * 1024)])).toThrow('65536');
});
