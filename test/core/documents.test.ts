import { describe, expect, test } from 'vitest';
import { AWS_DOCUMENTS } from '../../src/core/documents/aws-documents.ts';
import { DocumentError, parseSessionDocument } from '../../src/core/index.ts';

const SHELL = { schemaVersion: '1.0', sessionType: 'Standard_Stream' };
const PORT = { schemaVersion: '1.0', sessionType: 'Port', properties: { portNumber: '80' } };

function command(members: object, parameters = {}) {
  const linux = { commands: 'ls', ...members };
  return { schemaVersion: '1.0', sessionType: 'InteractiveCommands', parameters, properties: { linux } };
}

/** Path and reason of the error. */
function flaw(value: unknown): string {
  try {
    parseSessionDocument(value, 'Acme-Test');
  } catch (error) {
    expect(error).toBeInstanceOf(DocumentError);
    const { path, reason } = error as DocumentError;
    return `${path} ${reason}`;
  }
  throw new Error('It was accepted.');
}

describe('parseSessionDocument', () => {
  test.each(Object.entries(AWS_DOCUMENTS))('takes %s as it is', (_, document) => {
    expect(parseSessionDocument(JSON.parse(JSON.stringify(document)))).toEqual(document);
  });

  test('keeps what it does not know, and what is no token', () => {
    const document = {
      ...command(
        { commands: "docker ps --format '{{.Names}}' {{ssm:name}} {{ a }}", shell: 'zsh' },
        { a: { type: 'string' } },
      ),
      inputs: { colour: { deep: [1, null] }, idleSessionTimeout: 5, maxSessionDuration: '{{ a }}' },
      extra: true,
    };
    expect(parseSessionDocument(document)).toEqual(document);
  });

  test('is a copy, so that later changes do not reach it', () => {
    const properties = { portNumber: '80' };
    const document = parseSessionDocument({ ...PORT, properties });
    properties.portNumber = '{{ nothing }}';
    expect(document.properties).toEqual({ portNumber: '80' });
  });

  test('makes one text of commands in a list', () => {
    const { properties } = parseSessionDocument(command({ commands: ['cd /tmp', 'ls'] }));
    expect(properties).toEqual({ linux: { commands: 'cd /tmp\nls' } });
  });

  test('says which document it was, where and why', () => {
    expect(() => parseSessionDocument({ ...SHELL, inputs: { kmsKeyId: 7 } }, 'Acme-Test')).toThrow(
      'The session document "Acme-Test" cannot be used: inputs.kmsKeyId must be a string.',
    );
  });

  test.each([
    ['', ' must be an object'],
    [null, ' must be an object'],
    [[SHELL], ' must be an object'],
    [{ ...SHELL, schemaVersion: '2.2' }, 'schemaVersion must be "1.0"'],
    [{ ...SHELL, sessionType: '' }, 'sessionType must be a string'],
    [{ ...SHELL, description: {} }, 'description must be a string'],
    [{ ...SHELL, inputs: 'x' }, 'inputs must be an object'],
    [
      { ...SHELL, inputs: { idleSessionTimeout: '61' } },
      'inputs.idleSessionTimeout must be 1 to 60 minutes, or empty',
    ],
    [
      { ...SHELL, inputs: { maxSessionDuration: 1441 } },
      'inputs.maxSessionDuration must be 1 to 1440 minutes, or empty',
    ],
    [{ ...SHELL, inputs: { runAsEnabled: 'yes' } }, 'inputs.runAsEnabled must be a boolean'],
    [
      { ...SHELL, inputs: { cloudWatchStreamingEnabled: 'true' } },
      'inputs.cloudWatchStreamingEnabled must be a boolean, not in a string',
    ],
    [{ ...SHELL, inputs: { shellProfile: { linux: 1 } } }, 'inputs.shellProfile.linux must be a string'],
    [
      { ...SHELL, inputs: { kmsKeyId: '{{ key }}' } },
      'inputs.kmsKeyId has {{ key }}, which is no parameter of it',
    ],
    [
      { ...SHELL, inputs: { x: ['{{ constructor }}'] } },
      'inputs.x.0 has {{ constructor }}, which is no parameter of it',
    ],
    [{ ...PORT, properties: undefined }, 'properties must be an object'],
    [{ ...PORT, properties: { portNumber: '0' } }, 'properties.portNumber must be 1 to 65535'],
    [{ ...PORT, properties: { portNumber: 80, host: 1 } }, 'properties.host must be a string'],
    [{ ...command({}), properties: {} }, 'properties must have one of windows, linux, macos'],
    [command({ commands: ' \n' }), 'properties.linux.commands must be a string with a command'],
    [command({ commands: [1] }), 'properties.linux.commands must be a string with a command'],
    [command({ runAsElevated: 'true' }), 'properties.linux.runAsElevated must be a boolean, not in a string'],
    [command({ separateOutputStream: 'maybe' }), 'properties.linux.separateOutputStream must be a boolean'],
    [
      command({ stdErrSeparatorPrefix: '$(x)' }),
      'properties.linux.stdErrSeparatorPrefix must be at most 30 letters, digits, line ends, or any of _ - :',
    ],
    [
      command({ commands: 'ls {{ dir }}' }),
      'properties.linux.commands has {{ dir }}, which is no parameter of it',
    ],
    [command({}, []), 'parameters must be an object'],
    [command({}, { 'a-b': { type: 'String' } }), 'parameters.a-b must have a name of letters and digits'],
    [command({}, { a: 'String' }), 'parameters.a must be an object'],
    [
      command({}, { a: {} }),
      'parameters.a.type must be one of String, StringList, Integer, Boolean, StringMap, MapList',
    ],
    [command({}, { a: { type: 'String', default: [] } }), 'parameters.a.default is no value for String'],
    [
      command({}, { a: { type: 'StringList', default: 'x' } }),
      'parameters.a.default is no value for StringList',
    ],
    [
      command({}, { a: { type: 'String', allowedValues: 'x' } }),
      'parameters.a.allowedValues must be a list of strings',
    ],
    [
      command({}, { a: { type: 'String', allowedPattern: 1 } }),
      'parameters.a.allowedPattern must be a string',
    ],
    [
      command({}, { a: { type: 'String', allowedPattern: '(?=a)' } }),
      'parameters.a.allowedPattern is no pattern: at character 1 it has look-around, which RE2 does not have',
    ],
    [command({}, { a: { type: 'String', minChars: -1 } }), 'parameters.a.minChars must be a count'],
    [
      command({}, { a: { type: 'String', minChars: '3', maxChars: 2 } }),
      'parameters.a.maxChars must not be less than minChars',
    ],
  ])('refuses %j', (document, expected) => {
    expect(flaw(document)).toBe(expected);
  });

  test('tells another schema version by its code', () => {
    const code = 'ERR_DOCUMENT_SCHEMA_VERSION';
    expect(() => parseSessionDocument({ ...SHELL, schemaVersion: '2.2' })).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

describe('whatever it is given, parseSessionDocument', () => {
  const tooLarge = expect.objectContaining({ code: 'ERR_DOCUMENT_SIZE' });
  const circle: Record<string, unknown> = { ...SHELL };
  circle.inputs = circle;
  const doubling = Array.from({ length: 30 }).reduce<unknown>((value) => [value, value], 'x');

  test.each([
    ['a text of 1 MB', { ...SHELL, description: 'x'.repeat(1024 * 1024) }],
    ['1 MB in small pieces', { ...SHELL, extra: Array.from({ length: 200_000 }, () => 0) }],
    ['a long key', { ...SHELL, ['x'.repeat(70_000)]: 1 }],
    ['64 KB that are longer in UTF-8', { ...SHELL, description: 'ä'.repeat(40_000) }],
    ['64 KB that are longer in JSON', { ...SHELL, description: '\n'.repeat(40_000) }],
    ['100,000 lists in each other', JSON.parse(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)],
    ['itself within itself', circle],
    ['a small thing that unfolds', { ...SHELL, extra: doubling }],
  ])('refuses %s', (_, document) => {
    expect(() => parseSessionDocument(document)).toThrow(tooLarge);
  });

  test.each([
    ['a function', { ...SHELL, extra: () => 1 }],
    ['a number that is none', { ...SHELL, extra: Number.NaN }],
    ['a bigint', { ...SHELL, extra: 1n }],
    [
      'a parameter called __proto__',
      JSON.parse('{"schemaVersion":"1.0","sessionType":"X","parameters":{"__proto__":{"type":"String"}}}'),
    ],
    ['members that are only inherited', Object.create(SHELL)],
  ])('refuses %s', (_, document) => {
    expect(() => parseSessionDocument(document)).toThrow(expect.objectContaining({ name: 'DocumentError' }));
  });

  test('takes __proto__ for a key like others', () => {
    const document = parseSessionDocument(
      JSON.parse('{"schemaVersion":"1.0","sessionType":"X","__proto__":{"inputs":{"kmsKeyId":"k"}}}'),
    );
    expect(document.inputs).toBeUndefined();
    expect(Object.getPrototypeOf(document)).toBe(Object.prototype);
    expect(Object.hasOwn(document, '__proto__')).toBe(true);
  });
});
