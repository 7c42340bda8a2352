import { afterEach, describe, expect, test, vi } from 'vitest';
import { fromUtf8, utf8 } from '../../src/base/encoding.ts';
import {
  encodeMessage,
  formatHandshakeRequest,
  MessageType,
  PayloadFlag,
  PayloadType,
} from '../../src/channel/index.ts';
import { SessionClient } from '../../src/core/client.ts';
import type { Session, SessionEvents, SessionOptions } from '../../src/core/session.ts';
import { FarEnd, type FarEndOptions, STREAM_URL } from './far-end.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
const SECOND = 1000;
const MINUTE = 60_000;

async function start(options: SessionOptions = {}, farEndOptions: FarEndOptions = {}) {
  const far = new FarEnd(farEndOptions);
  const client = new SessionClient({ region: 'eu-central-1', credentials, platform: far.platform });
  const session = await far.clock.runUntil(client.startSession({ target: 'i-1', ...options }));
  const seen = watch(session);
  return { far, client, session, seen, clock: far.clock };
}

/** Names of the events, in order. */
function watch(session: Session): string[] {
  const seen: string[] = [];
  const names: (keyof SessionEvents)[] = [
    'ready',
    'reconnecting',
    'resumed',
    'lost',
    'ended',
    'flag',
    'dropped',
  ];
  for (const name of names) session.on(name, () => seen.push(name));
  return seen;
}

/** Everything the stream gives, collected as it comes. */
function collect(stream: ReadableStream<Uint8Array>) {
  const collected = { text: '', bytes: 0, done: false };
  (async () => {
    for await (const chunk of stream) {
      collected.text += fromUtf8(chunk);
      collected.bytes += chunk.length;
    }
    collected.done = true;
  })();
  return collected;
}

const rejections: unknown[] = [];
process.on('unhandledRejection', (reason) => rejections.push(reason));
afterEach(() => {
  expect(rejections).toEqual([]);
});

/** The HandshakeRequest of an agent that wants encryption, as output number 0. */
function kmsHandshake(far: FarEnd): Uint8Array {
  return encodeMessage(
    {
      messageType: MessageType.OutputStreamData,
      messageId: far.platform.random.uuid(),
      createdDate: far.clock.now(),
      sequenceNumber: 0,
      payloadType: PayloadType.HandshakeRequest,
      payload: formatHandshakeRequest({
        agentVersion: '3.3.0.0',
        requestedClientActions: [{ actionType: 'KMSEncryption', actionParameters: { KMSKeyId: 'alias/k' } }],
      }),
    },
    far.platform.digest,
  );
}

describe('the streams of a session', () => {
  test('carry output and input', async () => {
    const { far, session, clock } = await start();
    const output = collect(session.stdout);
    far.write('$ ');
    await clock.advance(100);
    expect(output.text).toBe('$ ');
    await clock.runUntil(session.stdin.getWriter().write(utf8('ls\n')));
    await clock.advance(100);
    expect(far.input).toBe('ls\n');
  });

  test('hold input back until the agent has spoken', async () => {
    const { far, session, clock, seen } = await start();
    expect(session.state).toBe('starting');
    session.stdin.getWriter().write(utf8('early'));
    await clock.advance(SECOND);
    expect(far.input).toBe('');
    far.write('$ ');
    await clock.advance(SECOND);
    expect(far.input).toBe('early');
    expect(session.state).toBe('ready');
    expect(seen).toEqual(['ready']);
  });

  test('tell of a handshake', async () => {
    const { far, session, clock } = await start();
    const ready = vi.fn();
    session.on('ready', ready);
    far.command((channel) =>
      channel.startHandshake({ sessionType: 'InteractiveCommands', properties: null }, clock.now()),
    );
    await clock.advance(SECOND);
    expect(ready).toHaveBeenCalledWith(
      expect.objectContaining({ handshake: expect.objectContaining({ sessionType: 'InteractiveCommands' }) }),
    );
  });

  test('keep error output apart', async () => {
    const { far, session, clock } = await start();
    const stdout = collect(session.stdout);
    const stderr = collect(session.stderr);
    far.write('out');
    far.write('err', PayloadType.StdErr);
    await clock.advance(SECOND);
    expect([stdout.text, stderr.text]).toEqual(['out', 'err']);
  });

  test('do not let error output that nobody reads block the output', async () => {
    const { far, session, clock } = await start();
    const stdout = collect(session.stdout);
    for (let i = 0; i < 400; i++) {
      far.write(new Uint8Array(10_000), PayloadType.StdErr);
      await clock.advance(50);
    }
    far.write('still here');
    await clock.advance(SECOND);
    expect(stdout.text).toBe('still here');
    expect(far.channel.acknowledged).toBe(true);
  });

  test('make the agent stop when the output is not read, and lose nothing', async () => {
    const { far, session, clock } = await start({ receiveBuffer: 50_000 });
    let written = 0;
    for (let i = 0; i < 1000; i++) {
      written += far.write(new Uint8Array(10_000));
      await clock.advance(20);
    }
    expect(written).toBeLessThan(2_000_000);
    const output = collect(session.stdout);
    await clock.advance(10 * SECOND);
    expect(output.bytes).toBe(written);
  });

  test('make the writer wait when the agent does not read, and lose nothing', async () => {
    const { far, session, clock } = await start({ sendWindow: 50_000 }, { receiveBuffer: 20_000 });
    far.write('$ ');
    await clock.advance(100);
    far.reading = false;
    const writer = session.stdin.getWriter();
    let resolved = 0;
    for (let i = 0; i < 100; i++) writer.write(utf8('x'.repeat(10_000))).then(() => resolved++);
    await clock.advance(10 * SECOND);
    expect(resolved).toBeLessThan(60);
    far.reading = true;
    far.poll();
    await clock.advance(60 * SECOND);
    expect(resolved).toBe(100);
    expect(far.input.length).toBe(1_000_000);
  });

  test.each([true, false])('let a writer go on once a full socket has sent, ping %s', async (ping) => {
    const { far, session, clock } = await start({ sendWindow: 4_000_000 }, { latency: 1000, ping });
    await clock.advance(1500);
    far.write('$ ');
    await clock.advance(2500);
    let resolved = 0;
    const writer = session.stdin.getWriter();
    for (let i = 0; i < 20; i++) writer.write(new Uint8Array(100_000)).then(() => resolved++);
    await clock.advance(500);
    const atOnce = resolved;
    // The first acknowledge is two seconds away: only the socket can have made room.
    await clock.advance(1000);
    expect(resolved).toBeGreaterThan(atOnce);
  });

  test('closing the input is not the end', async () => {
    const { far, session, clock } = await start();
    far.write('$ ');
    await clock.advance(100);
    const writer = session.stdin.getWriter();
    writer.write(utf8('last'));
    await clock.runUntil(writer.close());
    await clock.advance(MINUTE);
    expect(far.input).toBe('last');
    expect(session.state).toBe('ready');
  });

  test('pass on size and Ctrl-C', async () => {
    const { far, session, clock } = await start({ size: { cols: 80, rows: 24 } });
    far.write('$ ');
    await clock.advance(100);
    session.resize({ cols: 120, rows: 40 });
    session.interrupt();
    await clock.advance(100);
    expect(far.sizes).toEqual(['80x24', '120x40']);
    expect(far.input).toBe('\x03');
    expect(() => session.resize({ cols: 0, rows: 24 })).toThrow(RangeError);
  });

  test('forget input that is not on its way when interrupted, and take what comes after', async () => {
    const { far, session, clock } = await start({ sendWindow: 1 });
    far.write('$ ');
    await clock.advance(100);
    far.reading = false;
    const writer = session.stdin.getWriter();
    const pasted = Array.from({ length: 10 }, () => writer.write(new Uint8Array(100_000).fill(0x78)));
    await clock.advance(20);
    session.interrupt();
    const after = writer.write(utf8('after'));
    far.reading = true;
    far.poll();
    await clock.runUntil(Promise.all([...pasted, after]));
    await clock.advance(MINUTE);
    const [before, behind] = far.input.split('\x03');
    expect(before!.length).toBeLessThan(100_000);
    expect(behind).toBe('after');
    expect(session.state).toBe('ready');
  });

  test('pass on flags', async () => {
    const { far, session, clock } = await start();
    const flags: number[] = [];
    session.on('flag', (flag) => flags.push(flag));
    far.command((channel) => channel.sendFlag(PayloadFlag.ConnectToPortError));
    await clock.advance(100);
    expect(flags).toEqual([PayloadFlag.ConnectToPortError]);
  });
});

describe('the end of a session', () => {
  test('comes after all output, with the exit status', async () => {
    const { far, session, clock, seen } = await start();
    const output = collect(session.stdout);
    const atEnd = session.ended.then((end) => ({ end, state: session.state }));
    await clock.advance(100);
    far.write('bye');
    far.endSession({ output: '', exitCode: 3, endReason: 'CommandExited' });
    expect(await clock.runUntil(atEnd)).toEqual({
      end: { reason: 'CommandExited', exitCode: 3, message: '' },
      state: 'ended',
    });
    await clock.advance(0);
    expect(output).toEqual({ text: 'bye', bytes: 3, done: true });
    expect(seen).toEqual(['ready', 'ended']);
    expect(far.watchers).toBe(0);
    await clock.advance(MINUTE);
    expect(clock.pending).toBe(0);
  });

  test('is not held up by output that nobody reads', async () => {
    const { far, session, clock } = await start({ receiveBuffer: 300_000 });
    far.write(new Uint8Array(200_000));
    await clock.advance(5 * SECOND);
    far.endSession({ endReason: 'IdleTimeout', output: 'Your session timed out.' });
    expect(await clock.runUntil(session.ended)).toMatchObject({ reason: 'IdleTimeout' });
    const output = collect(session.stdout);
    await clock.advance(0);
    expect(output).toMatchObject({ bytes: 200_000, done: true });
  });

  test('takes the exit status from an ExitCode payload as well', async () => {
    const { far, session, clock } = await start();
    const told: number[] = [];
    session.on('exitCode', (exitCode) => told.push(exitCode));
    far.command((channel) => channel.sendExitCode(7));
    await clock.advance(100);
    expect(told).toEqual([7]);
    far.endSession({});
    expect(await clock.runUntil(session.ended)).toEqual({
      reason: 'CommandExited',
      exitCode: 7,
      message: '',
    });
  });

  test.each([
    ['', 'Ended'],
    ['Your session timed out due to inactivity and has been terminated.', 'IdleTimeout'],
    ['\n----------ERROR-------\nSetting up data channel failed', 'AgentFailure'],
  ])('has a reason made of the text %j of services that give no other', async (output, reason) => {
    const { far, session, clock } = await start();
    far.endSession({ output });
    expect(await clock.runUntil(session.ended)).toMatchObject({ reason, message: output.trim() });
  });

  test('fails writes under way and later ones', async () => {
    const { far, session, clock } = await start({}, { receiveBuffer: 1000 });
    far.write('$ ');
    await clock.advance(100);
    far.reading = false;
    const writer = session.stdin.getWriter();
    const blocked = writer.write(new Uint8Array(5_000_000)).catch((error) => error);
    await clock.advance(SECOND);
    far.endSession({});
    await clock.runUntil(session.ended);
    expect(await clock.runUntil(blocked)).toMatchObject({ code: 'ERR_SESSION_ENDED' });
    await expect(writer.write(utf8('x'))).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' });
  });

  test('close() lets input arrive first, then terminates, and takes the last output', async () => {
    const { far, session, clock } = await start();
    const output = collect(session.stdout);
    far.write('$ ');
    await clock.advance(100);
    far.answers.TerminateSession = () => {
      expect(far.input).toBe('last words\n');
      far.write('goodbye');
      setEnd();
      return Response.json({});
    };
    const setEnd = () => far.clock.schedule(50, () => far.endSession({ endReason: 'UserTerminated' }));
    const writer = session.stdin.getWriter();
    writer.write(new Uint8Array(0)); // so that what follows is still queued in the stream
    writer.write(utf8('last '));
    writer.write(utf8('words\n'));
    expect(await clock.runUntil(session.close())).toEqual({ reason: 'ClientEnded', message: '' });
    expect(output.text).toBe('$ goodbye');
    expect(far.calls.map(({ operation }) => operation)).toEqual(['StartSession', 'TerminateSession']);
  });

  test('close() comes to an end though nothing arrives and nobody answers', async () => {
    const { far, session, clock } = await start();
    far.write('$ ');
    await clock.advance(100);
    far.reading = false;
    far.answers.TerminateSession = () => new Promise(() => {});
    session.stdin
      .getWriter()
      .write(utf8('x'))
      .catch(() => {});
    const started = clock.now();
    expect(await clock.runUntil(session.close())).toMatchObject({ reason: 'ClientEnded' });
    expect(clock.now() - started).toBeLessThanOrEqual(25 * SECOND);
  });

  test('terminate() waits for no input', async () => {
    const { far, session, clock } = await start();
    session.stdin
      .getWriter()
      .write(utf8('held back, the agent has not spoken'))
      .catch(() => {});
    const started = clock.now();
    expect(await clock.runUntil(session.terminate())).toMatchObject({ reason: 'ClientEnded' });
    expect(clock.now() - started).toBeLessThan(SECOND);
    expect(far.input).toBe('');
  });

  test('terminate() overtakes close()', async () => {
    const { session, clock } = await start();
    session.stdin
      .getWriter()
      .write(utf8('held back'))
      .catch(() => {});
    session.close();
    await clock.advance(SECOND);
    expect(session.state).toBe('starting');
    session.terminate();
    await clock.advance(SECOND);
    expect(session.state).toBe('ended');
  });

  test('without a way to call TerminateSession the agent is told on the channel', async () => {
    const { far, session, clock } = await start();
    far.write('$ ');
    await clock.advance(100);
    far.answers.TerminateSession = () => Response.json({ __type: 'AccessDeniedException' }, { status: 400 });
    session.close();
    await clock.advance(SECOND);
    expect(far.flags).toEqual([PayloadFlag.TerminateSession]);
    far.endSession({});
    expect(await clock.runUntil(session.ended)).toMatchObject({ reason: 'ClientEnded' });
  });

  test('the signal ends it at once, and terminates it behind', async () => {
    const controller = new AbortController();
    const { far, session, clock } = await start({ signal: controller.signal });
    const reason = new Error('navigated away');
    controller.abort(reason);
    expect(await clock.runUntil(session.ended)).toMatchObject({ reason: 'Aborted', error: reason });
    await clock.advance(100);
    expect(far.calls.map(({ operation }) => operation)).toContain('TerminateSession');
  });

  test('close() needs no channel_closed when the service just drops the connection', async () => {
    const { far, session, clock, seen } = await start();
    far.write('$ ');
    await clock.advance(100);
    far.answers.TerminateSession = () => {
      far.cut();
      return Response.json({});
    };
    const started = clock.now();
    expect(await clock.runUntil(session.close())).toEqual({ reason: 'ClientEnded', message: '' });
    expect(clock.now() - started).toBeLessThan(SECOND);
    expect(seen).toEqual(['ready', 'ended']);
  });

  test('keeps output that was received and not read yet, whatever the reason', async () => {
    const controller = new AbortController();
    const { far, session, clock } = await start({ signal: controller.signal });
    far.write(new Uint8Array(200_000));
    await clock.advance(5 * SECOND);
    controller.abort();
    const output = collect(session.stdout);
    await clock.advance(0);
    expect(output).toMatchObject({ bytes: 200_000, done: true });
  });

  test('disposing closes it', async () => {
    const { session, clock } = await start();
    await clock.runUntil(session[Symbol.asyncDispose]());
    expect(session.state).toBe('ended');
  });

  test('an action that the client cannot do ends it, after the agent was told', async () => {
    const { far, session, clock } = await start();
    await clock.advance(100);
    far.socket.send(kmsHandshake(far));
    expect(await clock.runUntil(session.ended)).toMatchObject({ reason: 'EncryptionFailed' });
    await clock.advance(100);
    expect(far.channel.stats.droppedFrames).toBe(1); // the HandshakeResponse, which this agent did not ask for
    expect(far.calls.map(({ operation }) => operation)).toContain('TerminateSession');
  });
});

describe('a lost connection', () => {
  test('is resumed, and no byte is lost or doubled', async () => {
    const { far, session, clock, seen } = await start();
    const output = collect(session.stdout);
    far.write('before ');
    await clock.advance(100);
    far.write('lost ');
    session.stdin.getWriter().write(utf8('typed'));
    far.cut();
    await clock.advance(1);
    expect(session.state).toBe('reconnecting');
    await clock.advance(5 * SECOND);
    far.write('after');
    await clock.advance(SECOND);
    expect(output.text).toBe('before lost after');
    expect(far.input).toBe('typed');
    expect(seen).toEqual(['ready', 'reconnecting', 'resumed']);
    expect(session.state).toBe('ready');
  });

  test('is opened again with a new token and request id, and the same client id', async () => {
    const { far, clock } = await start();
    await clock.advance(100);
    far.cut();
    await clock.advance(5 * SECOND);
    expect(far.opened).toHaveLength(2);
    const [first, second] = far.opened;
    expect([first!.tokenValue, second!.tokenValue]).toEqual(['first-token', 'token-1']);
    expect(second!.clientId).toBe(first!.clientId);
    expect(second!.requestId).not.toBe(first!.requestId);
    expect(first!.clientVersion).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(second!.url).toBe(STREAM_URL);
  });

  test('is tried for ten minutes, with growing waits, then given up', async () => {
    const { far, session, clock, seen } = await start();
    const delays: number[] = [];
    session.on('reconnecting', ({ delay }) => delays.push(delay));
    await clock.advance(100);
    const started = clock.now();
    far.connectFault = new Error('no route to host');
    far.cut();
    const end = await clock.runUntil(session.ended);
    expect(end).toMatchObject({ reason: 'ConnectionLost', error: { code: 'ERR_SESSION_LOST' } });
    expect(end.error!.cause).toBe(far.connectFault);
    expect(clock.now() - started).toBeGreaterThan(9.5 * MINUTE);
    expect(clock.now() - started).toBeLessThan(11 * MINUTE);
    expect(Math.max(...delays)).toBeLessThanOrEqual(20 * SECOND);
    expect(delays.length).toBeLessThan(150);
    expect(seen.slice(-2)).toEqual(['lost', 'ended']);
  });

  test('is given up in time also when every try takes long', async () => {
    const { far, session, clock } = await start({ resumeBudget: 5 * MINUTE });
    await clock.advance(100);
    far.answers.ResumeSession = () => new Promise(() => {});
    const started = clock.now();
    far.cut();
    await clock.runUntil(session.ended);
    expect(clock.now() - started).toBeLessThan(5.6 * MINUTE);
  });

  test('is asked for once a try', async () => {
    const { far, session, clock } = await start();
    await clock.advance(100);
    far.answers.ResumeSession = () => Response.json({ __type: 'InternalServerError' }, { status: 500 });
    let tries = 0;
    session.on('reconnecting', () => tries++);
    far.cut();
    await clock.advance(MINUTE);
    const calls = far.calls.filter(({ operation }) => operation === 'ResumeSession').length;
    expect(calls).toBeGreaterThan(1);
    expect(calls).toBeLessThanOrEqual(tries);
  });

  test('is not tried in a hot loop where every connection is greeted and closed', async () => {
    const { far, session, clock } = await start();
    await clock.advance(100);
    far.cut();
    const { connect } = far.platform.transport;
    far.platform.transport.connect = async (url) => {
      const socket = await connect(url);
      clock.schedule(20, () => {
        far.write('hello again');
        clock.schedule(20, () => far.cut());
      });
      return socket;
    };
    await clock.advance(2 * MINUTE);
    const calls = far.calls.filter(({ operation }) => operation === 'ResumeSession').length;
    expect(calls).toBeGreaterThan(5);
    expect(calls).toBeLessThan(40);
    expect(session.state).not.toBe('ended');
  });

  test('counts tries afresh once a connection has held and the peer been heard, if only by its first pong', async () => {
    const { far, session, clock } = await start();
    await clock.advance(100);
    const attempts: number[] = [];
    session.on('reconnecting', ({ attempt }) => attempts.push(attempt));
    far.connectFault = new Error('offline');
    far.cut();
    await clock.advance(5 * SECOND);
    far.connectFault = undefined;
    await clock.advance(20 * SECOND);
    const before = attempts.length;
    expect(before).toBeGreaterThan(1);
    far.cut();
    await clock.advance(SECOND);
    expect(attempts[before]).toBe(1);
  });

  test('does not go on to a host nobody vouched for', async () => {
    const { far, session, clock } = await start();
    far.answers.ResumeSession = () => Response.json({ TokenValue: 't', StreamUrl: 'wss://evil.example/' });
    await clock.advance(100);
    far.cut();
    expect(await clock.runUntil(session.ended)).toMatchObject({
      reason: 'ConnectionLost',
      error: { code: 'ERR_STREAM_URL_REFUSED' },
    });
    expect(far.pairs).toHaveLength(1);
  });

  test('survives a machine that slept through the whole budget', async () => {
    const { far, session, clock } = await start({ resumeBudget: MINUTE });
    await clock.advance(100);
    far.connectFault = new Error('no network');
    far.cut();
    await clock.advance(SECOND);
    const { schedule } = clock;
    // The lid is closed: the next timer fires an hour late.
    clock.schedule = (delay, callback) => schedule.call(clock, delay + 60 * MINUTE, callback);
    await clock.advance(MINUTE);
    clock.schedule = schedule;
    await clock.advance(60 * MINUTE);
    far.connectFault = undefined;
    await clock.advance(MINUTE);
    expect(session.state).toBe('starting');
  });

  test('is over when the service says that the session is', async () => {
    const { far, session, clock } = await start();
    far.answers.ResumeSession = () => Response.json({ SessionId: 'x' });
    await clock.advance(100);
    far.cut();
    expect(await clock.runUntil(session.ended)).toMatchObject({ reason: 'Ended' });
  });

  test('has the end that the service tells of with it', async () => {
    const { far, session, clock } = await start();
    far.answers.ResumeSession = () =>
      Response.json({ SessionId: 'x', EndReason: 'CommandExited', ExitCode: 7, Output: '' });
    await clock.advance(100);
    far.cut();
    expect(await clock.runUntil(session.ended)).toEqual({
      reason: 'CommandExited',
      exitCode: 7,
      message: '',
    });
  });

  test('keeps the exit code that the agent sent, where the service knows none', async () => {
    const { far, session, clock } = await start();
    far.answers.ResumeSession = () => Response.json({ SessionId: 'x', EndReason: 'CommandExited' });
    far.command((channel) => channel.sendExitCode(9));
    await clock.advance(100);
    far.cut();
    expect(await clock.runUntil(session.ended)).toMatchObject({ reason: 'CommandExited', exitCode: 9 });
  });

  test('waits for the end to be known, and no longer than a minute', async () => {
    for (const told of [true, false]) {
      const { far, session, clock } = await start();
      const over = clock.now() + 20 * SECOND;
      far.answers.ResumeSession = () =>
        told && clock.now() > over
          ? Response.json({ SessionId: 'x', EndReason: 'CommandExited', ExitCode: 7 })
          : Response.json({ SessionId: 'x', Status: 'Terminating' });
      await clock.advance(100);
      far.cut();
      const started = clock.now();
      const end = await clock.runUntil(session.ended);
      expect(end).toMatchObject(told ? { reason: 'CommandExited', exitCode: 7 } : { reason: 'Ended' });
      expect(clock.now() - started).toBeLessThan(told ? 22 * SECOND : 62 * SECOND);
    }
  });

  test('can be given up while its end is waited for', async () => {
    const { far, session, clock } = await start();
    far.answers.ResumeSession = () => Response.json({ SessionId: 'x', Status: 'Terminating' });
    far.answers.TerminateSession = () => Response.json({});
    await clock.advance(100);
    far.cut();
    await clock.advance(5 * SECOND);
    expect(await clock.runUntil(session.close())).toMatchObject({ reason: 'ClientEnded' });
    await clock.advance(MINUTE);
    expect(clock.pending).toBe(0);
  });

  test.each([
    ['an end without a reason', { ExitCode: 7 }, { reason: 'Ended' }],
    ['an exit code that is none', { EndReason: 'CommandExited', ExitCode: '7' }, { reason: 'CommandExited' }],
    ['a reason that nobody knows', { EndReason: 'Bored', Output: 'x' }, { reason: 'Ended', message: 'x' }],
  ])('takes no harm from %s', async (_, members, expected) => {
    const { far, session, clock } = await start();
    far.answers.ResumeSession = () => Response.json({ SessionId: 'x', ...members });
    await clock.advance(100);
    far.cut();
    const end = await clock.runUntil(session.ended);
    expect(end).toMatchObject(expected);
    expect(end).not.toHaveProperty('exitCode');
  });

  test('is over when the service knows no such session', async () => {
    const { far, session, clock } = await start();
    far.answers.ResumeSession = () => Response.json({ __type: 'DoesNotExistException' }, { status: 400 });
    await clock.advance(100);
    far.cut();
    expect(await clock.runUntil(session.ended)).toMatchObject({ reason: 'Ended' });
  });

  test('is not resumed with a budget of nothing', async () => {
    const { far, session, clock, seen } = await start({ resumeBudget: 0 });
    await clock.advance(100);
    far.cut();
    expect(await clock.runUntil(session.ended)).toMatchObject({ reason: 'ConnectionLost' });
    expect(seen).toEqual(['lost', 'ended']);
  });

  test('does not wait when the network is back', async () => {
    const { far, session, clock, seen } = await start();
    await clock.advance(100);
    far.connectFault = new Error('offline');
    far.cut();
    await clock.advance(2 * MINUTE);
    far.connectFault = undefined;
    seen.length = 0;
    far.online();
    await clock.advance(20);
    expect(seen).toEqual(['resumed']);
    expect(session.state).toBe('starting');
  });

  test('can be closed while it is being resumed', async () => {
    const { far, session, clock } = await start();
    await clock.advance(100);
    far.connectFault = new Error('offline');
    far.answers.TerminateSession = () => Response.json({});
    far.cut();
    await clock.advance(MINUTE);
    expect(await clock.runUntil(session.close())).toMatchObject({ reason: 'ClientEnded' });
    await clock.advance(MINUTE);
    expect(clock.pending).toBe(0);
  });

  test('that breaks again and again is not tried in a hot loop', async () => {
    const { far, session, clock } = await start();
    await clock.advance(100);
    let cuts = 0;
    session.on('resumed', () => {
      cuts++;
      far.pairs.at(-1)!.cut();
    });
    far.cut();
    await clock.advance(MINUTE);
    expect(cuts).toBeLessThan(20);
  });

  test('is noticed within a minute though nobody says so', async () => {
    const { far, clock, seen } = await start();
    await clock.advance(MINUTE);
    far.blackHole();
    await clock.advance(61 * SECOND);
    expect(seen).toEqual(['reconnecting', 'resumed']);
  });

  test('is noticed by missing acknowledges where the socket cannot ping', async () => {
    const { far, session, clock, seen } = await start({}, { ping: false });
    far.write('$ ');
    await clock.advance(4 * MINUTE);
    expect(seen).toEqual(['ready']);
    far.blackHole();
    session.stdin.getWriter().write(utf8('anybody there?'));
    await clock.advance(65 * SECOND);
    expect(seen).toEqual(['ready', 'reconnecting', 'resumed']);
    await clock.advance(SECOND);
    expect(far.input).toBe('anybody there?');
  });

  // Skipped: DataChannel counts its five minutes of silence from the last frame, not from the first unanswered one.
  test('a key typed after an idle hour arrives', async () => {
    const { far, session, clock, seen } = await start();
    far.write('$ ');
    await clock.advance(60 * MINUTE);
    session.stdin.getWriter().write(utf8('x'));
    await clock.advance(SECOND);
    expect(far.input).toBe('x');
    expect(seen).toEqual(['ready']);
  });

  test('an idle connection that pings is left alone', async () => {
    const { clock, seen, far } = await start();
    await clock.advance(60 * MINUTE);
    expect(seen).toEqual([]);
    expect(far.pairs).toHaveLength(1);
  });
});

describe('a listener that throws', () => {
  test('does not harm the session, and is not hushed up', async () => {
    const { far, session, clock } = await start();
    const output = collect(session.stdout);
    const uncaught = vi.fn();
    process.prependOnceListener('uncaughtException', uncaught);
    const others = process.listeners('uncaughtException').filter((listener) => listener !== uncaught);
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', uncaught);
    session.on('ready', () => {
      throw new Error('mine');
    });
    far.write('fine');
    await clock.advance(100);
    for (const listener of others) process.on('uncaughtException', listener);
    expect(output.text).toBe('fine');
    expect(uncaught).toHaveBeenCalledWith(expect.objectContaining({ message: 'mine' }), 'uncaughtException');
  });
});
