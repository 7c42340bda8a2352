/**
 * What the relay does about acknowledges that got lost (PROTOCOL.md sections 1.3 and 1.4), frame by frame.
 */
import { describe, expect, test } from 'vitest';
import { decodeMessage, formatAcknowledge, parseAcknowledge } from '../../src/channel/index.ts';
import { sha256Digest } from '../../src/crypto/index.ts';
import { connected, type Peer, type Started, type World, world } from './world.ts';

/** As the real programs write it. */
async function acknowledge(from: Peer, frame: Uint8Array): Promise<Uint8Array> {
  const { messageType, messageId, sequenceNumber } = decodeMessage(frame, sha256Digest);
  const payload = formatAcknowledge({ messageType, messageId, sequenceNumber });
  return from.sendMessage('acknowledge', payload, { flags: 3 });
}

const acknowledged = (peer: Peer) =>
  peer.payloads('acknowledge').map((text) => parseAcknowledge(new TextEncoder().encode(text)).sequenceNumber);
const resumed = async (w: World, session: Started) =>
  w.client((await w.ok('ResumeSession', { SessionId: session.SessionId })) as never);

/** What came of the other end's stream. */
const streamed = (peer: Peer) =>
  peer.frames.filter((_, index) => peer.types[index]!.endsWith('_stream_data'));

describe('a message that comes again though the other end has acknowledged it', () => {
  test('of the agent is acknowledged for the client, in a frame like the real ones, and not passed on', async () => {
    const w = world();
    const { agent, client } = await connected(w);
    const output = await agent.stream('output_stream_data', '$ ');
    const real = await acknowledge(client, output);
    const [seen, shown] = [agent.frames.length, client.frames.length];
    await agent.send(output);
    expect(client.frames).toHaveLength(shown);
    expect(agent.frames).toHaveLength(seen + 1);
    const [first, again] = [real, agent.frames.at(-1)!].map((frame) => decodeMessage(frame, sha256Digest));
    expect(again).toMatchObject({
      messageType: 'acknowledge',
      headerLength: 116,
      flags: 3,
      sequenceNumber: 0,
      payloadType: 0,
    });
    expect(again!.payload).toEqual(first!.payload);
    expect(again!.messageId).not.toBe(first!.messageId);
  });

  test('of the client is acknowledged for the agent', async () => {
    const w = world();
    const { agent, client } = await connected(w);
    const input = await client.stream('input_stream_data', 'ls');
    await acknowledge(agent, input);
    const shown = agent.frames.length;
    await client.send(input);
    await client.send(input);
    expect(acknowledged(client)).toEqual([0, 0, 0]);
    expect(agent.frames).toHaveLength(shown);
  });

  test('is passed on each time before that', async () => {
    const w = world();
    const { agent, client } = await connected(w);
    const output = await agent.stream('output_stream_data', '$ ');
    await agent.send(output);
    await agent.send(output);
    expect(client.payloads('output_stream_data')).toEqual(['$ ', '$ ', '$ ']);
    expect(acknowledged(agent)).toEqual([]);
  });

  test('is acknowledged after either end, or both, have come back', async () => {
    const w = world();
    const { node, agent, client, session } = await connected(w);
    const output = await agent.stream('output_stream_data', '$ ');
    await acknowledge(client, output);
    const client2 = await resumed(w, session);
    await agent.send(output);
    expect(acknowledged(agent)).toEqual([0, 0]);
    const agent2 = await node.join(session.SessionId);
    await agent2.send(output);
    expect(acknowledged(agent2)).toEqual([0]);
    agent2.socket.close();
    client2.socket.close();
    await w.settle();
    const agent3 = await node.join(session.SessionId);
    const client3 = await resumed(w, session);
    await agent3.send(output);
    expect(acknowledged(agent3)).toEqual([0]);
    for (const end of [client2, client3]) expect(end.types).not.toContain('output_stream_data');
  });

  test('waits while the other end is away: an acknowledge would end the pause', async () => {
    const w = world();
    const { agent, client, session } = await connected(w);
    const output = await agent.stream('output_stream_data', '$ ');
    await acknowledge(client, output);
    client.socket.close();
    await w.settle();
    await agent.send(output);
    expect(agent.types.at(-1)).toBe('pause_publication');
    await resumed(w, session);
    await agent.send(output);
    expect(acknowledged(agent)).toEqual([0, 0]);
  });

  test('is acknowledged though the acknowledge found no room in a full socket', async () => {
    const limits = { highWater: 5_000, hardBound: 6_000 };
    const w = world({ limits, capacity: 5_000, pausable: false });
    const { agent, client } = await connected(w);
    const output = await agent.stream('output_stream_data', '$ ');
    agent.socket.pause?.();
    for (let i = 0; i < 100; i++) await client.stream('input_stream_data', 'x');
    await acknowledge(client, output);
    agent.socket.resume?.();
    await w.clock.advance(1);
    expect(acknowledged(agent)).toEqual([]);
    await agent.send(output);
    expect(acknowledged(agent)).toEqual([0]);
  });
});

describe('a client that comes back', () => {
  test('is sent what it has not acknowledged, in order and byte for byte, and nothing else', async () => {
    const w = world();
    const { agent, client, session } = await connected(w);
    const sent: Uint8Array[] = [];
    for (let i = 0; i < 5; i++) sent.push(await agent.stream('output_stream_data', `line ${i}`));
    await acknowledge(client, sent[0]!);
    await acknowledge(client, sent[2]!);
    client.socket.close();
    await w.settle();
    sent.push(await agent.stream('output_stream_data', 'meanwhile'));
    const again = await resumed(w, session);
    expect(streamed(again)).toEqual([sent[1], sent[3], sent[4], sent[5]]);
  });

  test('is sent again what it still has not acknowledged when it comes back once more', async () => {
    const w = world();
    const { agent, session } = await connected(w);
    const output = await agent.stream('output_stream_data', '$ ');
    const second = await resumed(w, session);
    const third = await resumed(w, session);
    for (const end of [second, third]) expect(streamed(end)).toEqual([output]);
  });
});

test('an agent that comes back is sent the input that it has not acknowledged, and the client nothing twice', async () => {
  const w = world();
  const { node, agent, client, session } = await connected(w);
  await agent.stream('output_stream_data', '$ ');
  const first = await client.stream('input_stream_data', 'a');
  await acknowledge(agent, first);
  const second = await client.stream('input_stream_data', 'b');
  const again = await node.join(session.SessionId);
  expect(streamed(again)).toEqual([second]);
  expect(client.payloads('output_stream_data')).toEqual(['$ ']);
});

test('a client that comes back while the agent is away is sent what was kept for it', async () => {
  const w = world();
  const { agent, client, session } = await connected(w);
  client.socket.close();
  await w.settle();
  const output = await agent.stream('output_stream_data', 'meanwhile');
  agent.socket.close();
  await w.settle();
  const again = await resumed(w, session);
  expect(streamed(again)).toEqual([output]);
});

test('a trial payload that was withdrawn is kept as what took its place', async () => {
  const w = world();
  const { node, client, session } = await connected(w);
  await client.sendMessage('input_stream_data', `{"cols":80,"rows":24}${' '.repeat(5000)}`, {
    payloadType: 3,
  });
  const instead = await client.sendMessage('input_stream_data', '{"cols":80,"rows":24}', { payloadType: 3 });
  const again = await node.join(session.SessionId);
  expect(streamed(again)).toEqual([instead]);
});

describe('acknowledges that are not believed', () => {
  const payload = (members: object) => ({
    AcknowledgedMessageType: 'output_stream_data',
    AcknowledgedMessageId: '5ad76e70-8ffa-47e4-b446-0c40fbb0828c',
    AcknowledgedMessageSequenceNumber: 0,
    IsSequentialMessage: true,
    ...members,
  });

  test.each([
    ['of a message that was never sent', payload({ AcknowledgedMessageSequenceNumber: 1 })],
    ['of a message of the sender’s own', payload({ AcknowledgedMessageType: 'input_stream_data' })],
    ['of the number 2^53', payload({ AcknowledgedMessageSequenceNumber: 2 ** 53 })],
    ['of a negative number', payload({ AcknowledgedMessageSequenceNumber: -1 })],
    ['of no number', payload({ AcknowledgedMessageSequenceNumber: '0' })],
    [
      'without an end',
      '{"AcknowledgedMessageType":"output_stream_data","AcknowledgedMessageSequenceNumber":0',
    ],
    ['of more than an acknowledge has to say', payload({ More: 'x'.repeat(2000) })],
    ['of nothing', new Uint8Array()],
  ])('%s: is passed on, and the message as well when it comes again', async (_, told) => {
    const w = world();
    const { agent, client } = await connected(w);
    const output = await agent.stream('output_stream_data', '$ ');
    const sent = await client.sendMessage('acknowledge', told);
    expect(agent.frames.at(-1)).toEqual(sent);
    const seen = agent.frames.length;
    await agent.send(output);
    expect(client.payloads('output_stream_data')).toEqual(['$ ', '$ ']);
    expect(agent.frames).toHaveLength(seen);
    // Nor does it count when the message is sent in the end.
    const next = await agent.stream('output_stream_data', 'next');
    await agent.send(next);
    expect(client.payloads('output_stream_data').slice(2)).toEqual(['next', 'next']);
  });

  test('one whose JSON is written in another way is believed', async () => {
    const w = world();
    const { agent, client } = await connected(w);
    const output = await agent.stream('output_stream_data', '$ ');
    await client.sendMessage(
      'acknowledge',
      '{ "IsSequentialMessage": true, "AcknowledgedMessageSequenceNumber": 0, "AcknowledgedMessageType": "output_stream_data" }',
      { headerLength: 112 },
    );
    await agent.send(output);
    expect(client.payloads('output_stream_data')).toEqual(['$ ']);
    expect(agent.types.filter((type) => type === 'acknowledge')).toHaveLength(2);
  });
});

test('a stream of numbers beyond what can be counted is relayed, and costs nothing', async () => {
  const w = world();
  const { agent, client } = await connected(w);
  const output = await agent.stream('output_stream_data', '$ ');
  const huge = output.slice();
  huge.fill(0x7f, 48, 56);
  await agent.send(huge);
  await agent.send(huge);
  expect(client.frames.slice(-2)).toEqual([huge, huge]);
});
