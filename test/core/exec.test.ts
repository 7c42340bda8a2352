import { describe, expect, test } from 'vitest';
import { fromUtf8 } from '../../src/base/encoding.ts';
import { PayloadType } from '../../src/channel/index.ts';
import { SessionClient } from '../../src/core/client.ts';
import type { ExecCommand, ExecOptions } from '../../src/core/exec.ts';
import { FarEnd } from './far-end.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
const MINUTE = 60_000;

/** A client whose far side is driven by hand, as AWS's agent would be. */
async function running(command: ExecCommand, options?: ExecOptions) {
  const far = new FarEnd();
  const client = new SessionClient({ region: 'eu-central-1', credentials, platform: far.platform });
  const execution = client.exec('i-1', command, options);
  await far.clock.advance(100);
  const { clock } = far;
  return { far, clock, execution, result: () => clock.runUntil(Promise.resolve(execution)) };
}

const started = ({ calls }: FarEnd) => calls.find(({ operation }) => operation === 'StartSession')!.input;
const ended = ({ calls }: FarEnd) => calls.some(({ operation }) => operation === 'TerminateSession');

describe('exec asks for', () => {
  test('a shell that runs the text, in the document for commands without a terminal', async () => {
    const { far } = await running(`echo "it's $HOME" | wc`);
    expect(started(far)).toEqual({
      Target: 'i-1',
      DocumentName: 'AWS-StartNonInteractiveCommand',
      Parameters: { command: [`sh -c 'echo "it'\\''s $HOME" | wc'`] },
    });
  });

  test('a program with its arguments', async () => {
    const { far } = await running(['ls', '-l', 'a b;c']);
    expect(started(far)).toMatchObject({ Parameters: { command: [`ls -l 'a b;c'`] } });
  });

  test('another document, with its parameters, and the text as it is', async () => {
    const { far } = await running('Get-Date', {
      documentName: 'My-Document',
      parameters: { colour: 'red' },
      reason: 'ticket 7',
      shell: false,
    });
    expect(started(far)).toEqual({
      Target: 'i-1',
      DocumentName: 'My-Document',
      Parameters: { colour: ['red'], command: ['Get-Date'] },
      Reason: 'ticket 7',
    });
  });

  test('nothing that cannot be run', async () => {
    const { execution: _, far } = await running('true');
    const client = new SessionClient({ region: 'eu-central-1', credentials, platform: far.platform });
    for (const [command, options] of [
      ['', {}],
      [[], {}],
      ['a\0b', {}],
      ['a', { shell: false, exitCode: 'marker' }],
    ] as [ExecCommand, ExecOptions][])
      expect(() => client.exec('i-1', command, options)).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_ARGUMENT' }),
      );
  });
});

describe('exec answers', () => {
  test('stdout, stderr and the exit status, which need not be 0', async () => {
    const { far, result } = await running('make');
    far.write('out\n');
    far.write('err\n', PayloadType.StdErr);
    far.command((channel) => channel.sendExitCode(3));
    await far.clock.advance(50);
    far.endSession({});
    expect(await result()).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exitCode: 3 });
  });

  test('the exit status that hawser’s agent tells when there is none in the channel', async () => {
    const { far, result } = await running('make');
    far.write('merged\n');
    await far.clock.advance(50);
    far.endSession({ exitCode: 4, endReason: 'CommandExited' });
    expect(await result()).toMatchObject({ stdout: 'merged\n', stderr: '', exitCode: 4 });
  });

  test('no exit status when nobody tells, as AWS’s agent without separateOutputStream', async () => {
    const { far, result } = await running('make');
    far.endSession({});
    expect((await result()).exitCode).toBeUndefined();
  });

  test('bytes of any value', async () => {
    const { far, result } = await running('cat image');
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    far.write(bytes);
    await far.clock.advance(50);
    far.endSession({});
    expect((await result()).stdoutBytes).toEqual(bytes);
  });

  test('as it goes, to whoever reads', async () => {
    const { far, clock, execution, result } = await running('tail -f log');
    const reader = execution.stdout.getReader();
    far.write('one');
    expect(fromUtf8((await clock.runUntil(reader.read())).value!)).toBe('one');
    far.write('two');
    expect(fromUtf8((await clock.runUntil(reader.read())).value!)).toBe('two');
    far.write('err', PayloadType.StdErr);
    far.endSession({ exitCode: 0 });
    expect(await clock.runUntil(reader.read())).toEqual({ done: true, value: undefined });
    expect(await result()).toMatchObject({ stdout: '', stderr: 'err', exitCode: 0 });
  });

  test('what came before the stream was taken as well', async () => {
    const { far, clock, execution } = await running('make');
    far.write('early ');
    await clock.advance(100);
    const text = new Response(execution.stdout as ReadableStream<Uint8Array<ArrayBuffer>>).text();
    far.write('late');
    await clock.advance(100);
    far.endSession({ exitCode: 0 });
    expect(await clock.runUntil(text)).toBe('early late');
  });

  test('the exit status also when a stream is read later, or never', async () => {
    const { far, clock, execution, result } = await running('make');
    const { stdout } = execution;
    far.write('later');
    far.endSession({ exitCode: 5 });
    expect((await result()).exitCode).toBe(5);
    const { value } = await clock.runUntil(stdout.getReader().read());
    expect(fromUtf8(value!)).toBe('later');
  });

  test('a reader that pauses stops the node, and one that cancels does not', async () => {
    const { far, clock, execution, result } = await running('yes', { receiveBuffer: 10_000 });
    const { stdout } = execution;
    const line = new Uint8Array(1_000_000);
    let total = 0;
    for (let taken = 1; taken > 0; total += taken) {
      taken = far.write(line);
      await clock.advance(MINUTE);
    }
    expect(total).toBeGreaterThan(10_000);
    expect(total).toBeLessThan(3_000_000); // what the windows and queues between hold
    await clock.runUntil(stdout.cancel());
    await clock.advance(MINUTE);
    expect(far.channel.acknowledged).toBe(true);
    far.endSession({ exitCode: 0 });
    expect((await result()).exitCode).toBe(0);
  });
});

describe('exec with an exit marker', () => {
  test('wraps the command, and takes the marker out, cut over messages', async () => {
    const { far, result } = await running('make; exit 3', { exitCode: 'marker' });
    const [line] = (started(far).Parameters as { command: string[] }).command;
    const [, id] = /hawser-exit ([0-9a-f]{32}) /.exec(line!)!;
    far.write('done');
    for (const character of `hawser-exit-${id}:3;`) {
      far.write(character);
      await far.clock.advance(10);
    }
    far.endSession({});
    expect(await result()).toMatchObject({ stdout: 'done', exitCode: 3 });
  });

  test('does not take an end without it for the command’s', async () => {
    const { far, result } = await running('make', { exitCode: 'marker' });
    far.write('part');
    await far.clock.advance(50);
    far.endSession({});
    await expect(result()).rejects.toMatchObject({ name: 'ExecError', code: 'ERR_EXEC_NO_EXIT_CODE' });
  });
});

describe('exec fails', () => {
  test('when the command prints more than it may keep, and ends it', async () => {
    const { far, result } = await running('yes', { maxBuffer: 100 });
    far.write('x'.repeat(100));
    await far.clock.advance(100);
    expect(ended(far)).toBe(false);
    far.write('x');
    await expect(result()).rejects.toMatchObject({ code: 'ERR_EXEC_MAX_BUFFER' });
    expect(ended(far)).toBe(true);
  });

  test('when time is over, and ends the command', async () => {
    const { far, result } = await running('sleep 100', { timeout: 2_000 });
    await far.clock.advance(1_800);
    expect(ended(far)).toBe(false);
    await far.clock.advance(200);
    await expect(result()).rejects.toMatchObject({
      code: 'ERR_EXEC_TIMEOUT',
      message: 'The command had not ended after 2000 ms, and was terminated.',
    });
    expect(ended(far)).toBe(true);
  });

  test('with the reason of its signal, and ends the command', async () => {
    const controller = new AbortController();
    const { far, result } = await running('sleep 100', { signal: controller.signal });
    controller.abort(new Error('changed my mind'));
    await expect(result()).rejects.toThrow('changed my mind');
    expect(ended(far)).toBe(true);
  });

  test('at once with a signal that has fired', async () => {
    const { far, result } = await running('true', { signal: AbortSignal.abort(new Error('no')) });
    await expect(result()).rejects.toThrow('no');
    expect(far.calls.filter(({ operation }) => operation === 'StartSession')).toEqual([]);
  });

  test.each([
    ['IdleTimeout', 'ERR_EXEC_SESSION', 'too quiet'],
    ['TargetDisconnected', 'ERR_EXEC_SESSION', ''],
    ['UserTerminated', 'ERR_EXEC_SESSION', ''],
    ['AgentFailure', 'ERR_EXEC_FAILED', 'Commands cannot be empty'],
  ])('when the session ends with %s', async (reason, code, said) => {
    const { far, execution, result } = await running('make');
    const reader = execution.stderr.getReader();
    far.write('part');
    await far.clock.advance(50);
    far.endSession({ endReason: reason, output: said });
    const message = expect.stringContaining(said);
    await expect(result()).rejects.toMatchObject({ name: 'ExecError', code, reason, message });
    await expect(reader.read()).rejects.toMatchObject({ code });
  });

  test('when the connection is lost for good, and the stream says so after what it has', async () => {
    const { far, clock, execution, result } = await running('make', { resumeBudget: 1_000 });
    const reader = execution.stdout.getReader();
    far.write('part');
    await clock.advance(50);
    far.connectFault = new Error('no route');
    far.cut();
    await expect(result()).rejects.toMatchObject({ code: 'ERR_EXEC_SESSION', reason: 'ConnectionLost' });
    expect(fromUtf8((await reader.read()).value!)).toBe('part');
    await expect(reader.read()).rejects.toMatchObject({ reason: 'ConnectionLost' });
  });

  test('as StartSession does', async () => {
    const far = new FarEnd();
    far.answers.StartSession = () => Response.json({ __type: 'TargetNotConnected' }, { status: 400 });
    const client = new SessionClient({ region: 'eu-central-1', credentials, platform: far.platform });
    await expect(far.clock.runUntil(Promise.resolve(client.exec('i-1', 'true')))).rejects.toMatchObject({
      code: 'ERR_TARGET_NOT_CONNECTED',
    });
  });
});

test('interrupt is Ctrl-C', async () => {
  const { far, execution } = await running('sleep 100');
  far.write('started');
  await far.clock.advance(50);
  execution.interrupt();
  await far.clock.advance(50);
  expect(far.input).toBe('\x03');
});

test('a lost connection in the middle is no trouble', async () => {
  const { far, clock, result } = await running('make');
  far.write('before ');
  await clock.advance(50);
  far.cut();
  await clock.advance(5_000);
  far.write('after');
  await clock.advance(50);
  far.endSession({ exitCode: 0 });
  expect(await result()).toMatchObject({ stdout: 'before after', exitCode: 0 });
});
