/**
 * The service facing AWS's agent and plugin, quirk by quirk; the numbers are the sections of PROTOCOL.md. Those that
 * other tests are about are not repeated here: lost acknowledges (1.3, 1.4) are in lost-acknowledges.test.ts and
 * stranger-pair.test.ts, whole sessions in recordings.test.ts, states and ends (5) in life-cycle.test.ts.
 */
import { expect, test } from 'vitest';
import { decodeMessage } from '../../src/channel/index.ts';
import { sha256Digest } from '../../src/crypto/index.ts';
import { connected, type Started, type World, world } from './world.ts';

const SECOND = 1000;

/** Breaks the data channel that was opened last, with no close frame. */
async function cutLast(w: World): Promise<void> {
  w.transport.connections.at(-1)!.cut();
  await w.settle();
}

test('quirk 1.1: a session starts with interactive_shell, and nothing of Run Command is sent or answered', async () => {
  const w = world();
  const { node } = await connected(w);
  const start = decodeMessage(node.control.frames[0]!, sha256Digest);
  expect(start).toMatchObject({
    messageType: 'interactive_shell',
    sequenceNumber: 0,
    flags: 0,
    payloadType: 0,
  });
  for (const type of ['agent_job_ack', 'agent_job_reply'])
    await node.control.sendMessage(type, { jobId: 'j' });
  expect(node.control.types.filter((type) => type === 'interactive_shell')).toHaveLength(1);
  expect(node.control.closed).toBeUndefined();
});

test('quirk 1.8: an agent that reconnects in a hot loop is stopped by “Session is already terminated”', async () => {
  const w = world();
  const { node, session } = await connected(w);
  await w.ok('TerminateSession', session);
  await w.clock.advance(30 * SECOND);
  let calls = 0;
  for (; calls < 100; calls++) {
    // What the agent looks for in the answer; it would be back at once after any other.
    const { status, text } = await node.createChannel(`/v1/data-channel/${session.SessionId}`);
    if (status !== 201 && text.includes('Session is already terminated')) break;
  }
  expect(calls).toBe(0);
  // And this is what makes its worker end.
  expect(node.control.json('channel_closed')[0]).toMatchObject({ SessionId: session.SessionId });
});

test('quirk 1.8: one that was in the loop before the session ended is closed, not greeted', async () => {
  const w = world();
  const { node, session } = await connected(w);
  const { token } = await node.createChannel(`/v1/data-channel/${session.SessionId}`);
  await w.ok('TerminateSession', session);
  await node.complete(session.SessionId);
  const socket = await node.dialData(session.SessionId);
  let closed: number | undefined;
  socket.handler = {
    message: () => expect.unreachable(),
    closed: (code) => {
      closed = code;
    },
  };
  socket.send(JSON.stringify({ MessageSchemaVersion: '1.0', TokenValue: token, ClientId: '' }));
  await w.settle();
  expect(closed).toBe(1008);
});

test('quirk 1.10: a connection that ends without a close frame is no failure of the session', async () => {
  const w = world();
  const { node, agent, session } = await connected(w);
  await cutLast(w);
  expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Disconnected' });
  const client = await w.client((await w.ok('ResumeSession', session)) as never);
  await agent.stream('output_stream_data', 'the last of it');
  await agent.sendMessage('agent_session_state', { SessionState: 'Terminating' });
  w.transport.connections[1]!.cut();
  await w.settle();
  expect(agent.closed?.code).toBe(1006);
  await node.complete(session.SessionId);
  expect(client.payloads('output_stream_data')).toEqual(['the last of it']);
  expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'CommandExited', Output: '' }]);
});

test('quirk 1.11: the failure that comes a minute after the session’s worker crashed reaches the client', async () => {
  const w = world();
  const { node, client, session } = await connected(w);
  w.transport.connections[1]!.cut();
  await w.clock.advance(60 * SECOND);
  expect(client.closed).toBeUndefined();
  await node.complete(session.SessionId, { FinalTaskStatus: 'Failed', Output: 'worker crashed' });
  expect(client.json('channel_closed')).toMatchObject([
    { Output: 'worker crashed', EndReason: 'AgentFailure' },
  ]);
});

test('quirk 1.12: a client whose agent dropped the start without a word is told so after a minute', async () => {
  const w = world();
  await w.node();
  const client = await w.client(await w.start());
  await w.clock.advance(60 * SECOND);
  expect(client.json('channel_closed')).toMatchObject([
    {
      Output: 'The managed node or the client did not connect to the session in time.',
      EndReason: 'ConnectTimeout',
    },
  ]);
});

test('quirk 3: the plugin takes the token of ResumeSession to the stream URL of StartSession', async () => {
  const w = world();
  const { agent, session } = await connected(w);
  await cutLast(w);
  const { TokenValue } = (await w.ok('ResumeSession', session)) as unknown as Started;
  const again = await w.client({ ...session, TokenValue });
  const output = await agent.stream('output_stream_data', 'hello');
  expect(again.frames.at(-1)).toEqual(output);
});

test('quirk 5: opening messages may say more than is known', async () => {
  const w = world();
  const node = await w.node();
  const session = await w.start();
  const socket = await node.dialData(session.SessionId);
  const { token } = await node.createChannel(`/v1/data-channel/${session.SessionId}`);
  const opening = {
    MessageSchemaVersion: '2.0',
    RequestId: null,
    TokenValue: token,
    ClientInstanceId: node.id,
  };
  socket.send(JSON.stringify({ ...opening, ClientId: '', Extension: { deep: [1] } }));
  await w.settle();
  const client = await w.client(session);
  const input = await client.stream('input_stream_data', 'ls');
  let got: unknown;
  socket.handler = { message: (data) => (got = data), closed: () => {} };
  await client.send(input);
  expect(got).toEqual(input);
});

test('quirk 6: input that the plugin sends for five minutes, until it gives up, passes each time and ends as it asks', async () => {
  const w = world();
  const { agent, client, session } = await connected(w);
  const input = await client.stream('input_stream_data', 'unheard');
  for (let copy = 0; copy < 3000; copy++) client.socket.send(input);
  await w.clock.advance(5 * 60 * SECOND);
  expect(agent.types.filter((type) => type === 'input_stream_data')).toHaveLength(3001);
  await w.ok('TerminateSession', session);
  expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'UserTerminated' }]);
});

test('quirk 9: TerminateSession of a plugin that is gone at once reaches an agent that was away', async () => {
  const w = world();
  const { node, client, session } = await connected(w);
  w.transport.connections[1]!.cut();
  await w.settle();
  const flag = await client.stream('input_stream_data', new Uint8Array([0, 0, 0, 2]), 10);
  await cutLast(w);
  const again = await node.join(session.SessionId);
  expect(again.types).toEqual(['input_stream_data', 'pause_publication']);
  expect(again.frames[0]).toEqual(flag);
});

test('quirk 13: frames with a header of 112 bytes and a type padded with NUL pass as they are', async () => {
  const w = world();
  const { agent, client } = await connected(w);
  const output = await agent.sendMessage('output_stream_data', 'x', { headerLength: 112 });
  expect(client.frames.at(-1)).toEqual(output);
  const padded = output.slice().fill(0, 4 + 'output_stream_data'.length, 36);
  await agent.send(padded);
  expect(client.frames.at(-1)).toEqual(padded);
});

test('quirk 13: payloads of half a megabyte pass in either direction', async () => {
  const w = world({ capacity: 4 * 1024 * 1024 });
  const { agent, client } = await connected(w);
  const large = new Uint8Array(524_288).fill(120);
  const output = await agent.stream('output_stream_data', large);
  const input = await client.stream('input_stream_data', large);
  // `toEqual` takes a minute for so many bytes.
  expect(Buffer.compare(client.frames.at(-1)!, output)).toBe(0);
  expect(Buffer.compare(agent.frames.at(-1)!, input)).toBe(0);
});
