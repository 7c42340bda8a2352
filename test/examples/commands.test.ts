import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { commandNode, INSTANCE_ID } from '../node/world.ts';
import { environmentOf, finished, run, start } from './run.ts';

async function environment() {
  const { server } = await commandNode();
  return environmentOf(server.url);
}

test('exec runs a command: its stdout, its stderr, its exit status', async () => {
  const env = await environment();
  const { stdout, stderr, code } = await run('exec.ts', {
    args: [INSTANCE_ID, 'echo $((6*7)) | cat;', 'echo oops >&2; exit 3'],
    env,
  });
  expect(stdout.toString()).toBe('42\n');
  expect(stderr).toBe('oops\n');
  expect(code).toBe(3);
});

test('exec passes Ctrl-C on', async () => {
  const env = await environment();
  const child = start('exec.ts', [INSTANCE_ID, 'echo started; exec sleep 1000'], env);
  await once(child.stdout!, 'data');
  const done = finished(child);
  child.kill('SIGINT');
  expect((await done).code).toBe(130);
});

test('exec answers 255 when it could not run the command', async () => {
  const env = await environment();
  const [usage, lost] = await Promise.all([
    run('exec.ts'),
    run('exec.ts', { args: ['mi-unknown', 'true'], env }),
  ]);
  expect(usage).toMatchObject({ code: 255, stderr: expect.stringContaining('usage') });
  expect(lost).toMatchObject({ code: 255, stderr: expect.stringContaining('mi-unknown is not connected') });
});

test('copy copies a file to the node and back', async () => {
  const env = await environment();
  const folder = mkdtempSync(join(tmpdir(), 'hawser-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [here, there, back] = ['here', 'there', 'back'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(here, 'some bytes');

  const up = await run('copy.ts', { args: [here, `${INSTANCE_ID}:${there}`], env });
  expect(up).toMatchObject({ code: 0, stderr: '10 bytes\n' });
  const down = await run('copy.ts', { args: [`${INSTANCE_ID}:${there}`, back], env });
  expect(down).toMatchObject({ code: 0, stderr: '10 bytes\n' });
  expect(readFileSync(back, 'utf8')).toBe('some bytes');
});

test('copy says what is wrong', async () => {
  const env = await environment();
  const [usage, lost] = await Promise.all([
    run('copy.ts', { args: ['a', 'b'] }),
    run('copy.ts', { args: [`${INSTANCE_ID}:/no/such/file`, '/tmp/hawser-never'], env }),
  ]);
  expect(usage).toMatchObject({ code: 2, stderr: expect.stringContaining('usage') });
  expect(lost).toMatchObject({ code: 2, stderr: expect.stringContaining('no such file') });
});
