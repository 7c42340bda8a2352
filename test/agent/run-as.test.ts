import { RunAsError } from 'hawser/agent';
import { describe, expect, test } from 'vitest';
import { runAs } from '../../src/agent/run-as.ts';

const read = (inputs: object, runAsUser = '') => runAs({ inputs: { ...inputs }, runAsUser });

describe('runAs', () => {
  test.each([true, 'true', 'True', 'TRUE', 't', 'T', '1'])('%j asks for another user', (runAsEnabled) => {
    expect(read({ runAsEnabled, runAsDefaultUser: 'jane' })).toEqual({ enabled: true, user: 'jane' });
  });

  test.each([false, 'false', 'F', '0', '', null, undefined])('%j does not', (runAsEnabled) => {
    expect(read({ runAsEnabled, runAsDefaultUser: 'jane' }).enabled).toBe(false);
  });

  test.each(['yes', 1, 'tRue', {}])('%j is no answer', (runAsEnabled) => {
    expect(() => read({ runAsEnabled })).toThrow(
      expect.objectContaining({ code: 'ERR_AGENT_START', message: expect.stringContaining('runAsEnabled') }),
    );
  });

  test('the caller’s tag wins, unless it is blank', () => {
    expect(read({ runAsDefaultUser: 'jane' }, 'tagged').user).toBe('tagged');
    expect(read({ runAsDefaultUser: ' jane ' }, ' ').user).toBe('jane');
    expect(read({}).user).toBe('');
  });

  test('the user must be text', () => {
    expect(() => read({ runAsEnabled: true, runAsDefaultUser: ['root'] })).toThrow(
      expect.objectContaining({ code: 'ERR_AGENT_START' }),
    );
  });
});

test('RunAsError tells the client what AWS’s agent tells, and the agent one line', () => {
  const error = new RunAsError('please set the RunAs default user');
  expect(error).toMatchObject({
    code: 'ERR_AGENT_RUN_AS',
    message: 'Unable to start command: please set the RunAs default user',
    output: '\n----------ERROR-------\nUnable to start command: please set the RunAs default user\n',
  });
});
