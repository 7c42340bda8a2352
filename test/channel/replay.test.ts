import { describe, expect, test } from 'vitest';
import { MessageType, PayloadType } from '../../src/channel/index.ts';
import { isFrame, readRecording } from '../support/recording.ts';
import { essence, recordedStream, replay } from './replay.ts';

/** Recordings in which nothing was lost on the way: our channel must send what the real program sent. */
const UNDISTURBED = [
  '01-shell',
  '02-interactive-command',
  '03-noninteractive-separate',
  '03b-noninteractive-merged',
  '04-port-mux',
  '05-port-remote-host',
  '06c-port-standard-stream-ssh',
  '09-terminate-api',
  '09b-terminate-api-data-only',
  '10-client-terminal-killed',
  '14-profile-shell',
  '19-no-task-ack',
];

describe('in the place of the real plugin', () => {
  test.each(UNDISTURBED)('%s: sends the same stream messages and delivers the same bytes', (name) => {
    const { streamed, recorded, received } = replay(name, 'client');
    expect(streamed.map(essence)).toEqual(recorded.map(essence));
    expect(received()).toBe(recordedStream(name, 'client'));
  });

  test.each(UNDISTURBED)('%s: acknowledges every stream message', (name) => {
    const { acknowledged } = replay(name, 'client');
    expect(new Set(acknowledged())).toEqual(new Set(sequenceNumbersTo(name, 'client')));
  });

  test('01-shell: is ready with the first output, for there is no handshake', () => {
    const { events, sent } = replay('01-shell', 'client');
    expect(events[0]).toEqual({ type: 'ready' });
    expect(sent[0]!.at).toBeGreaterThan(1_000); // the shell's first output; nothing before it
  });

  test('03-noninteractive-separate: does the handshake, keeps stderr apart and reads the exit code', () => {
    const { events, received } = replay('03-noninteractive-separate', 'client');
    expect(events.find(({ type }) => type === 'ready')).toMatchObject({
      handshake: { sessionType: 'NonInteractiveCommands' },
    });
    expect(received(PayloadType.StdErr)).toBe(
      recordedStream('03-noninteractive-separate', 'client', PayloadType.StdErr),
    );
    expect(received(PayloadType.StdErr)).not.toBe('');
    expect(events).toContainEqual({ type: 'exitCode', exitCode: 7 });
  });

  test('02-interactive-command: is ready with the first output, and answers the question in it', () => {
    const { events, streamed } = replay('02-interactive-command', 'client');
    expect(events[0]).toEqual({ type: 'ready' });
    expect(streamed.map(({ payload }) => Buffer.from(payload).toString())).toEqual(['bob\n']);
  });

  test('03b-noninteractive-merged: gets one stream and no exit code', () => {
    const { events, received } = replay('03b-noninteractive-merged', 'client');
    expect(received()).toBe('out1\nerr1\nout2\n');
    expect(received(PayloadType.StdErr)).toBe('');
    expect(events.some(({ type }) => type === 'exitCode')).toBe(false);
  });

  test('07-kms-shell: without a key service, refuses to go on in the clear, and says so to both sides', () => {
    const { events, streamed } = replay('07-kms-shell', 'client');
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'failed',
        error: expect.objectContaining({ code: 'ERR_ENCRYPTION_NO_KEY_SERVICE' }),
      }),
    );
    const response = JSON.parse(Buffer.from(streamed[0]!.payload).toString());
    expect(
      response.ProcessedClientActions.map((action: { ActionStatus: number }) => action.ActionStatus),
    ).toEqual([1, 3]);
  });

  test.each([
    '08-resume-client-drop',
    '08b-resume-client-drop-no-pause',
    '08e-resume-long-gap-paused',
    '08f-resume-long-gap-no-pause',
  ])('%s: goes on after the cut with its own sequence numbers and no byte lost or doubled', (name) => {
    const { streamed, recorded, received } = replay(name, 'client');
    expect(streamed.map(essence)).toEqual(recorded.map(essence));
    expect(received()).toBe(recordedStream(name, 'client'));
  });

  test('08e: puts a message that comes after its successor back in its place', () => {
    const { received } = replay('08e-resume-long-gap-paused', 'client');
    expect(received()).toContain('tick 3\r\ntick 4\r\ntick 5\r\n');
  });

  test('08h: acknowledges duplicates again, which the real plugin does not, so the agent need not stall', () => {
    const name = '08h-stuck-head-of-line-after-lost-ack';
    const duplicates = duplicatesTo(name, 'client');
    const { acknowledged } = replay(name, 'client');
    const times = (sequenceNumber: number) => acknowledged().filter((one) => one === sequenceNumber).length;
    expect(duplicates.size).toBeGreaterThan(0);
    for (const [sequenceNumber, copies] of duplicates) expect(times(sequenceNumber)).toBe(copies);
  });

  test('13-missing-acks: resends with backoff, not every 100 ms, and answers each duplicate', () => {
    const { sent, acknowledged, received } = replay('13-missing-acks', 'client');
    const inputs = sent.filter(
      ({ message }) => message.messageType === MessageType.InputStreamData && message.sequenceNumber === 0,
    );
    const waits = inputs.slice(1).map(({ at }, index) => at - inputs[index]!.at);
    expect(inputs.length).toBeGreaterThan(1);
    expect(inputs.length).toBeLessThan(5); // the real plugin: 5 copies in the same time
    for (let i = 1; i < waits.length; i++) expect(waits[i]).toBeGreaterThanOrEqual(1.9 * waits[i - 1]!);
    for (const [sequenceNumber, copies] of duplicatesTo('13-missing-acks', 'client')) {
      expect(acknowledged().filter((one) => one === sequenceNumber).length).toBe(copies);
    }
    expect(received()).toBe(recordedStream('13-missing-acks', 'client'));
  });

  test.each([
    '09-terminate-api',
    '09b-terminate-api-data-only',
    '09c-terminate-api-control-only',
    '09d-terminate-api-mux',
  ])('%s: ends on channel_closed and sends nothing after it', (name) => {
    const { events, channel, sent } = replay(name, 'client');
    expect(events.at(-1)).toMatchObject({ type: 'closed' });
    expect(channel.closed).toBe(true);
    expect(sent.every(({ at }) => at <= closedAt(name, 'client'))).toBe(true);
  });

  test('22: gives the text of channel_closed to the user', () => {
    const { events } = replay('22-idle-timeout-style-close', 'client');
    expect(events.at(-1)).toMatchObject({
      type: 'closed',
      message: { output: 'Your session timed out due to inactivity and has been terminated.' },
    });
  });

  test('21: drops frames with a wrong digest without acknowledging them', () => {
    const { events, received } = replay('21-zero-digest', 'client');
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'dropped',
        error: expect.objectContaining({ code: 'ERR_MESSAGE_DIGEST' }),
      }),
    );
    expect(recordedStream('21-zero-digest', 'client').startsWith(received())).toBe(true);
  });
});

describe('in the place of the real agent', () => {
  test.each(UNDISTURBED)('%s: sends the same stream messages and delivers the same bytes', (name) => {
    const { streamed, recorded, received } = replay(name, 'agent');
    expect(streamed.map(essence)).toEqual(recorded.map(essence));
    expect(received()).toBe(recordedStream(name, 'agent'));
  });

  test('01-shell: delivers the resizes and announces both session states', () => {
    const { events, sent } = replay('01-shell', 'agent');
    expect(events.filter(({ type }) => type === 'size')).toEqual([
      { type: 'size', size: { cols: 80, rows: 24 } },
      { type: 'size', size: { cols: 132, rows: 40 } },
    ]);
    const states = sent.filter(({ message }) => message.messageType === MessageType.AgentSessionState);
    expect(
      states.map(({ message }) => JSON.parse(Buffer.from(message.payload).toString()).SessionState),
    ).toEqual(['Connected', 'Terminating']);
    expect(states.every(({ message }) => message.flags === 3)).toBe(true);
  });

  test('01-shell: marks only its very first stream message with SYN', () => {
    const { streamed } = replay('01-shell', 'agent');
    expect(streamed.map(({ flags }) => flags)).toEqual(streamed.map((_, index) => (index === 0 ? 1 : 0)));
  });

  test.each(['08-resume-client-drop', '08e-resume-long-gap-paused'])(
    '%s: sends nothing while publication is paused',
    (name) => {
      const paused = pauses(name);
      expect(paused.length).toBeGreaterThan(0);
      const { sent, received } = replay(name, 'agent');
      const stream = sent.filter(({ message }) => message.messageType === MessageType.OutputStreamData);
      for (const [from, until] of paused)
        expect(stream.filter(({ at }) => at > from && at < until)).toEqual([]);
      expect(received()).toBe(recordedStream(name, 'agent'));
    },
  );

  test("13-missing-acks: acknowledges the plugin's resent input again and again, and delivers it once", () => {
    const { acknowledged, received } = replay('13-missing-acks', 'agent');
    expect(acknowledged().filter((one) => one === 0).length).toBe(
      duplicatesTo('13-missing-acks', 'agent').get(0),
    );
    expect(received()).toBe('echo hi\nexit\n');
  });

  test('13-missing-acks: resends what the plugin never acknowledged, ever more rarely', () => {
    const { sent } = replay('13-missing-acks', 'agent');
    const copies = sent.filter(
      ({ message }) => message.messageType === MessageType.OutputStreamData && message.sequenceNumber === 1,
    );
    expect(copies.length).toBeGreaterThan(2);
    expect(copies.length).toBeLessThan(12); // the real agent: 28
  });

  test('10-client-terminal-killed: stops at the pause and ends when the service says so', () => {
    const { events, channel } = replay('10-client-terminal-killed', 'agent');
    expect(events.at(-1)).toMatchObject({ type: 'closed' });
    expect(channel.closed).toBe(true);
  });

  test("17-handshake-timeout: gives up after 15 s with the real agent's words", () => {
    const { events } = replay('17-handshake-timeout', 'agent');
    const failed = events.find((event) => event.type === 'failed');
    expect(failed).toMatchObject({
      error: { code: 'ERR_HANDSHAKE_TIMEOUT', message: expect.stringContaining('Handshake timed out.') },
    });
  });
});

function framesTo(name: string, role: string) {
  return readRecording(name)
    .filter(isFrame)
    .filter((frame) => frame.binary && frame.channel === 'data' && frame.to === role && !frame.lost);
}

function sequenceNumbersTo(name: string, role: string): number[] {
  return framesTo(name, role)
    .filter((frame) => typeOf(frame.data).endsWith('_stream_data'))
    .map((frame) => sequenceOf(frame.data));
}

/** How often each sequence number that came more than once came. */
function duplicatesTo(name: string, role: string): Map<number, number> {
  const copies = new Map<number, number>();
  for (const sequenceNumber of sequenceNumbersTo(name, role))
    copies.set(sequenceNumber, (copies.get(sequenceNumber) ?? 0) + 1);
  return new Map([...copies].filter(([, count]) => count > 1));
}

function closedAt(name: string, role: string): number {
  return framesTo(name, role).find((frame) => typeOf(frame.data) === 'channel_closed')!.at;
}

/** From each pause to what ends it: a start, or any input or acknowledge (PROTOCOL.md section 6). */
function pauses(name: string): [number, number][] {
  const found: [number, number][] = [];
  let from: number | undefined;
  for (const frame of framesTo(name, 'agent')) {
    if (typeOf(frame.data) === 'pause_publication') from ??= frame.at;
    else if (from !== undefined) {
      found.push([from, frame.at]);
      from = undefined;
    }
  }
  return found;
}

function typeOf(frame: Uint8Array): string {
  return Buffer.from(frame.subarray(4, 36)).toString('latin1').trim();
}

function sequenceOf(frame: Uint8Array): number {
  return Number(Buffer.from(frame).readBigInt64BE(48));
}
