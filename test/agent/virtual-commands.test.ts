import { type VirtualCommands, virtualCommands } from 'hawser/agent';
import { describe, expect, test } from 'vitest';
import { connectedWorld, Screen } from './world.ts';

const commands: VirtualCommands = {
  uname: 'Linux\n',
  args: async (args, io) => {
    await io.write(`${JSON.stringify(args)}\n`);
    return args.length;
  },
  both: async (_, io) => {
    await io.write('one\ntwo');
    await io.writeStderr('bad\n');
    await io.write('\n');
    await io.write('three\n');
    await io.writeStderr('worse\n');
    return 7;
  },
  ask: async (_, io) => {
    await io.write(`hi ${await io.readLine()}\n`);
  },
  bytes: (_, io) => io.write(Uint8Array.of(0, 10, 255)),
  fail: () => {
    throw new Error('no luck');
  },
  hang: async (_, io) => {
    await io.write('started\n');
    await new Promise((_, reject) => io.signal.addEventListener('abort', () => reject(io.signal.reason)));
  },
};

/** What no service would take in the document itself. */
const parameters = { blank: { type: 'String', default: ' ' } } as const;

async function start(sessionType: string, linux: object) {
  const run = virtualCommands({ commands });
  const world = await connectedWorld({
    handlers: { InteractiveCommands: run, NonInteractiveCommands: run },
    documents: { Command: { schemaVersion: '1.0', sessionType, parameters, properties: { linux } } },
  });
  const session = await world.start({ documentName: 'Command' });
  return { ...world, session };
}

/** Runs a command without a terminal to its end. */
async function run(linux: object) {
  const { clock, session } = await start('NonInteractiveCommands', linux);
  const text = (stream: ReadableStream<Uint8Array>) =>
    new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  const [stdout, stderr, end] = await clock.runUntil(
    Promise.all([text(session.stdout), text(session.stderr), session.ended]),
  );
  return { stdout, stderr, end };
}

describe('virtualCommands, non-interactive', () => {
  test('keeps the streams apart with the prefixes of the document, and tells the exit status', async () => {
    const { stdout, stderr, end } = await run({
      commands: 'both',
      separateOutputStream: 'true',
      stdOutSeparatorPrefix: 'OUT:',
      stdErrSeparatorPrefix: 'ERR:',
    });
    expect(stdout).toBe('OUT:one\ntwo\nOUT:three\n');
    expect(stderr).toBe('ERR:bad\nERR:worse\n');
    expect(end).toMatchObject({ reason: 'CommandExited', exitCode: 7 });
  });

  test('merges them in order without, and tells the exit status even so', async () => {
    const { stdout, stderr, end } = await run({ commands: 'both', stdOutSeparatorPrefix: 'OUT:' });
    expect(stdout).toBe('one\ntwobad\n\nthree\nworse\n');
    expect(stderr).toBe('');
    expect(end).toMatchObject({ reason: 'CommandExited', exitCode: 7 });
  });

  test('gives the words of the command, and runs one command only', async () => {
    const { stdout, end } = await run({ commands: `args 'a b' ; uname "$x"` });
    expect(stdout).toBe('["a b",";","uname","$x"]\n');
    expect(end.exitCode).toBe(4);
  });

  test('passes bytes as they are, with no terminal to change line ends', async () => {
    const { clock, session } = await start('NonInteractiveCommands', { commands: 'bytes' });
    const { value } = await clock.runUntil(session.stdout.getReader().read());
    expect(value).toEqual(Uint8Array.of(0, 10, 255));
  });

  test('has no input', async () => {
    expect((await run({ commands: 'ask' })).stdout).toBe('hi undefined\n');
  });

  test('says on stderr what cannot be found, and what failed', async () => {
    const missing = await run({ commands: 'nope', separateOutputStream: true });
    expect(missing).toMatchObject({
      stdout: '',
      stderr: 'nope: command not found\n',
      end: { exitCode: 127 },
    });
    const failed = await run({ commands: 'fail', separateOutputStream: true });
    expect(failed).toMatchObject({ stderr: 'fail: no luck\n', end: { exitCode: 1 } });
  });

  test.each([
    [0x03, 130],
    [0x1c, 131],
  ])('byte %i interrupts with status %i; other input does nothing', async (byte, exitCode) => {
    const { clock, session } = await start('NonInteractiveCommands', { commands: 'hang' });
    const screen = new Screen(session, clock);
    await screen.see('started');
    await screen.type('hello\n', '');
    await clock.advance(1_000);
    expect(session.state).toBe('ready');
    await screen.type(Uint8Array.of(0x20, byte), '');
    expect(await screen.end()).toMatchObject({ exitCode });
  });

  test('fails with the words of AWS’s agent for an empty command, and before a handshake', async () => {
    const { end } = await run({ commands: '{{ blank }}' });
    expect(end).toMatchObject({
      reason: 'AgentFailure',
      message: 'Commands cannot be empty for session type NonInteractiveCommands',
    });
  });

  test('a comment alone does nothing', async () => {
    expect(await run({ commands: '# nothing' })).toMatchObject({ stdout: '', end: { exitCode: 0 } });
  });
});

describe('virtualCommands, interactive', () => {
  test('may ask without a word before: the client can type all the same', async () => {
    const { clock, session } = await start('InteractiveCommands', { commands: 'ask' });
    const screen = new Screen(session, clock);
    expect(await screen.type('Ada\r', 'Ada\r\nhi Ada\r\n')).toBe('Ada\r\nhi Ada\r\n');
    expect(await screen.end()).toMatchObject({ reason: 'CommandExited', exitCode: 0 });
  });

  test('is interrupted by Ctrl-C', async () => {
    const { clock, session } = await start('InteractiveCommands', { commands: 'hang' });
    const screen = new Screen(session, clock);
    await screen.see('started\r\n');
    await screen.type('\x03', '^C\r\n');
    expect(await screen.end()).toMatchObject({ exitCode: 130 });
  });

  test('does not show the client what the document keeps for the node', async () => {
    const { clock, session } = await start('InteractiveCommands', { commands: 'uname' });
    const ready = new Promise((resolve) => session.on('ready', resolve));
    expect(await clock.runUntil(ready)).toMatchObject({
      handshake: { sessionType: 'InteractiveCommands', properties: null },
    });
  });
});
