/** Rows A to E of the feature list that take a real shell. */
import { expect, test } from 'vitest';
import { commandNode, INSTANCE_ID } from './world.ts';

test.each([
  ['one command', 'echo one; echo bad >&2', 'one\n', 'bad\n', 0],
  ['a sequence', ['sh', '-c', 'echo a && echo b && exit 4'], 'a\nb\n', '', 4],
  ['a sequence that stops', ['sh', '-c', 'echo a && false && echo b'], 'a\n', '', 1],
])(
  'B3b: %s runs, its stdout and stderr come apart, and its exit status',
  async (_, command, stdout, stderr, exitCode) => {
    const { client } = await commandNode();
    expect(await client.exec(INSTANCE_ID, command)).toMatchObject({ stdout, stderr, exitCode });
  },
);

test('B3b: an interactive command has a terminal, in which both are one', async () => {
  const { client } = await commandNode();
  const documentName = 'AWS-StartInteractiveCommand';
  const ran = await client.exec(INSTANCE_ID, 'tty >/dev/null && echo a && echo b >&2', {
    documentName,
    exitCode: 'marker',
  });
  expect(ran).toMatchObject({ stdout: 'a\r\nb\r\n', stderr: '', exitCode: 0 });
});
