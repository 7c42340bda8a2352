import { describe, expect, test } from 'vitest';
import { resolveDocument } from '../../src/agent/document.ts';

function resolve(documentContent: Record<string, unknown>, parameters: Record<string, unknown> = {}) {
  return resolveDocument({
    documentName: 'Test',
    documentContent: { schemaVersion: '1.0', sessionType: 'Port', ...documentContent },
    sessionId: 's-1',
    parameters,
    runAsUser: '',
    sessionOwner: '',
  });
}

describe('resolveDocument', () => {
  test('takes the values given, and the defaults of the others', () => {
    const parameters = { host: { type: 'String', default: 'localhost' }, port: { default: '80' }, none: {} };
    expect(resolve({ parameters }, { port: '443' }).parameters).toEqual({ host: 'localhost', port: '443' });
  });

  test('puts values into properties and inputs at any depth, not into keys', () => {
    const { properties, inputs } = resolve(
      {
        properties: { '{{ a }}': [{ deep: 'x {{a}} y {{ a }}' }], n: 1, nothing: null },
        inputs: { kmsKeyId: '{{a}}' },
      },
      { a: 'A' },
    );
    expect(properties).toEqual({ '{{ a }}': [{ deep: 'x A y A' }], n: 1, nothing: null });
    expect(inputs).toEqual({ kmsKeyId: 'A' });
  });

  test('keeps the type of a value that stands alone, and writes JSON within text', () => {
    const { properties } = resolve(
      { properties: { alone: '{{ list }}', within: 'a {{ list }}' } },
      { list: ['1', '2'] },
    );
    expect(properties).toEqual({ alone: ['1', '2'], within: 'a ["1","2"]' });
  });

  test('expands once, and leaves what it does not know', () => {
    const { properties } = resolve(
      { properties: { p: 'x {{ a }} {{ b }} {{ssm:name}} {{ __proto__ }}' } },
      { a: '{{ b }}' },
    );
    expect(properties).toEqual({ p: 'x {{ b }} {{ b }} {{ssm:name}} {{ __proto__ }}' });
  });

  test('makes one dollar of two within text only, as the real agent does', () => {
    const { properties } = resolve({ properties: { alone: '{{ a }}', within: 'x{{ a }}' } }, { a: '$$1 $&' });
    expect(properties).toEqual({ alone: '$$1 $&', within: 'x$1 $&' });
  });

  test('ignores names that a parameter cannot have', () => {
    expect(resolve({ parameters: { 'a-b': { default: '1' } } }, { 'c.d': '2' }).parameters).toEqual({});
  });

  test('checks allowedPattern, of defaults too, and of every value of a list', () => {
    const word = { type: 'String', allowedPattern: '[a-z]+' };
    const wrong = expect.objectContaining({ code: 'ERR_PARAMETERS' });
    expect(resolve({ parameters: { a: word } }, { a: 'abc' }).parameters).toEqual({ a: 'abc' });
    expect(() => resolve({ parameters: { a: word } }, { a: 'abc; id' })).toThrow(wrong);
    expect(() => resolve({ parameters: { a: word } }, { a: ['abc', '1'] })).toThrow(wrong);
    expect(() => resolve({ parameters: { a: word } }, { a: { b: 'c' } })).toThrow(wrong);
    expect(() => resolve({ parameters: { a: { ...word, default: '1' } } })).toThrow(wrong);
    expect(() => resolve({ parameters: { a: { allowedPattern: '(?=a)' } } }, { a: 'a' })).toThrow(
      expect.objectContaining({ code: 'ERR_PATTERN' }),
    );
  });

  test.each([
    [{ schemaVersion: '2.0' }, 'ERR_AGENT_START'],
    [{ sessionType: 7 }, 'ERR_AGENT_START'],
    [{ parameters: [] }, 'ERR_MESSAGE_PAYLOAD'],
    [{ parameters: { a: 'text' } }, 'ERR_MESSAGE_PAYLOAD'],
    [{ inputs: 'text' }, 'ERR_MESSAGE_PAYLOAD'],
  ])('refuses %j', (content, code) => {
    expect(() => resolve(content)).toThrow(expect.objectContaining({ code }));
  });
});
