import { PassThrough } from 'node:stream';
import { attachPipes, interactiveCommands, pipeShell, ptyShell, type ShellOptions } from 'hawser/node';
import { describe, expect, test } from 'vitest';
import { typedProfile } from '../../src/node/typed-profile.ts';
import { Collector, world } from './world.ts';

/** What a shell with this profile says until it has done `script` and ended. */
async function withProfile(linux: string, script: string, options: ShellOptions = {}) {
  const { session } = await world(ptyShell({ env: { PS1: '$ ', HOME: '/' }, ...options }), {
    shellProfile: { linux },
  });
  await session.stdin.getWriter().write(new TextEncoder().encode(`${script}; exit 3\n`));
  const output = await new Response(session.stdout as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  expect(await session.ended).toMatchObject({ exitCode: 3 });
  return output;
}

describe.each(['bash', 'sh'])('the shell profile, in %s', (shell) => {
  test('is typed before the user’s own keys, with an end of its last line', async () => {
    const shown = await withProfile('echo pro""file; cd /tmp', 'echo in $PWD', { shell });
    expect(shown).toContain('echo pro""file; cd /tmp\r\n'); // the echo of what is typed
    expect(shown).toMatch(/profile\r\n(?:.|\s)*in \/tmp\r\n/);
  });

  test('may have several lines, and become another shell', async () => {
    const shown = await withProfile('exec /bin/bash\ncd /usr', 'echo in $PWD $BASH_VERSION', { shell });
    expect(shown).toMatch(/in \/usr \d/);
  });

  test('may be long, in many lines', async () => {
    const pad = 'x'.repeat(200);
    const profile = Array.from({ length: 100 }, (_, i) => `n=$((n+${i})) # ${pad}`).join('\n');
    expect(await withProfile(profile, 'echo sum $n', { shell })).toContain('sum 4950\r\n');
  });

  test.each([4095, 4096, 60_000])('loses nothing of a line of %i bytes', async (bytes) => {
    const profile = `a=${'x'.repeat(bytes - 2)}\nb=$((b+1))`;
    const shown = await withProfile(profile, 'echo got $(printf %s $a | wc -c) $b', { shell });
    expect(shown).toContain(`got ${bytes - 2} 1\r\n`);
  });
});

test('a line that is too long for a variable is refused', () => {
  expect(() => typedProfile(`a\n${'é'.repeat(60_001)}\n`)).toThrow(
    expect.objectContaining({
      code: 'ERR_AGENT_START',
      message: expect.stringContaining('has 120002 bytes'),
    }),
  );
  expect(typedProfile('ls\npwd\n')).toEqual({ typed: new TextEncoder().encode('ls\npwd\n'), variables: {} });
});

test('a shell behind pipes reads the profile first', async () => {
  const { session } = await world(pipeShell({ shell: 'bash' }), {
    shellProfile: { linux: 'exec /bin/bash\ncd /usr\nset -e' },
  });
  const stdin = new PassThrough();
  const stdout = new Collector();
  const ended = attachPipes(session, { stdin, stdout, stderr: new Collector() });
  stdin.end('pwd\nfalse\necho not reached\n');
  expect(await ended).toMatchObject({ exitCode: 1 });
  expect(stdout.text).toBe('/usr\n');
});

test('commands have no profile', async () => {
  const { session } = await world(
    interactiveCommands(),
    { shellProfile: { linux: 'echo profile' } },
    { sessionType: 'InteractiveCommands', properties: { linux: { commands: 'echo command' } } },
  );
  const output = await new Response(session.stdout as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  expect(output).toBe('command\r\n');
});

test('a profile of the wrong shape is refused', async () => {
  const { session } = await world(
    (session) => ptyShell()(Object.create(session, { inputs: { value: { shellProfile: 'ls' } } })),
    {},
  );
  expect(await session.ended).toMatchObject({
    reason: 'AgentFailure',
    message: 'shellProfile of the session document must be an object.',
  });
});
