import { describe, expect, test } from 'vitest';
import type { Socket } from '../../src/core/socket.ts';
import { connected, frame, type Peer, world } from './world.ts';

const bytes = (length: number) => new Uint8Array(length).fill(120);

describe('what is relayed', () => {
  test('frames go from end to end byte for byte', async () => {
    const w = world();
    const { agent, client } = await connected(w);
    const output = await agent.stream('output_stream_data', '$ ');
    const acknowledge = await client.sendMessage('acknowledge', { AcknowledgedMessageSequenceNumber: 0 });
    const input = await client.stream('input_stream_data', 'ls\r');
    expect(client.frames.at(-1)).toEqual(output);
    expect(agent.frames.slice(-2)).toEqual([acknowledge, input]);
  });

  test('a frame with a bad digest is the ends’ affair', async () => {
    const w = world();
    const { agent, client } = await connected(w);
    const payloadDigest = new Uint8Array(32);
    const sent = await agent.sendMessage('output_stream_data', 'x', { payloadType: 1, payloadDigest });
    expect(client.frames.at(-1)).toEqual(sent);
  });

  test('each side may send its own messages only', async () => {
    const w = world();
    const { agent, client } = await connected(w);
    const [toAgent, toClient] = [agent.frames.length, client.frames.length];
    for (const type of ['output_stream_data', 'channel_closed', 'pause_publication', 'agent_session_state']) {
      await client.sendMessage(type, { SessionState: 'Terminating' });
    }
    for (const type of ['input_stream_data', 'channel_closed', 'start_publication', 'interactive_shell']) {
      await agent.sendMessage(type, {});
    }
    expect(agent.frames).toHaveLength(toAgent);
    expect(client.frames).toHaveLength(toClient);
    expect(agent.closed).toBeUndefined();
  });

  test('agent_session_state is for the service', async () => {
    const w = world();
    const { client } = await connected(w);
    expect(client.types).not.toContain('agent_session_state');
  });
});

describe('while one end is away', () => {
  test('the agent is told to pause, then to start', async () => {
    const w = world();
    const node = await w.node();
    const session = await w.start();
    const agent = await node.join(session.SessionId);
    expect(agent.types).toEqual(['pause_publication']);
    const client = await w.client(session);
    expect(agent.types).toEqual(['pause_publication', 'start_publication']);
    expect(client.types).toEqual(['start_publication']);
    expect(client.payloads('start_publication')).toEqual(['{"Hawser":{"PayloadSize":524288}}']);
    client.socket.close();
    await w.settle();
    expect(agent.types).toEqual(['pause_publication', 'start_publication', 'pause_publication']);
  });

  test('what the agent sends before the client comes is delivered when it comes', async () => {
    const w = world();
    const node = await w.node();
    const session = await w.start();
    const agent = await node.join(session.SessionId);
    const first = await agent.stream('output_stream_data', 'handshake', 5);
    const client = await w.client(session);
    expect(client.frames).toContainEqual(first);
  });

  test('no more than the limit is kept: the last of it, for the agent sends the first again', async () => {
    const w = world({ limits: { unacknowledgedFrames: 3 * 1064 } });
    const node = await w.node();
    const session = await w.start();
    const agent = await node.join(session.SessionId);
    const sent: Uint8Array[] = [];
    for (let i = 0; i < 10; i++) sent.push(await agent.stream('output_stream_data', bytes(880)));
    const client = await w.client(session);
    expect(client.frames.slice(-3)).toEqual(sent.slice(-3));
    expect(client.payloads('output_stream_data')).toHaveLength(3);
  });

  test('a frame sent right behind the token is not lost', async () => {
    const w = world();
    const { session, agent } = await connected(w);
    const { TokenValue, StreamUrl } = (await w.ok('ResumeSession', { SessionId: session.SessionId })) as {
      TokenValue: string;
      StreamUrl: string;
    };
    const socket = await w.clock.runUntil(w.transport.connect(StreamUrl));
    const sent = frame(w.clock, 'input_stream_data', 'early', { payloadType: 1 });
    socket.send(JSON.stringify({ TokenValue }));
    socket.send(sent);
    await w.settle();
    expect(agent.frames.at(-1)).toEqual(sent);
  });
});

describe('newest wins', () => {
  test('an agent that reconnects replaces its old data channel', async () => {
    const w = world();
    const { node, agent, client, session } = await connected(w);
    const again = await node.join(session.SessionId);
    expect(agent.closed?.code).toBe(1000);
    const input = await client.stream('input_stream_data', 'a');
    expect(again.frames.at(-1)).toEqual(input);
    const output = await again.stream('output_stream_data', 'b');
    expect(client.frames.at(-1)).toEqual(output);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
  });

  test('a client that resumes replaces its old data channel', async () => {
    const w = world();
    const { agent, client, session } = await connected(w);
    const resumed = await w.ok('ResumeSession', { SessionId: session.SessionId });
    const again = await w.client(resumed as never);
    expect(client.closed?.code).toBe(1000);
    const output = await agent.stream('output_stream_data', 'b');
    expect(again.frames.at(-1)).toEqual(output);
    expect(client.frames).not.toContainEqual(output);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
  });
});

test('what comes from a channel that has been replaced is not relayed', async () => {
  const w = world({ latency: 10 });
  const node = await w.node();
  await w.clock.advance(100);
  const session = await w.start();
  await w.clock.advance(100);
  const agent = await node.join(session.SessionId);
  const client = await w.client(session);
  await w.clock.advance(100);
  const again = await w.client((await w.ok('ResumeSession', { SessionId: session.SessionId })) as never);
  await w.clock.advance(11); // the token has arrived, the close of the old channel is under way
  await client.stream('input_stream_data', 'late');
  await again.stream('input_stream_data', 'in time');
  await w.clock.advance(100);
  expect(client.closed?.code).toBe(1000);
  expect(agent.payloads('input_stream_data')).toEqual(['in time']);
});

describe('bounds', () => {
  const limits = { highWater: 20_000, hardBound: 100_000 };

  /** Frames until the sender's socket is full as well, or `most`. */
  async function flood(agent: Peer, socket: Socket, most: number): Promise<number> {
    let sent = 0;
    for (; sent < most && socket.bufferedAmount === 0; sent++) {
      await agent.stream('output_stream_data', bytes(880));
    }
    return sent;
  }

  test('a slow client slows the agent down, and nothing is lost', async () => {
    const w = world({ limits, capacity: 30_000 });
    const { agent, client } = await connected(w);
    client.socket.pause?.();
    const sent = await flood(agent, agent.socket, 1000);
    // Client's wire, service's socket up to the high-water mark, agent's wire.
    expect(sent).toBeGreaterThan(60);
    expect(sent).toBeLessThan(100);
    client.socket.resume?.();
    await w.clock.advance(1);
    expect(client.payloads('output_stream_data')).toHaveLength(sent);
  });

  test('where sockets cannot be paused, frames beyond the hard bound are dropped, and the session lives', async () => {
    const w = world({ limits, capacity: 30_000, pausable: false });
    const { agent, client } = await connected(w);
    client.socket.pause?.();
    for (let i = 0; i < 300; i++) await agent.stream('output_stream_data', bytes(880));
    client.socket.resume?.();
    await w.clock.advance(1);
    // The client's wire, and the service's socket up to the hard bound.
    const delivered = client.payloads('output_stream_data').length;
    expect(delivered).toBeGreaterThan(120);
    expect(delivered).toBeLessThanOrEqual(130);
    const next = await agent.stream('output_stream_data', 'next');
    expect(client.frames.at(-1)).toEqual(next);
  });

  test('a frame that has to wait keeps no more memory than its own', async () => {
    const kept: number[] = [];
    const onSend = (sent: Uint8Array) => kept.push(sent.buffer.byteLength);
    const w = world({
      limits: { highWater: 80_000, hardBound: 160_000 },
      capacity: 500,
      readSize: 65_536,
      onSend,
    });
    const node = await w.node();
    const session = await w.start();
    const agent = await node.join(session.SessionId);
    await agent.stream('output_stream_data', 'held');
    const client = await w.client(session);
    expect(kept.filter((bytes) => bytes === 65_536)).toEqual([]);
    client.socket.pause?.();
    for (let i = 0; i < 700; i++) await agent.stream('output_stream_data', 'x');
    // Those within the first 64 KiB are passed on as they came.
    expect(kept.filter((bytes) => bytes === 65_536).length).toBeLessThan(600);
    expect(kept.length).toBeGreaterThan(640);
  });

  test('full in both directions, neither end waits for the other', async () => {
    const w = world({ limits, capacity: 30_000 });
    const { agent, client } = await connected(w);
    client.socket.pause?.();
    agent.socket.pause?.();
    const output = await flood(agent, agent.socket, 1000);
    let input = 0;
    for (; input < 1000 && client.socket.bufferedAmount === 0; input++) {
      await client.stream('input_stream_data', bytes(880));
    }
    client.socket.resume?.();
    agent.socket.resume?.();
    await w.clock.advance(1);
    expect(client.payloads('output_stream_data')).toHaveLength(output);
    expect(agent.payloads('input_stream_data')).toHaveLength(input);
  });

  test('a client that reads nothing is disconnected, one that is slow is not', async () => {
    const w = world({ limits, capacity: 30_000 });
    const { agent, client, session } = await connected(w);
    const { socket } = client;
    const receive = socket.handler!.message;
    let appetite = 0;
    socket.handler!.message = (data) => {
      receive(data);
      if (--appetite <= 0) socket.pause?.();
    };
    socket.pause?.();
    await flood(agent, agent.socket, 1000);
    for (let i = 0; i < 8; i++) {
      await w.clock.advance(15_000);
      appetite = 5;
      socket.resume?.();
      await client.sendMessage('acknowledge', {});
    }
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
    await flood(agent, agent.socket, 1000);
    await w.clock.advance(45_000);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Disconnected' });
    expect(agent.types.at(-1)).toBe('pause_publication');
    expect(agent.socket.bufferedAmount).toBe(0);
  });

  test('an agent that reconnects while the client is slow is slowed down again', async () => {
    const w = world({ limits, capacity: 30_000 });
    const { node, agent, client, session } = await connected(w);
    client.socket.pause?.();
    await flood(agent, agent.socket, 1000);
    const again = await node.join(session.SessionId);
    // Its own wire is all there is room for.
    expect(await flood(again, again.socket, 1000)).toBeLessThan(40);
  });

  test('a channel is closed at the 16th unreadable frame, not before', async () => {
    const w = world();
    const { client, agent } = await connected(w);
    for (let i = 0; i < 5; i++) await client.send('text');
    for (let i = 0; i < 5; i++) await client.send(bytes(119));
    for (let i = 0; i < 5; i++) await client.send(bytes(2000));
    expect(client.closed).toBeUndefined();
    await client.send(new Uint8Array());
    expect(client.closed?.code).toBe(1002);
    expect(agent.types).not.toContain('input_stream_data');
  });

  test('a frame of the limit passes, one byte more does not', async () => {
    const w = world({ limits: { frame: 5000 } });
    const { client, agent } = await connected(w);
    await client.stream('input_stream_data', bytes(5000 - 120));
    await client.stream('input_stream_data', bytes(5001 - 120));
    expect(agent.payloads('input_stream_data').map((text) => text.length)).toEqual([4880]);
  });
});
