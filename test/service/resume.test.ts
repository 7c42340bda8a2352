/** A service that takes over what one before it left in the store, which was killed or closed. */
import { expect, test } from 'vitest';
import { mortalStore } from '../../sim/service/mortal-store.ts';
import { memoryStore, type Store } from '../../src/service/index.ts';
import { VirtualClock } from '../../src/testing/index.ts';
import { connected, NODE, WireNode, type World, world } from './world.ts';

const MINUTE = 60_000;

/** A service with a session, and what starts the next one on its store after it was killed. */
async function killable() {
  const clock = new VirtualClock();
  const lasting = memoryStore();
  const first = mortalStore(lasting);
  const before = world({ clock, store: first.store });
  const parts = await connected(before);
  return {
    clock,
    lasting,
    before,
    ...parts,
    sessionId: parts.session.SessionId,
    async restart(downtime = 0): Promise<World> {
      first.kill();
      await clock.advance(downtime);
      return resumed(clock, lasting);
    },
  };
}

async function resumed(clock: VirtualClock, store: Store): Promise<World> {
  const after = world({ clock, store, seed: 8 });
  await clock.runUntil(after.service.resume());
  return after;
}

async function reconnected(after: World, clock: VirtualClock): Promise<WireNode> {
  const node = new WireNode(NODE, clock, after.transport);
  await node.connect();
  return node;
}

test('a session goes on when both ends come back', async () => {
  const { clock, restart, sessionId } = await killable();
  const after = await restart();
  expect(await after.status(sessionId)).toMatchObject({ Status: 'Disconnected' });
  const node = await reconnected(after, clock);
  const agent = await node.join(sessionId);
  const client = await after.client((await after.ok('ResumeSession', { SessionId: sessionId })) as never);
  expect(await after.status(sessionId)).toMatchObject({ Status: 'Connected' });
  const output = await agent.stream('output_stream_data', 'hello');
  const input = await client.stream('input_stream_data', 'ls\r');
  expect(client.frames.at(-1)).toEqual(output);
  expect(agent.frames.at(-1)).toEqual(input);
  expect(after.events).toContainEqual(
    expect.objectContaining({ type: 'session', previousStatus: 'Connected', status: 'Disconnected' }),
  );
});

test('no node is connected until its agent is back', async () => {
  const { clock, restart } = await killable();
  const after = await restart();
  expect(await after.call('StartSession', { Target: NODE })).toMatchObject({
    status: 400,
    body: { __type: 'TargetNotConnected' },
  });
  expect(await after.service.targets()).toMatchObject([{ id: NODE, connected: false }]);
  await reconnected(after, clock);
  await after.start();
});

test('a session that the node had not been told of is started when it is back', async () => {
  const { clock, before, restart } = await killable();
  const { SessionId } = await before.start();
  const after = await restart();
  const node = await reconnected(after, clock);
  expect(node.control.types).toEqual(['interactive_shell']);
  const agent = await node.joinReady(SessionId);
  expect(agent.closed).toBeUndefined();
});

test('a session that was connecting has the whole time to connect again, and no more', async () => {
  const { clock, before, restart } = await killable();
  const { SessionId } = await before.start();
  const after = await restart(30 * MINUTE);
  await clock.advance(0.9 * MINUTE);
  expect(await after.status(SessionId)).toMatchObject({ Status: 'Connecting' });
  await clock.advance(0.2 * MINUTE);
  expect(await after.status(SessionId)).toMatchObject({ Status: 'Failed' });
  expect(after.events).toContainEqual(
    expect.objectContaining({ sessionId: SessionId, endReason: 'ConnectTimeout' }),
  );
});

test('a token that was used before the kill is used up, and one that was not opens its channel', async () => {
  const { restart, before, session } = await killable();
  const unused = (await before.ok('ResumeSession', { SessionId: session.SessionId })) as never;
  const after = await restart();
  expect((await after.client(session)).closed).toMatchObject({ code: 1008 });
  expect((await after.client(unused)).closed).toBeUndefined();
  expect((await after.client(unused)).closed).toMatchObject({ code: 1008 });
  expect(await after.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
});

test('a clock that was set back while the service was down makes no session idle for longer', async () => {
  const { lasting, before, session } = await killable();
  const clock = new VirtualClock(before.clock.now() - 60 * MINUTE);
  const after = await resumed(clock, lasting);
  await (await reconnected(after, clock)).joinReady(session.SessionId);
  await clock.advance(21 * MINUTE);
  expect(after.events).toContainEqual(expect.objectContaining({ endReason: 'ResumeWindow' }));
});

test('whoever comes back after the end is told of it by the service that took over', async () => {
  const { clock, agent, restart, sessionId } = await killable();
  await agent.sendMessage('agent_session_state', {
    SchemaVersion: 1,
    SessionState: 'Terminating',
    SessionId: sessionId,
  });
  const after = await restart();
  const resume = () => after.ok('ResumeSession', { SessionId: sessionId });
  expect(await resume()).toEqual({ SessionId: sessionId, Status: 'Terminating' });
  await clock.advance(2 * MINUTE);
  const node = await reconnected(after, clock);
  await node.complete(sessionId, { ExitCode: 7 });
  expect(await resume()).toEqual({ SessionId: sessionId, EndReason: 'CommandExited', ExitCode: 7 });
});

test('the idle timer goes on from what was noted, and a tenth of it at most later', async () => {
  const { clock, agent, restart, sessionId } = await killable();
  for (let i = 0; i < 10; i++) {
    await clock.advance(MINUTE);
    await agent.stream('output_stream_data', '.');
  }
  const after = await restart(5 * MINUTE);
  await (await reconnected(after, clock)).join(sessionId);
  await after.client((await after.ok('ResumeSession', { SessionId: sessionId })) as never);
  await clock.advance(14 * MINUTE);
  expect(await after.status(sessionId)).toMatchObject({ Status: 'Connected' });
  await clock.advance(3.1 * MINUTE);
  expect(await after.status(sessionId)).toMatchObject({ Status: 'Terminating' });
});

test('a session whose idle time ran out while the service was down has a minute to show that it is alive', async () => {
  const { clock, restart, sessionId } = await killable();
  const after = await restart(60 * MINUTE);
  await clock.advance(0.9 * MINUTE);
  expect(await after.status(sessionId)).toMatchObject({ Status: 'Disconnected' });
  await clock.advance(0.2 * MINUTE);
  expect(after.events).toContainEqual(expect.objectContaining({ endReason: 'ResumeWindow' }));
});

test('the maximum duration counts from the start', async () => {
  const clock = new VirtualClock();
  const store = memoryStore();
  const first = mortalStore(store);
  const documents = {
    Short: {
      schemaVersion: '1.0' as const,
      sessionType: 'Standard_Stream' as const,
      inputs: { maxSessionDuration: '10' },
    },
  };
  const before = world({ clock, store: first.store, documents });
  await connected(before, { DocumentName: 'Short' });
  await clock.advance(7 * MINUTE);
  first.kill();
  const after = await resumed(clock, store);
  await clock.advance(2.9 * MINUTE);
  expect(after.events).not.toContainEqual(expect.objectContaining({ endReason: 'MaxDuration' }));
  await clock.advance(0.2 * MINUTE);
  expect(after.events).toContainEqual(expect.objectContaining({ endReason: 'MaxDuration' }));
});

test('an agent has its whole time to come back', async () => {
  const { clock, agent, restart, sessionId } = await killable();
  agent.socket.close();
  await clock.advance(4 * MINUTE);
  const after = await restart(4 * MINUTE);
  await clock.advance(4 * MINUTE);
  expect(await after.status(sessionId)).toMatchObject({ Status: 'Disconnected' });
  await clock.advance(1.1 * MINUTE);
  expect(await after.status(sessionId)).toMatchObject({ Status: 'Failed' });
  expect(after.events).toContainEqual(expect.objectContaining({ endReason: 'TargetDisconnected' }));
});

test('an end that was called for before is told to the agent that comes back, and waited for again', async () => {
  const { clock, before, restart, sessionId } = await killable();
  await before.ok('TerminateSession', { SessionId: sessionId });
  const after = await restart(10 * MINUTE);
  expect(await after.status(sessionId)).toMatchObject({ Status: 'Terminating' });
  const node = await reconnected(after, clock);
  expect(node.control.types).toEqual(['channel_closed']);
  await node.complete(sessionId, { ExitCode: 3 });
  expect(await after.status(sessionId)).toMatchObject({ Status: 'Terminated' });
  expect(await after.ok('ResumeSession', { SessionId: sessionId })).not.toHaveProperty('TokenValue');
});

test('an end that nobody confirms comes by itself', async () => {
  const { clock, before, restart, sessionId } = await killable();
  await before.ok('TerminateSession', { SessionId: sessionId });
  const after = await restart(10 * MINUTE);
  // The agent has to come back first.
  await clock.advance(4.9 * MINUTE);
  expect(await after.status(sessionId)).toMatchObject({ Status: 'Terminating' });
  await clock.advance(0.2 * MINUTE);
  expect(await after.status(sessionId)).toMatchObject({ Status: 'Terminated' });
});

test('a completion that was not recorded is taken when the agent repeats it', async () => {
  const { clock, restart, sessionId } = await killable();
  const after = await restart();
  const node = await reconnected(after, clock);
  await node.complete(sessionId);
  expect(node.control.types).toEqual(['agent_task_acknowledge']);
  expect(await after.status(sessionId)).toMatchObject({ Status: 'Terminated' });
});

test('sessions that are over stay as they are', async () => {
  const { clock, node, agent, restart, lasting, sessionId } = await killable();
  agent.socket.close();
  await node.complete(sessionId);
  await clock.advance(1000);
  const record = await lasting.sessions.get(sessionId);
  expect(record?.value.status).toBe('Terminated');
  await restart();
  expect(await lasting.sessions.get(sessionId)).toEqual(record);
});

test('a service that is closed for a restart ends no session, and leaves no channel in the store', async () => {
  const clock = new VirtualClock();
  const store = memoryStore();
  const before = world({ clock, store });
  const { node, agent, client, session } = await connected(before);
  await clock.runUntil(before.service.close({ sessions: 'keep' }));
  const record = (await store.sessions.get(session.SessionId))!.value;
  expect(record).toMatchObject({ status: 'Disconnected', client: {}, agent: {} });
  expect([record.client.channel, record.agent.channel]).toEqual([undefined, undefined]);
  expect((await store.nodes.get(NODE))!.value.channel).toBeUndefined();
  await clock.advance(0);
  for (const peer of [node.control, agent, client]) expect(peer.closed?.code).toBe(1001);
  for (const peer of [node.control, agent, client]) expect(peer.types).not.toContain('channel_closed');

  const after = await resumed(clock, store);
  const again = await (await reconnected(after, clock)).join(session.SessionId);
  await after.client((await after.ok('ResumeSession', session)) as never);
  expect(again.closed).toBeUndefined();
  expect(await after.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
});

test('sessions that were resumed end with the service', async () => {
  const { clock, restart, sessionId } = await killable();
  const after = await restart();
  await clock.runUntil(after.service.close());
  expect(after.events).toContainEqual(
    expect.objectContaining({ sessionId, status: 'Terminated', endReason: 'ServiceShutdown' }),
  );
});
