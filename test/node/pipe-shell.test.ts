import { randomFillSync } from 'node:crypto';
import { PassThrough, Writable } from 'node:stream';
import { attachPipes, pipeShell } from 'hawser/node';
import { expect, test } from 'vitest';
import { Collector, isAlive, world } from './world.ts';

async function piped(options = {}) {
  const { session, agent } = await world(pipeShell(options));
  const stdin = new PassThrough();
  const stdout = new Collector();
  const stderr = new Collector();
  const ended = attachPipes(session, { stdin, stdout, stderr });
  return { session, agent, stdin, stdout, stderr, ended };
}

test('stdout is what the shell prints, stderr apart, and the exit status is the shell’s', async () => {
  const { stdin, stdout, stderr, ended } = await piped();
  stdin.write('echo $((6*7)); echo oops >&2; exit 3\n');
  expect(await ended).toMatchObject({ reason: 'CommandExited', exitCode: 3 });
  expect(stdout.text).toBe('42\n');
  expect(stderr.text).toBe('oops\n');
});

test('an stderr that nobody reads any more does not end the session', async () => {
  const { session } = await world(pipeShell());
  const stdin = new PassThrough();
  const stdout = new Collector();
  const stderr = new Writable({ write: (_, __, done) => done(new Error('EPIPE')) });
  const ended = attachPipes(session, { stdin, stdout, stderr });
  stdin.write('for i in 1 2 3; do echo oops >&2; done; echo done; exit 3\n');
  expect(await ended).toMatchObject({ reason: 'CommandExited', exitCode: 3 });
  expect(stdout.text).toBe('done\n');
});

test('the end of input ends the shell, with the status of the last command', async () => {
  const { stdin, stdout, ended } = await piped({ shell: 'sh' });
  stdin.end('echo no line end; false');
  expect(await ended).toMatchObject({ exitCode: 1 });
  expect(stdout.text).toBe('no line end\n');
});

test('millions of bytes of any value go through, in both directions, to the last one', async () => {
  const { stdin, stdout, ended } = await piped();
  const bytes = randomFillSync(Buffer.alloc(3_000_001));
  bytes.fill(0x04, 1_000_000, 1_010_000);
  bytes.fill(0x16, 2_000_000, 2_010_000);
  bytes[bytes.length - 1] = 0x04;
  stdin.write('exec cat\n');
  stdin.end(bytes);
  expect(await ended).toMatchObject({ exitCode: 0 });
  expect(stdout.bytes.equals(bytes)).toBe(true);
});

test('a shell that reads no more does not get in the way of the end', async () => {
  const { stdin, ended } = await piped();
  stdin.write('exit 4\n');
  stdin.end(Buffer.alloc(3_000_000, 'x\n'));
  expect(await ended).toMatchObject({ exitCode: 4 });
});

test('what runs on in the background is waited for, as long as it holds the output', async () => {
  const { stdin, stdout, ended } = await piped();
  stdin.end('(sleep 0.1; echo late) &\nexit 2\n');
  expect(await ended).toMatchObject({ exitCode: 2 });
  expect(stdout.text).toBe('late\n');
});

test('a killed shell has the status of its signal', async () => {
  const { stdin, ended } = await piped();
  stdin.write('kill -TERM $$\n');
  expect(await ended).toMatchObject({ exitCode: 143 });
});

test('everything started from it ends when the session is terminated', async () => {
  const { session, agent, stdin, stdout } = await piped();
  stdin.write('trap "" HUP; sleep 1000 & sleep 1001 & echo $! $$; sleep 1002\n');
  const pids = (await stdout.until('\n')).trim().split(' ').map(Number);
  expect(pids.filter(isAlive)).toHaveLength(2);
  const ended = new Promise((resolve) => agent.once('sessionEnded', resolve));
  await session.terminate();
  await ended;
  expect(pids.filter(isAlive)).toEqual([]);
});

test('a shell that does not exist is a failure with a reason', async () => {
  const { ended } = await piped({ shell: '/nonexistent/shell' });
  expect(await ended).toMatchObject({
    reason: 'AgentFailure',
    message: 'The shell cannot be started: there is no program /nonexistent/shell.',
  });
});

test('the environment is this process’s own, with what is given on top', async () => {
  const { stdin, stdout, ended } = await piped({ env: { COLOUR: 'red', HOME: undefined }, cwd: '/' });
  stdin.end('echo "$COLOUR $(pwd) [$HOME] $LANG" "$PATH"\n');
  await ended;
  expect(stdout.text).toBe(`red / [] ${process.env.LANG ?? 'C.UTF-8'} ${process.env.PATH}\n`);
});
