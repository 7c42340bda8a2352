import { decodeMessage, parseAgentTaskComplete } from 'hawser/channel';
import { sha256Digest } from 'hawser/crypto';
import { ptyShell } from 'hawser/node';
import { expect, test } from 'vitest';
import { scriptedAgent } from '../agent/scripted-agent.ts';
import { isFrame, readRecording } from '../support/recording.ts';
import { NOT_ROOT } from './users.ts';

test.skipIf(NOT_ROOT)(
  '14-runasmissing-shell: to the same start message, the agent reports what the real one reported',
  async () => {
    const { clock, gateway, agent } = await scriptedAgent({ Standard_Stream: ptyShell() });

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
