import { randomFillSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interactiveCommands, nonInteractiveCommands } from 'hawser/node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { forwardOutput } from '../../src/node/forward.ts';
import { Collector, DOCUMENT_NAME, INSTANCE_ID, isAlive, world } from './world.ts';

/** The same for each platform that can run it. Texts are values of parameters, which only the agent gets to see. */
function document(sessionType: string, part: object) {
  const texts = Object.entries(part).filter(([, value]) => typeof value === 'string');
  const tokens = Object.fromEntries(texts.map(([key]) => [key, `{{ ${key} }}`]));
  const parameters = Object.fromEntries(
    texts.map(([key, value]) => [key, { type: 'String', default: value } as const]),
  );
  const shell = { ...part, ...tokens };
  return { sessionType, parameters, properties: { linux: shell, macos: shell } };
}

async function nonInteractive(part: object, inputs = {}) {
  const handler = nonInteractiveCommands({ env: { HAWSER_TEST: 'yes' } });
  const { session, agent } = await world(handler, inputs, document('NonInteractiveCommands', part));
  const stdout = new Collector();
  const stderr = new Collector();
  const done = Promise.all([
    session.ended,
    forwardOutput(session.stdout, stdout),
    forwardOutput(session.stderr, stderr),
  ]);
  return { session, agent, stdout, stderr, ended: done.then(([end]) => end) };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'hawser-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

const APART = { separateOutputStream: true };

describe('nonInteractiveCommands', () => {
  test('runs a program with its words and no shell', async () => {
    const { stdout, ended } = await nonInteractive({
      commands: `printf '<%s>' a 'b  c' ';' $HOME '*'`,
      ...APART,
    });
    expect(await ended).toMatchObject({ reason: 'CommandExited', exitCode: 0 });
    expect(stdout.text).toBe('<a><b  c><;><$HOME><*>');
  });

  test('keeps stdout and stderr apart, with prefixes, and tells the exit status', async () => {
    const { stdout, stderr, ended } = await nonInteractive({
      commands: `sh -c 'echo out; echo err >&2; exit 7'`,
      ...{
        separateOutputStream: 'true',
        stdOutSeparatorPrefix: 'STD_OUT:',
        stdErrSeparatorPrefix: 'STD_ERR:',
      },
    });
    expect(await ended).toMatchObject({ reason: 'CommandExited', exitCode: 7 });
    expect(stdout.text).toBe('STD_OUT:out\n');
    expect(stderr.text).toBe('STD_ERR:err\n');
  });

  test('merges them in the order in which they were written', async () => {
    const script = 'i=0; while [ $i -lt 600 ]; do echo $i; i=$((i+1)); echo $i >&2; i=$((i+1)); done; exit 3';
    const { stdout, stderr, ended } = await nonInteractive({ commands: `sh -c '${script}'` });
    expect(await ended).toMatchObject({ reason: 'CommandExited', exitCode: 3 });
    expect(stdout.text).toBe(`${Array.from({ length: 600 }, (_, i) => i).join('\n')}\n`);
    expect(stderr.text).toBe('');
  });

  test('sends merged output as it comes', async () => {
    const { session, stdout, ended } = await nonInteractive({
      commands: `sh -c 'echo first; exec sleep 1000'`,
    });
    await stdout.until('first\n');
    session.interrupt();
    expect(await ended).toMatchObject({ exitCode: 130 });
  });

  test('has no input: what reads finds its end', async () => {
    const { ended } = await nonInteractive({ commands: `sh -c 'cat; echo $?'`, ...APART });
    expect(await ended).toMatchObject({ exitCode: 0 });
  });

  test('passes millions of bytes of any value on both streams, to the last one', async () => {
    const bytes = randomFillSync(Buffer.alloc(3_000_001));
    const file = join(folder(), 'bytes');
    writeFileSync(file, bytes);
    const { stdout, stderr, ended } = await nonInteractive({
      commands: `sh -c 'cat "$1" & cat "$1" >&2; wait' sh ${file}`,
      ...APART,
    });
    expect(await ended).toMatchObject({ exitCode: 0 });
    expect(stdout.bytes.equals(bytes)).toBe(true);
    expect(stderr.bytes.equals(bytes)).toBe(true);
  });

  test.each([
    ['interrupts with Ctrl-C', 0x03, 'INT', 130],
    ['quits with Ctrl-\\', 0x1c, 'QUIT', 131],
  ])('%s the command and what it runs', async (_, byte, name, exitCode) => {
    // A shell reports the signal of its child; its own status is that of the signal, too.
    const script = `sleep 1000 & trap "kill \\$!; echo caught ${name}; trap - ${name}; kill -${name} \\$\\$" ${name}; echo started; wait`;
    const { session, stdout, ended } = await nonInteractive({
      commands: `sh -c '${script.replaceAll('\\$', '$')}'`,
      ...APART,
    });
    await stdout.until('started\n');
    const writer = session.stdin.getWriter();
    await writer.write(Uint8Array.of(0x20, 0x0d, byte));
    expect(await ended).toMatchObject({ exitCode });
    expect(stdout.text).toBe(`started\ncaught ${name}\n`);
  });

  test('interrupts every process of a pipe', async () => {
    const { session, stdout, ended } = await nonInteractive({
      commands: `sh -c 'echo started; sleep 1000 | sleep 1001; echo after'`,
      ...APART,
    });
    await stdout.until('started\n');
    session.interrupt();
    expect(await ended).toMatchObject({ exitCode: 130 });
  });

  test('says what a shell says of a program that does not exist, or cannot be executed', async () => {
    const data = join(folder(), 'data');
    writeFileSync(data, 'no program', { mode: 0o644 });
    const script = join(folder(), 'script');
    writeFileSync(script, '#!/no/such/interpreter\n', { mode: 0o755 });

    for (const separateOutputStream of [true, false]) {
      const missing = await nonInteractive({ commands: 'no-such-program -x', separateOutputStream });
      expect(await missing.ended).toMatchObject({ reason: 'CommandExited', exitCode: 127 });
      expect(missing.stderr.text + missing.stdout.text).toBe('no-such-program: command not found\n');

      const denied = await nonInteractive({ commands: data, separateOutputStream });
      expect(await denied.ended).toMatchObject({ exitCode: 126 });
      expect(denied.stderr.text + denied.stdout.text).toBe(`${data}: permission denied\n`);
    }
    const broken = await nonInteractive({ commands: script, ...APART });
    expect(await broken.ended).toMatchObject({ exitCode: 126 });
    expect(broken.stderr.text).toBe(`${script}: cannot be executed\n`);
  });

  test('the environment is this process’s own and a terminal’s, with what is given on top', async () => {
    const { stdout, ended } = await nonInteractive({ commands: `sh -c 'echo $HAWSER_TEST $TERM "$PATH"'` });
    await ended;
    expect(stdout.text).toBe(`yes xterm-256color ${process.env.PATH}\n`);
  });

  test('leaves no process when the session is terminated', async () => {
    const { session, agent, stdout } = await nonInteractive({
      commands: `sh -c 'trap "" HUP INT; sleep 1000 & sleep 1001 & echo $! $$; wait'`,
      ...APART,
    });
    const pids = (await stdout.until('\n')).trim().split(' ').map(Number);
    expect(pids.filter(isAlive)).toHaveLength(2);
    const ended = new Promise((resolve) => agent.once('sessionEnded', resolve));
    await session.terminate();
    await ended;
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('a client that does not read stops the command, and loses nothing', async () => {
    const done = join(folder(), 'done');
    const commands = `sh -c 'seq 1 1000000; echo >> "$1"' sh ${done}`;
    const content = document('NonInteractiveCommands', { commands, ...APART });
    const { session, client } = await world(nonInteractiveCommands(), {}, content);
    const start = { target: INSTANCE_ID, documentName: DOCUMENT_NAME };
    const first = session.stdout.getReader();
    const { value } = await first.read();
    first.releaseLock();

    const other = await client.startSession(start);
    await forwardOutput(other.stdout, new Collector());
    await other.ended;
    expect(readFileSync(done, 'utf8')).toBe('\n'); // the other's: it had the same to do, and less time for it

    const rest = new Collector();
    await forwardOutput(session.stdout, rest);
    const text = Buffer.concat([value!, rest.bytes]).toString();
    expect(text).toBe(`${Array.from({ length: 1_000_000 }, (_, i) => i + 1).join('\n')}\n`);
    expect(await session.ended).toMatchObject({ exitCode: 0 });
    expect(readFileSync(done, 'utf8')).toBe('\n\n');
  });

  test.each([
    [{ commands: '' }, 'Commands cannot be empty for session type NonInteractiveCommands'],
    [{ commands: `echo 'a` }, "The command cannot be split into words: a ' is not closed."],
    [{ commands: 'true', stdOutSeparatorPrefix: '$(x)' }, 'stdOutSeparatorPrefix'],
  ])('refuses %j with a clear word, and runs nothing', async (part, message) => {
    const { ended } = await nonInteractive(part);
    expect(await ended).toMatchObject({ reason: 'AgentFailure', message: expect.stringContaining(message) });
  });
});

describe('interactiveCommands', () => {
  async function interactive(commands: string, options = {}) {
    const content = document('InteractiveCommands', { commands });
    const { session, agent } = await world(interactiveCommands(), {}, content, options);
    const screen = new Collector();
    const shown = forwardOutput(session.stdout, screen);
    const writer = session.stdin.getWriter();
    const type = (text: string) => writer.write(new TextEncoder().encode(text));
    return { session, agent, screen, type, ended: shown.then(() => session.ended) };
  }

  test('runs what sh runs, in a terminal, with its exit status', async () => {
    const { screen, ended } = await interactive('tty | sed s/[0-9]*$//; echo $((6*7)) $TERM; exit 5');
    expect(await ended).toMatchObject({ reason: 'CommandExited', exitCode: 5 });
    expect(screen.text).toBe('/dev/pts/\r\n42 xterm-256color\r\n');
  });

  test('a command that waits for input without a word gets it', async () => {
    const { screen, type, ended } = await interactive('read name; echo hi $name');
    await type('bob\n');
    expect(await ended).toMatchObject({ exitCode: 0 });
    expect(screen.text).toBe('bob\r\nhi bob\r\n');
  });

  test('control characters act as in a terminal', async () => {
    const { screen, type, ended } = await interactive(
      // One process in the foreground: an interrupt between two would meet the shell alone.
      `trap 'echo caught' INT; sh -c 'echo started; exec sleep 1000'; cat; echo over`,
    );
    await screen.until('started\r\n');
    await type('\x03');
    await screen.until('caught\r\n');
    await type('line\x04\x04');
    expect(await ended).toMatchObject({ exitCode: 0 });
    expect(screen.text).toContain('over\r\n');
  });

  test('follows the size of the client', async () => {
    const { session, screen, ended } = await interactive(
      `until [ "$(stty size)" = "33 91" ]; do :; done; echo right`,
      { size: { cols: 120, rows: 40 } },
    );
    session.resize({ cols: 91, rows: 33 });
    await screen.until('right\r\n');
    expect(await ended).toMatchObject({ exitCode: 0 });
  });

  test('leaves no process when the session is terminated', async () => {
    const { session, agent, screen } = await interactive('sleep 1000 & sleep 1001 & echo $! $$; wait');
    const pids = (await screen.until('\n')).trim().split(' ').map(Number);
    expect(pids.filter(isAlive)).toHaveLength(2);
    const ended = new Promise((resolve) => agent.once('sessionEnded', resolve));
    await session.terminate();
    await ended;
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('refuses an empty command', async () => {
    const empty = await interactive('');
    expect(await empty.ended).toMatchObject({
      reason: 'AgentFailure',
      message: 'Commands cannot be empty for session type InteractiveCommands',
    });
  });
});
