import { Agent } from 'hawser/agent';
import { decodeMessage, parseAgentTaskComplete } from 'hawser/channel';
import { sha256Digest } from 'hawser/crypto';
import { ptyShell } from 'hawser/node';
import { memoryTransport, seededRandom, VirtualClock } from 'hawser/testing';
import { expect, test } from 'vitest';
import { ScriptedGateway } from '../agent/scripted-gateway.ts';
import { isFrame, readRecording } from '../support/recording.ts';
import { NOT_ROOT } from './users.ts';

test.skipIf(NOT_ROOT)(
  '14-runasmissing-shell: to the same start message, the agent reports what the real one reported',
  async () => {
    const clock = new VirtualClock();
    const gateway = new ScriptedGateway(clock);
    const agent = new Agent({
      instanceId: 'mi-0123456789abcdef0',
      region: 'eu-central-1',
      endpoint: 'http://gateway.localhost',
      credentials: { accessKeyId: 'AKIANODE', secretAccessKey: 'secret' },
      handlers: { Standard_Stream: ptyShell() },
      platform: { clock, random: seededRandom(5), transport: memoryTransport(gateway, { clock }) },
    });
    await clock.runUntil(agent.start());
    await clock.advance(1);

    const frames = readRecording('14-runasmissing-shell')
      .filter(isFrame)
      .filter(({ binary, channel }) => binary && channel === 'control');
    const ended = new Promise((resolve) => agent.once('sessionEnded', resolve));
    gateway.control.socket.send(frames.find(({ to }) => to === 'agent')!.data);
    await clock.advance(5);
    await ended;
    await clock.advance(1);

    const recorded = frames
      .filter(({ from }) => from === 'agent')
      .map(({ data }) => parseAgentTaskComplete(decodeMessage(data, sha256Digest).payload))[0]!;
    expect(gateway.completions[0]).toMatchObject({ ...recorded });
  },
);
