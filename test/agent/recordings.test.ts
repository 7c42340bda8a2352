import { virtualCommands } from 'hawser/agent';
import { decodeMessage, parseStartSessionTask } from 'hawser/channel';
import { sha256Digest } from 'hawser/crypto';
import { expect, test } from 'vitest';
import { essence } from '../channel/replay.ts';
import { isFrame, readRecording } from '../support/recording.ts';
import { scriptedAgent } from './scripted-agent.ts';

/** What `sh -c` does in the recordings. */
const commands = virtualCommands({
  commands: {
    sh: async (args, io) => {
      expect(args).toEqual(['-c', 'echo out1; echo err1 >&2; echo out2; exit 7']);
      const separate = io.session.properties as { linux: { separateOutputStream: string } };
      // The real agent read both lines of stdout at once, and before stderr, when it kept them apart.
      if (separate.linux.separateOutputStream === 'true') {
        await io.write('out1\nout2\n');
        await io.writeStderr('err1\n');
      } else await io.write('out1\nerr1\nout2\n');
      return 7;
    },
  },
});

test.each(['03-noninteractive-separate', '03b-noninteractive-merged'])(
  '%s: from the same start message and the same client, the agent sends what the real one sent',
  async (name) => {
    const { clock, gateway } = await scriptedAgent({ NonInteractiveCommands: commands });

    const frames = readRecording(name)
      .filter(isFrame)
      .filter(({ binary }) => binary);
    const start = frames.find(({ channel, to }) => channel === 'control' && to === 'agent')!;
    gateway.control.socket.send(start.data);
    await clock.advance(5);
    const { sessionId } = parseStartSessionTask(decodeMessage(start.data, sha256Digest).payload);
    const data = gateway.channel(sessionId);
    for (const frame of frames.filter(({ channel, to }) => channel === 'data' && to === 'agent')) {
      data.socket.send(frame.data);
      await clock.advance(1);
    }

    const recorded = frames.filter(({ channel, from }) => channel === 'data' && from === 'agent');
    const isStream = ({ messageType }: { messageType: string }) => messageType === 'output_stream_data';
    const sent = data.received.map(({ message }) => message).filter(isStream);
    expect(sent.map(essence)).toEqual(
      recorded
        .map((frame) => decodeMessage(frame.data, sha256Digest))
        .filter(isStream)
        .map(essence),
    );
    await clock.advance(10_000);
    expect(gateway.completions[0]).toMatchObject({ finalTaskStatus: 'Success', output: '', exitCode: 7 });
  },
);
