import { describe, expect, test } from 'vitest';
import { AWS_DOCUMENTS, DEFAULT_DOCUMENT } from '../../src/core/documents/aws-documents.ts';
import { documentTimers, withPreferences } from '../../src/core/documents/preferences.ts';
import { substitute } from '../../src/core/documents/substitute.ts';
import type { SessionDocument } from '../../src/core/index.ts';

const SHELL: SessionDocument = { schemaVersion: '1.0', sessionType: 'Standard_Stream' };

describe('the preferences that hold', () => {
  const account = { ...SHELL, inputs: { kmsKeyId: 'alias/account' } };

  test('are the document’s own if it has any, whole', () => {
    const own = { ...SHELL, inputs: { runAsEnabled: true } };
    expect(withPreferences(own, account).inputs).toEqual({ runAsEnabled: true });
  });

  test.each([[SHELL], [{ ...SHELL, inputs: {} }]])('or else those of the account', (document) => {
    expect(withPreferences(document, account)).toEqual(account);
  });

  test('or else the defaults', () => {
    const { inputs } = AWS_DOCUMENTS[DEFAULT_DOCUMENT]!;
    expect(withPreferences(SHELL, undefined).inputs).toEqual(inputs);
    expect(withPreferences(SHELL, SHELL).inputs).toEqual(inputs);
  });

  test('and no token of the account’s meets the parameters of another document', () => {
    const parameters = { team: { type: 'String' }, key: { type: 'String', default: 'k' } } as const;
    const tokens = { s3KeyPrefix: 'logs/{{ team }}', kmsKeyId: '{{ key }}', runAsDefaultUser: '{{ team }}' };
    const document = { ...SHELL, parameters: { team: { type: 'String' } } } as const;
    expect(withPreferences(document, { ...SHELL, parameters, inputs: tokens }).inputs).toEqual({
      s3KeyPrefix: 'logs/',
      kmsKeyId: 'k',
      runAsDefaultUser: '',
    });
  });
});

describe('the timers of a session', () => {
  test('come from the inputs, with the values given or the defaults', () => {
    const parameters = { idle: { type: 'Integer', default: '5' } } as const;
    const document = {
      ...SHELL,
      parameters,
      inputs: { idleSessionTimeout: '{{ idle }}', maxSessionDuration: 60 },
    };
    expect(documentTimers(document, {})).toEqual({ idleTimeout: 300_000, maxDuration: 3_600_000 });
    expect(documentTimers(document, { idle: '1' })).toEqual({ idleTimeout: 60_000, maxDuration: 3_600_000 });
    expect(documentTimers(document, { idle: '' })).toEqual({ maxDuration: 3_600_000 });
    for (const idle of ['0', '61', 'x', '5 ', '1e1', ['5']]) {
      expect(() => documentTimers(document, { idle })).toThrow(
        'The parameters make idleSessionTimeout something other than 1 to 60 minutes.',
      );
    }
  });

  test('are open where the document says nothing', () => {
    expect(documentTimers(SHELL, {})).toEqual({});
    expect(documentTimers(AWS_DOCUMENTS[DEFAULT_DOCUMENT]!, {})).toEqual({});
  });
});

describe('substitution is bounded', () => {
  const tooLarge = expect.objectContaining({ code: 'ERR_DOCUMENT_SIZE' });

  test('in depth', () => {
    const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`);
    expect(() => substitute(deep, new Map())).toThrow(tooLarge);
  });

  test('in what values add that take the place of a whole text', () => {
    const many = Array.from({ length: 40 }, () => '{{ long }}');
    expect(() => substitute(many, new Map([['long', 'x'.repeat(60_000)]]))).toThrow(
      expect.objectContaining({ code: 'ERR_DOCUMENT_SIZE' }),
    );
  });

  test('in what values add', () => {
    const values = new Map([['a', 'x'.repeat(60_000)]]);
    expect(() => substitute([' {{ a }}'.repeat(20)], values)).toThrow(tooLarge);
    expect(() => substitute(Array(20).fill(' {{ a }}'), values)).toThrow(tooLarge);
  });
});
