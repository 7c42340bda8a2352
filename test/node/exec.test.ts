import { expect, test } from 'vitest';
import { commandNode, INSTANCE_ID, isAlive } from './world.ts';

async function run() {
  const { client, agent } = await commandNode();
  return { client, agent, exec: client.exec.bind(client, INSTANCE_ID) };
}

test('exec runs what a shell runs, with stdout, stderr and the exit status', async () => {
  const { exec } = await run();
  expect(await exec('echo $((6*7)) | tr 2 3; echo "it\'s bad" >&2; exit 7')).toMatchObject({
    stdout: '43\n',
    stderr: "it's bad\n",
    exitCode: 7,
  });
});

test('exec gives a program its arguments as they are, line ends and tokens included', async () => {
  const { exec } = await run();
  const args = [
    'a b',
    '',
    "it's",
    '$HOME',
    '*',
    '#',
    'two\nlines\r\n',
    '{{ command }}',
    '{{ssm:x}}',
    '$$',
    '\\',
    'é',
  ];
  const { stdout } = await exec(['printf', '<%s>', ...args]);
  expect(stdout).toBe(args.map((arg) => `<${arg}>`).join(''));
});

test('exec runs a script of several lines', async () => {
  const { exec } = await run();
  const script = 'for i in 1 2; do\n  printf "%s;" "$i" # note\ndone\ncat <<\\END\n$x \\\nEND\n';
  expect(await exec(script)).toMatchObject({ stdout: '1;2;$x \\\n', stderr: '', exitCode: 0 });
});

test('a marker tells the exit status without the agent, whatever the command does', async () => {
  const { exec } = await run();
  const marked = (command: string | string[]) => exec(command, { exitCode: 'marker' });
  expect(await marked('echo out; exit 3')).toMatchObject({ stdout: 'out\n', exitCode: 3 });
  expect(await marked('printf "no line end" # note')).toMatchObject({ stdout: 'no line end', exitCode: 0 });
  expect(await marked('if')).toMatchObject({ stdout: '', exitCode: 2 });
  expect(await marked('kill -TERM $$')).toMatchObject({ exitCode: 143 });
  expect(await marked('no-such-program')).toMatchObject({ exitCode: 127 });
  expect(await marked(['printf', '%s', 'a;b'])).toMatchObject({ stdout: 'a;b', exitCode: 0 });
});

test('a marker works in a terminal as well', async () => {
  const { exec } = await run();
  const documentName = 'AWS-StartInteractiveCommand';
  expect(
    await exec('tty >/dev/null && echo yes; exit 9', { exitCode: 'marker', documentName }),
  ).toMatchObject({
    stdout: 'yes\r\n',
    exitCode: 9,
  });
});

test.each(['agent', 'marker'] as const)(
  'interrupt ends the command: exit status by the %s',
  async (exitCode) => {
    const { exec } = await run();
    const sleeping = exec('echo started; exec sleep 1000', { exitCode });
    const reader = sleeping.stdout.getReader();
    await reader.read();
    sleeping.interrupt();
    expect((await reader.read()).done).toBe(true);
    expect((await sleeping).exitCode).toBe(130);
  },
);

test('an aborted command is gone from the node', async () => {
  const { exec, agent } = await run();
  const controller = new AbortController();
  const sleeping = exec('echo $$; sleep 1000', { signal: controller.signal });
  const { value } = await sleeping.stdout.getReader().read();
  const pid = Number(new TextDecoder().decode(value));
  expect(isAlive(pid)).toBe(true);
  const ended = new Promise((resolve) => agent.once('sessionEnded', resolve));
  controller.abort(new Error('enough'));
  await expect(Promise.resolve(sleeping)).rejects.toThrow('enough');
  await ended;
  expect(isAlive(pid)).toBe(false);
});

test('output of many megabytes comes whole, before the exit status', async () => {
  const { exec } = await run();
  const { stdoutBytes, exitCode } = await exec('head -c 8000000 /dev/zero; exit 4');
  expect(stdoutBytes.length).toBe(8_000_000);
  expect(exitCode).toBe(4);
});

test('an endless command is stopped by a reader that stops, and ended by one that cannot keep it all', async () => {
  const { exec } = await run();
  await expect(Promise.resolve(exec('yes', { maxBuffer: 100_000 }))).rejects.toMatchObject({
    code: 'ERR_EXEC_MAX_BUFFER',
  });
});

test('commands run side by side', async () => {
  const { exec } = await run();
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => exec(`echo ${i}; exit ${i}`)));
  expect(results.map(({ stdout, exitCode }) => [stdout, exitCode])).toEqual(
    results.map((_, i) => [`${i}\n`, i]),
  );
});
