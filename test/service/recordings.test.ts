/**
 * The real agent and the real plugin, as they were recorded, at this service: what must reach the other end does, and
 * what they are answered is what they can read (PROTOCOL.md sections 2, 3 and 5).
 */
import { describe, expect, test } from 'vitest';
import type { AgentMessage } from '../../src/channel/index.ts';
import { recordingNames } from '../support/recording.ts';
import { type Fate, playToService } from './play-recording.ts';

/** What becomes of a session here. The recording relay had no states. */
const STATUSES: Readonly<Record<string, string>> = {
  '01-shell': 'Connecting Connected Terminating Terminated',
  '02-interactive-command': 'Connecting Connected Terminating Terminated',
  '03-noninteractive-separate': 'Connecting Connected Terminating Terminated',
  '03b-noninteractive-merged': 'Connecting Connected Terminating Terminated',
  // Ctrl-C at the plugin: in 05 the agent was done before the plugin had gone.
  '04-port-mux': 'Connecting Connected Disconnected Terminated',
  '05-port-remote-host': 'Connecting Connected Terminated',
  '05b-port-remote-host-denied': 'Connecting Connected Failed',
  '06-port-basic': 'Connecting Connected Terminated',
  '06b-port-basic-old-agent-terminate-api': 'Connecting Connected Terminating Terminated',
  '06c-port-standard-stream-ssh': 'Connecting Connected Terminated',
  '07-kms-shell': 'Connecting Connected Terminating Terminated',
  '07c-kms-port-not-encrypted': 'Connecting Connected Disconnected Terminated',
  '08-resume-client-drop': 'Connecting Connected Disconnected Connected Terminating Terminated',
  '08b-resume-client-drop-no-pause': 'Connecting Connected Disconnected Connected Terminating Terminated',
  '08e-resume-long-gap-paused': 'Connecting Connected Disconnected Connected Terminating Terminated',
  '08f-resume-long-gap-no-pause': 'Connecting Connected Disconnected Connected Terminating Terminated',
  '08g-resume-fails': 'Connecting Connected Disconnected',
  '08h-stuck-head-of-line-after-lost-ack':
    'Connecting Connected Disconnected Connected Terminating Terminated',
  '09-terminate-api': 'Connecting Connected Terminating Terminated',
  '09b-terminate-api-data-only': 'Connecting Connected Terminating Terminated',
  '09c-terminate-api-control-only': 'Connecting Connected Terminating Terminated',
  '09d-terminate-api-mux': 'Connecting Connected Terminating Terminated',
  '10-client-terminal-killed': 'Connecting Connected Disconnected Terminated',
  '11-port-closed-mux': 'Connecting Connected Terminated',
  '12-port-basic-client-disconnect': 'Connecting Connected Terminated',
  '13-missing-acks': 'Connecting Connected Terminating Terminated',
  '14-profile-shell': 'Connecting Connected Terminating Terminated',
  '14-runasmissing-shell': 'Connecting Connected Failed',
  '14-unknowntype': 'Connecting Failed',
  '17-handshake-timeout': 'Connecting Connected Failed',
  '18-params-as-lists': 'Connecting Connected Failed',
  '19-no-task-ack': 'Connecting Connected Terminating Terminated',
  '21-zero-digest': 'Connecting Connected',
  '22-idle-timeout-style-close': 'Connecting Connected Disconnected Terminated',
};

/** A document of schema version 9.9 is refused where it would be registered, so the agent never sees it. */
const REFUSED = ['14-badschema'];

/** Duplicates of what had been acknowledged: in the recordings nobody ever answered them. */
const ANSWERED: Readonly<Record<string, number>> = {
  '08h-stuck-head-of-line-after-lost-ack': 310,
  '13-missing-acks': 43,
  '14-profile-shell': 13,
};

/** What the service says beside start and pause, where the recording relay said something else, and why. */
const OTHERWISE: Readonly<Record<string, Partial<Record<'client' | 'agent' | 'control', string[]>>>> = {
  // The plugin went away while the completion was under way; here it learns of it just before.
  '05-port-remote-host': { client: ['channel_closed'] },
  // The recording relay told the agent on one channel only, as a trial.
  '09b-terminate-api-data-only': {
    control: ['interactive_shell', 'channel_closed', 'agent_task_acknowledge'],
  },
  '09c-terminate-api-control-only': { agent: ['channel_closed'] },
  // The recording relay ended these by itself; here they would end by the idle timeout.
  '10-client-terminal-killed': { agent: [], control: ['interactive_shell', 'agent_task_acknowledge'] },
  '22-idle-timeout-style-close': {
    client: [],
    agent: [],
    control: ['interactive_shell', 'agent_task_acknowledge'],
  },
  // The recording relay told nobody.
  '14-unknowntype': { client: ['channel_closed'] },
  '18-params-as-lists': {
    control: ['interactive_shell', 'agent_task_acknowledge', 'agent_task_acknowledge'],
  },
  '19-no-task-ack': {
    control: ['interactive_shell', ...Array.from({ length: 3 }, () => 'agent_task_acknowledge')],
  },
  '21-zero-digest': { control: ['interactive_shell'] },
};

test('every recording is played, but for what the service does not let so far', async () => {
  expect([...Object.keys(STATUSES), ...REFUSED].sort()).toEqual(recordingNames());
  for (const name of REFUSED)
    await expect(playToService(name)).rejects.toThrow('schemaVersion must be "1.0"');
});

describe.each(Object.keys(STATUSES))('%s', async (name) => {
  const played = await playToService(name);

  test('the agent is told to start what it was told', () => {
    const { recorded, ours } = played.start;
    expect(ours).toEqual({
      ...recorded,
      sessionId: ours.sessionId,
      sessionOwner: ours.sessionOwner,
      // The one that showed that an agent cannot read lists (PROTOCOL.md section 5).
      ...(name === '18-params-as-lists' && { parameters: { portNumber: '9001', localPortNumber: '10001' } }),
    });
  });

  test('calls are answered in the form of the recording', () => {
    for (const { op, status, recorded, ours } of played.answers) {
      if (op === 'POST') {
        expect(status).toBe(201);
        expect(shapeOfXml(ours as string)).toEqual(shapeOfXml(recorded as string));
      } else {
        expect(status).toBe(200);
        expect(shapeOf(ours)).toEqual(shapeOf(recorded));
      }
    }
  });

  test('every frame reaches the other end byte for byte, at once or when that is back', () => {
    const fates = new Map<Fate, number>();
    for (const { frame, fate } of played.relayed) {
      fates.set(fate, (fates.get(fate) ?? 0) + 1);
      if (fate === 'kept') expect(played.received[frame.to as 'client' | 'agent']).toContainEqual(frame.data);
    }
    expect(fates.get('answered') ?? 0).toBe(ANSWERED[name] ?? 0);
    expect([fates.get('lost'), fates.get('late')]).toEqual([undefined, undefined]);
  });

  test('the service says what the recording relay said, in messages with the same members', () => {
    for (const line of ['client', 'agent', 'control'] as const) {
      const [recorded, ours] = [said(played.recorded[line]), said(played.ours[line])];
      const expected = OTHERWISE[name]?.[line] ?? recorded.map(({ messageType }) => messageType);
      expect(ours.map(({ messageType }) => messageType)).toEqual(expected);
      for (const message of ours) {
        expect(message).toMatchObject({
          headerLength: 116,
          schemaVersion: 1,
          sequenceNumber: 0,
          payloadType: 0,
        });
        const twin = recorded.find(({ messageType }) => messageType === message.messageType);
        if (twin) expect(shapeOf(json(message))).toMatchObject(shapeOf(json(twin)));
      }
    }
  });

  test('completions are acknowledged by their own ids', () => {
    const ids = (messages: readonly AgentMessage[]) =>
      messages.filter(({ messageType }) => messageType === 'agent_task_acknowledge').map(json);
    const [recorded, ours] = [ids(played.recorded.control), ids(played.ours.control)];
    for (const acknowledge of ours) expect(acknowledge.TaskId).toBe(played.start.ours.sessionId);
    if (recorded.length > 0) {
      expect(ours.map(({ MessageId }) => MessageId)).toEqual(recorded.map(({ MessageId }) => MessageId));
    }
  });

  test('the client is told the words of the agent', () => {
    const output = (messages: readonly AgentMessage[]) =>
      messages
        .filter(({ messageType }) => messageType === 'channel_closed')
        .map((message) => json(message).Output);
    const [recorded] = output(played.recorded.client);
    const [ours] = output(played.ours.client);
    if (recorded !== undefined && ours !== undefined) expect(ours).toBe(recorded);
  });

  test(`the session is ${STATUSES[name]}`, () => {
    expect(played.statuses.join(' ')).toBe(STATUSES[name]);
  });
});

test('08h: the first duplicate of what stalled the real pair for a minute is answered, and no other passes', async () => {
  const { relayed } = await playToService('08h-stuck-head-of-line-after-lost-ack');
  const copies = relayed.filter(({ frame }) => numberOf(frame.data) === 3);
  expect(copies.map(({ fate }) => fate).slice(0, 2)).toEqual(['passed', 'answered']);
  expect(new Set(copies.slice(1).map(({ fate }) => fate))).toEqual(new Set(['answered']));
});

test('13: so is the first duplicate of either end whose acknowledge was lost behind the service', async () => {
  const { relayed } = await playToService('13-missing-acks');
  for (const [side, number] of [
    ['agent', 1],
    ['client', 0],
  ] as const) {
    const copies = relayed.filter(({ frame }) => frame.from === side && numberOf(frame.data) === number);
    expect(copies.length).toBeGreaterThan(4);
    expect(copies.map(({ fate }) => fate).slice(0, 2)).toEqual(['passed', 'answered']);
  }
});

/** Sequence number of a stream message; of anything else, none that a stream has here. */
function numberOf(frame: Uint8Array): number {
  const isStream = Buffer.from(frame.subarray(4, 36)).toString().trim().endsWith('_stream_data');
  return isStream ? Number(Buffer.from(frame).readBigInt64BE(48)) : -1;
}

/** All but start and pause, which depend on who came first: the recording relay sent them to the agent alone. */
function said(messages: readonly AgentMessage[]): AgentMessage[] {
  return messages.filter(({ messageType }) => !messageType.endsWith('_publication'));
}

function json({ payload }: AgentMessage): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(payload));
}

/** Names and types of the members. */
function shapeOf(value: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value as object).map(([name, member]) => [name, typeof member]));
}

/** The elements that have text. The agent reads no further than their names. */
function shapeOfXml(text: string): string[] {
  return [...text.matchAll(/<(\w+)>([^<]+)<\/\1>/g)].map(([, name]) => name!);
}
