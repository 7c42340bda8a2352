import { describe, expect, test } from 'vitest';
import { shellProperties } from '../../src/agent/shell-properties.ts';

const read = (linux: object) =>
  shellProperties({ sessionType: 'NonInteractiveCommands', properties: { linux } }, 'linux');

describe('shellProperties', () => {
  test('takes the part of the platform, with everything else left out', () => {
    const properties = { linux: { commands: 'a' }, macos: { commands: 'b' }, windows: { commands: 'c' } };
    const plain = {
      runAsElevated: false,
      separateOutputStream: false,
      stdOutSeparatorPrefix: '',
      stdErrSeparatorPrefix: '',
    };
    for (const [platform, commands] of [
      ['linux', 'a'],
      ['macos', 'b'],
      ['windows', 'c'],
    ] as const)
      expect(shellProperties({ sessionType: 'InteractiveCommands', properties }, platform)).toEqual({
        commands,
        ...plain,
      });
  });

  test.each([{}, { commands: '' }, { commands: ' \n' }, { commands: 7 }, { commands: ['a'] }])(
    'refuses commands that are no text: %j',
    (part) => {
      expect(() => read(part)).toThrow('Commands cannot be empty for session type NonInteractiveCommands');
    },
  );

  test('refuses a document without properties for the platform', () => {
    const properties = { windows: { commands: 'dir' } };
    expect(() => shellProperties({ sessionType: 'InteractiveCommands', properties }, 'linux')).toThrow(
      'Commands cannot be empty for session type InteractiveCommands',
    );
    for (const wrong of [undefined, null, 'ls', []])
      expect(() =>
        shellProperties({ sessionType: 'InteractiveCommands', properties: wrong }, 'linux'),
      ).toThrow(expect.objectContaining({ code: 'ERR_AGENT_START' }));
  });

  test.each([true, 'true', 'True', 'TRUE', 't', 'T', '1'])('%j separates the streams', (value) => {
    expect(read({ commands: 'a', separateOutputStream: value }).separateOutputStream).toBe(true);
  });

  test.each([false, 'false', 'F', '0', '', null, undefined])('%j does not', (value) => {
    expect(read({ commands: 'a', separateOutputStream: value }).separateOutputStream).toBe(false);
  });

  test.each(['yes', 1, 'tRue', {}])('%j is no answer', (value) => {
    expect(() => read({ commands: 'a', separateOutputStream: value })).toThrow('separateOutputStream');
  });

  test('takes a prefix of up to 30 of the characters allowed', () => {
    const prefix = 'aZ09_:-\r\n'.padEnd(30, 'x');
    expect(read({ commands: 'a', stdErrSeparatorPrefix: prefix }).stdErrSeparatorPrefix).toBe(prefix);
  });

  test.each(['x'.repeat(31), 'a b', 'é', 'a\0', 7])('refuses the prefix %j', (value) => {
    expect(() => read({ commands: 'a', stdOutSeparatorPrefix: value })).toThrow('stdOutSeparatorPrefix');
    expect(() => read({ commands: 'a', stdErrSeparatorPrefix: value })).toThrow('stdErrSeparatorPrefix');
  });

  test('takes runAsElevated as a boolean only, as AWS’s agent does', () => {
    expect(read({ commands: 'a', runAsElevated: true }).runAsElevated).toBe(true);
    expect(() => read({ commands: 'a', runAsElevated: 'true' })).toThrow('runAsElevated');
  });
});
