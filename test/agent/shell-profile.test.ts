import { expect, test } from 'vitest';
import { shellProfile } from '../../src/agent/shell-profile.ts';

const inputs = { shellProfile: { linux: 'exec /bin/bash\ncd /usr', windows: 'cd C:\\\r\ndate\nls' } };

test('the profile of Linux is typed with a line end, also on macOS', () => {
  expect(shellProfile(inputs, 'linux')).toBe('exec /bin/bash\ncd /usr\n');
  expect(shellProfile(inputs, 'macos')).toBe('exec /bin/bash\ncd /usr\n');
});

test('that of Windows goes line by line', () => {
  expect(shellProfile(inputs, 'windows')).toBe('cd C:\\\r\ndate\r\nls\r\n');
});

test.each([undefined, null, {}, { windows: 'x' }, { linux: '' }, { linux: ' \n' }, { linux: null }])(
  'nothing is typed for %j',
  (profile) => {
    expect(shellProfile(profile === undefined ? {} : { shellProfile: profile }, 'linux')).toBe('');
  },
);

test.each(['ls', { linux: ['ls'] }, { linux: 7 }])('%j is no profile', (profile) => {
  expect(() => shellProfile({ shellProfile: profile }, 'linux')).toThrow(
    expect.objectContaining({ code: 'ERR_AGENT_START' }),
  );
});
