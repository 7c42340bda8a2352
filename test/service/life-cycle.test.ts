import { describe, expect, test } from 'vitest';
import { memoryStore, type SessionDocument } from '../../src/service/index.ts';
import { connected, JANE, NODE, signedCall, type World, type WorldOptions, world } from './world.ts';

const MINUTE = 60_000;

function withInputs(inputs: object): WorldOptions {
  const document: SessionDocument = {
    schemaVersion: '1.0',
    sessionType: 'Standard_Stream',
    inputs: { ...inputs },
  };
  return { documents: { 'SSM-SessionManagerRunShell': document } };
}

const changes = (w: World) =>
  w.events.filter((event) => event.type === 'session').map(({ status }) => status);
const lastChange = (w: World) => w.events.filter((event) => event.type === 'session').at(-1);

describe('states', () => {
  test('a session is Connected when the agent has said so and the client is there', async () => {
    const w = world();
    const node = await w.node();
    const session = await w.start();
    const client = await w.client(session);
    await node.join(session.SessionId);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Connecting' });
    const agent = await node.joinReady(session.SessionId);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
    client.socket.close();
    await w.settle();
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Disconnected' });
    expect(agent.closed).toBeUndefined();
    await w.client((await w.ok('ResumeSession', session)) as never);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
    expect(changes(w)).toEqual(['Connecting', 'Connected', 'Disconnected', 'Connected']);
  });

  test('an agent whose word of being connected was lost with its connection is, once its output comes', async () => {
    const w = world();
    const node = await w.node();
    const session = await w.start();
    await w.client(session);
    const agent = await node.join(session.SessionId);
    await agent.stream('output_stream_data', '$ ');
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
    await w.clock.advance(2 * MINUTE);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
  });

  test('when the shell ends the client gets everything, then channel_closed with the exit status', async () => {
    const w = world();
    const { node, agent, client, session } = await connected(w);
    await agent.sendMessage('agent_session_state', { SessionState: 'Terminating' });
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Terminating' });
    await node.complete(session.SessionId, { Output: 'bye', ExitCode: 3 });
    expect(client.closed).toBeUndefined();
    // The completion overtook the output, on its own connection.
    await agent.stream('output_stream_data', 'last words');
    agent.socket.close();
    await w.settle();
    expect(client.payloads('output_stream_data')).toEqual(['last words']);
    expect(client.types.at(-1)).toBe('channel_closed');
    expect(client.json('channel_closed')).toMatchObject([
      {
        SessionId: session.SessionId,
        DestinationId: node.id,
        Output: 'bye',
        ExitCode: 3,
        EndReason: 'CommandExited',
      },
    ]);
    expect(client.closed?.code).toBe(1000);
    expect(await w.status(session.SessionId)).toMatchObject({
      Status: 'Terminated',
      EndDate: w.clock.now() / 1000,
    });
  });

  test('the agent closes first, the completion follows', async () => {
    const w = world();
    const { node, agent, client, session } = await connected(w);
    await agent.stream('output_stream_data', 'last words');
    agent.socket.close();
    await w.settle();
    expect(client.types).not.toContain('channel_closed');
    await node.complete(session.SessionId);
    expect(client.types.at(-1)).toBe('channel_closed');
  });

  test('an agent that leaves its channel open after the completion has 30 seconds', async () => {
    const w = world();
    const { node, agent, client, session } = await connected(w);
    await node.complete(session.SessionId);
    await w.clock.advance(30_000 - 1);
    expect([agent.closed, client.closed]).toEqual([undefined, undefined]);
    await w.clock.advance(1);
    expect(agent.closed?.code).toBe(1000);
    expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'CommandExited' }]);
  });

  test('a session that its client ended says so', async () => {
    const w = world();
    const { node, agent, client, session } = await connected(w);
    await client.stream('input_stream_data', new Uint8Array([0, 0, 0, 2]), 10);
    agent.socket.close();
    await node.complete(session.SessionId);
    expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'ClientEnded' }]);
  });

  test('a failure before the client comes is kept for it', async () => {
    const w = world();
    const node = await w.node();
    const session = await w.start();
    await node.complete(session.SessionId, { FinalTaskStatus: 'Failed', Output: 'no such plugin' });
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Failed', Details: 'no such plugin' });
    const client = await w.client(session);
    expect(client.json('channel_closed')).toMatchObject([
      { Output: 'no such plugin', EndReason: 'AgentFailure' },
    ]);
    expect(client.closed?.code).toBe(1000);
  });

  test('a completion that comes twice is acknowledged twice and counts once', async () => {
    const w = world();
    const { node, session } = await connected(w);
    await node.complete(session.SessionId, { ExitCode: 1 });
    await node.complete(session.SessionId, { FinalTaskStatus: 'Failed', Output: 'again', RetryNumber: 2 });
    const [first, second] = node.control.json('agent_task_acknowledge');
    expect(first).toMatchObject({ TaskId: session.SessionId, Topic: 'agent_task_complete' });
    expect(second?.MessageId).not.toBe(first?.MessageId);
    expect(changes(w)).toEqual(['Connecting', 'Connected', 'Terminated']);
  });

  test('a node cannot complete the session of another', async () => {
    const w = world();
    const { session } = await connected(w);
    const stranger = await w.node('mi-0fedcba9876543210');
    await stranger.complete(session.SessionId);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
  });
});

describe('TerminateSession', () => {
  test('tells the agent on both channels and the client at once', async () => {
    const w = world();
    const { node, agent, client, session } = await connected(w);
    expect(await w.ok('TerminateSession', session)).toEqual({ SessionId: session.SessionId });
    expect(node.control.json('channel_closed')).toMatchObject([
      { SessionId: session.SessionId, DestinationId: node.id },
    ]);
    expect(agent.types.at(-1)).not.toBe('output_stream_data');
    expect(agent.types).toContain('channel_closed');
    expect(client.json('channel_closed')).toMatchObject([{ Output: '', EndReason: 'UserTerminated' }]);
    expect(client.closed?.code).toBe(1000);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Terminating' });
    agent.socket.close();
    await node.complete(session.SessionId);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Terminated' });
    expect(lastChange(w)).toMatchObject({ endReason: 'UserTerminated' });
  });

  test('can be repeated, also when the session is over', async () => {
    const w = world();
    const { node, session } = await connected(w);
    await w.ok('TerminateSession', session);
    await w.ok('TerminateSession', session);
    await node.complete(session.SessionId);
    await w.ok('TerminateSession', session);
    expect(node.control.json('channel_closed')).toHaveLength(1);
  });

  test('a session whose agent says nothing is Terminated after 30 seconds', async () => {
    const w = world();
    const { agent, session } = await connected(w);
    await w.ok('TerminateSession', session);
    await w.clock.advance(30_000 - 1);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Terminating' });
    await w.clock.advance(1);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Terminated' });
    expect(agent.closed?.code).toBe(1000);
  });

  test('an agent that was away learns of it when its control channel is back', async () => {
    const w = world();
    const { node, session } = await connected(w);
    node.control.socket.close();
    await w.settle();
    await w.ok('TerminateSession', session);
    await node.connect();
    expect(node.control.json('channel_closed')).toMatchObject([{ SessionId: session.SessionId }]);
  });
});

describe('timers', () => {
  test('a session that nobody joins fails after 60 seconds', async () => {
    const w = world();
    const node = await w.node();
    const session = await w.start();
    await w.clock.advance(60_000 - 1);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Connecting' });
    await w.clock.advance(1);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Failed' });
    expect(lastChange(w)).toMatchObject({ endReason: 'ConnectTimeout' });
    expect(node.control.types).toContain('channel_closed');
  });

  test('an idle session ends after 20 minutes, or up to a second later', async () => {
    const w = world();
    const { client, agent } = await connected(w);
    await w.clock.advance(20 * MINUTE - 1);
    expect(client.closed).toBeUndefined();
    await w.clock.advance(1001);
    expect(client.json('channel_closed')).toMatchObject([
      {
        Output: 'Your session timed out due to inactivity and has been terminated.',
        EndReason: 'IdleTimeout',
      },
    ]);
    expect(agent.types).toContain('channel_closed');
  });

  test('stream data of either side keeps it alive; resizes, acknowledges and retransmissions do not', async () => {
    const w = world(withInputs({ idleSessionTimeout: '10' }));
    const { client, agent } = await connected(w);
    await w.clock.advance(9 * MINUTE);
    const keystroke = await client.stream('input_stream_data', 'a');
    await w.clock.advance(9 * MINUTE);
    await agent.stream('output_stream_data', 'a');
    await w.clock.advance(9 * MINUTE);
    expect(client.closed).toBeUndefined();
    await client.stream('input_stream_data', '{"cols":1,"rows":1}', 3);
    await client.send(keystroke);
    await agent.sendMessage('acknowledge', {});
    await w.clock.advance(MINUTE + 1000);
    expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'IdleTimeout' }]);
  });

  test('a client that stays away loses its session at the idle timeout', async () => {
    const w = world();
    const { client, session } = await connected(w);
    client.socket.close();
    await w.clock.advance(20 * MINUTE);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Disconnected' });
    await w.clock.advance(1000);
    expect(lastChange(w)).toMatchObject({ status: 'Terminating', endReason: 'ResumeWindow' });
  });

  test('a session ends at its maximum duration, however busy', async () => {
    const w = world(withInputs({ maxSessionDuration: 30 }));
    const { client } = await connected(w);
    for (let minute = 0; minute < 29; minute++) {
      await w.clock.advance(MINUTE);
      await client.stream('input_stream_data', 'a');
    }
    expect(client.closed).toBeUndefined();
    await w.clock.advance(MINUTE);
    expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'MaxDuration' }]);
  });

  test('an agent may be away for 5 minutes', async () => {
    const w = world();
    const { node, agent, client, session } = await connected(w);
    agent.socket.close();
    await w.clock.advance(5 * MINUTE - 1);
    const again = await node.join(session.SessionId);
    await w.clock.advance(MINUTE);
    expect(client.closed).toBeUndefined();
    again.socket.close();
    await w.clock.advance(5 * MINUTE);
    expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'TargetDisconnected' }]);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Failed' });
  });

  test('history lasts 30 days', async () => {
    const w = world();
    const { node, agent, session } = await connected(w);
    agent.socket.close();
    await node.complete(session.SessionId);
    node.control.socket.close(); // its heartbeat would take 86,400 turns
    await w.clock.advance(30 * 24 * 60 * MINUTE - 1);
    expect(await w.status(session.SessionId)).toBeDefined();
    await w.clock.advance(1);
    expect(await w.status(session.SessionId)).toBeUndefined();
    expect((await w.call('ResumeSession', session)).body).toMatchObject({ __type: 'DoesNotExistException' });
  });

  test('nothing runs on for a session that is over', async () => {
    const w = world();
    const { node, agent, session } = await connected(w);
    agent.socket.close();
    await node.complete(session.SessionId);
    node.control.socket.close();
    await w.clock.advance(30_000);
    expect(w.clock.pending).toBe(0);
  });
});

test('a start that the node missed reaches it when its control channel is back', async () => {
  const w = world();
  const node = await w.node();
  const first = node.control;
  await node.connect();
  expect(first.closed?.code).toBe(1000);
  const session = await w.start();
  expect(first.types).toEqual([]);
  expect(node.control.types).toEqual(['interactive_shell']);
  await node.connect();
  expect(node.control.json('interactive_shell')).toMatchObject([{ TaskId: session.SessionId }]);
  await node.joinReady(session.SessionId);
  await node.connect();
  expect(node.control.types).toEqual([]);
});

test('an end that the node missed reaches it even when the agent never came to say that it was connected', async () => {
  const w = world();
  const node = await w.node();
  const session = await w.start();
  const agent = await node.join(session.SessionId);
  agent.socket.close();
  node.control.socket.close();
  await w.settle();
  await w.ok('TerminateSession', { SessionId: session.SessionId });
  await node.connect();
  expect(node.control.json('channel_closed')).toMatchObject([{ SessionId: session.SessionId }]);
});

test('ends that the node will never complete are not told at every connection for a month', async () => {
  const w = world();
  const node = await w.node();
  const sessions = [await w.start(), await w.start()];
  for (const { SessionId } of sessions) (await node.joinReady(SessionId)).socket.close();
  // The machine lost power, and has forgotten everything.
  node.control.socket.close();
  await w.clock.advance(10 * MINUTE);
  await node.connect();
  expect(node.control.json('channel_closed').map(({ SessionId }) => SessionId)).toEqual(
    sessions.map(({ SessionId }) => SessionId),
  );
  node.control.socket.close();
  await w.clock.advance(60 * MINUTE);
  await node.connect();
  expect(node.control.types).toEqual([]);
});

describe('a peer that went away without a word', () => {
  /** From the last sign of life to the end of it: two intervals of silence and one for the answer. */
  const NOTICED = 90_000;

  test('a client is taken for disconnected', async () => {
    const w = world();
    const { client, agent, session } = await connected(w);
    client.socket.pause?.(); // reads no ping
    await w.clock.advance(NOTICED);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Disconnected' });
    expect(agent.types.at(-1)).toBe('pause_publication');
  });

  test('a node is taken for not connected', async () => {
    const w = world();
    const node = await w.node();
    node.control.socket.pause?.();
    await w.clock.advance(NOTICED);
    expect(await w.ok('GetConnectionStatus', { Target: node.id })).toMatchObject({ Status: 'notconnected' });
  });

  test('one that answers pings is not', async () => {
    const w = world();
    const { node, session } = await connected(w);
    await w.clock.advance(10 * MINUTE);
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
    expect(node.control.closed).toBeUndefined();
  });

  test('nor is one that the service itself does not read', async () => {
    const w = world({ limits: { highWater: 20_000 }, capacity: 30_000, timers: { stall: 10 * MINUTE } });
    const { agent, client, session } = await connected(w);
    client.socket.pause?.();
    while (agent.socket.bufferedAmount === 0) await agent.stream('output_stream_data', 'x'.repeat(880));
    await w.clock.advance(NOTICED + 30_000);
    expect(agent.closed).toBeUndefined();
    expect(client.closed).toBeDefined();
    expect(await w.status(session.SessionId)).toMatchObject({ Status: 'Disconnected' });
  });
});

test('a session whose start is still being authorized when the service closes is not started', async () => {
  let decide = () => {};
  const w = world({
    authorize: () =>
      new Promise((resolve) => {
        decide = () => resolve({ effect: 'Allow' });
      }),
  });
  await w.node();
  const call = await signedCall('StartSession', `{"Target":"${NODE}"}`, JANE, w.clock.now());
  const answer = w.service.fetch(call);
  await w.settle();
  await w.service.close();
  for (let checks = 0; checks < 2; checks++) {
    decide();
    await w.settle();
  }
  expect((await answer).status).toBe(503);
  expect(changes(w)).toEqual([]);
  expect(w.clock.pending).toBe(0);
});

test('one whose record is being written when the service closes is ended', async () => {
  const store = memoryStore();
  const w = world({ store });
  const node = await w.node();
  const create = store.sessions.create.bind(store.sessions);
  store.sessions.create = async (key, value) => {
    await w.service.close();
    return create(key, value);
  };
  expect((await w.call('StartSession', { Target: NODE })).status).toBe(503);
  expect(lastChange(w)).toMatchObject({ status: 'Terminated', endReason: 'ServiceShutdown' });
  expect(node.control.types).not.toContain('interactive_shell');
  expect(w.clock.pending).toBe(0);
});

test('closing the service ends its sessions and every channel', async () => {
  const w = world();
  const { node, agent, client, session } = await connected(w);
  await w.clock.runUntil(w.service.close());
  await w.settle();
  for (const peer of [agent, client, node.control]) expect(peer.closed).toBeDefined();
  expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'ServiceShutdown' }]);
  expect(agent.types).toContain('channel_closed');
  expect(node.control.types).toContain('channel_closed');
  expect(lastChange(w)).toMatchObject({ sessionId: session.SessionId, status: 'Terminated' });
  expect((await w.call('DescribeSessions', { State: 'Active' })).status).toBe(503);
  await w.clock.advance(30_000);
  expect(w.clock.pending).toBe(0);
});
