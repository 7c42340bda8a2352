/**
 * Two services over one store and one bus, as two processes would be: the agent at one, the client at the other,
 * and nothing that goes between them arrives at once. Nothing may depend on both ends being in one place.
 */
import { expect, test } from 'vitest';
import { REMOTE_LATENCY, remoteBus, remoteStore } from '../../sim/service/remote.ts';
import { formatAcknowledge } from '../../src/channel/index.ts';
import {
  memoryBus,
  memoryStore,
  type RecordKind,
  type RecordStore,
  storeOf,
} from '../../src/service/index.ts';
import { VirtualClock } from '../../src/testing/index.ts';
import { busContract } from './bus-contract.ts';
import { activate, Machine } from './machine.ts';
import { storeContract } from './store-contract.ts';
import { NODE, type Peer, type Started, WireNode, type World, type WorldOptions, world } from './world.ts';

{
  const clock = new VirtualClock();
  const settle = () => clock.advance(10 * REMOTE_LATENCY);
  // Their own promises wait for the clock, so it runs along.
  const running = async <T>(work: Promise<T>): Promise<T> => clock.runUntil(work);
  storeContract(
    'a store at the other end of a network',
    async () => {
      const store = remoteStore(clock);
      const run = <T>(records: RecordStore<T>): RecordStore<T> => ({
        get: (key) => running(records.get(key)),
        create: (key, value) => running(records.create(key, value)),
        update: (entry, value) => running(records.update(entry, value)),
        delete: (entry) => running(records.delete(entry)),
        list: () => running(records.list()),
        watch: records.watch,
      });
      return storeOf(<T>(kind: RecordKind) => run(store[kind] as RecordStore<unknown>) as RecordStore<T>);
    },
    settle,
  );
  busContract('a bus at the other end of a network', async () => remoteBus(clock), settle);
}

interface Relays {
  readonly clock: VirtualClock;
  /** What every relay shares. */
  readonly shared: WorldOptions;
  /** Where the agent's data channel is. */
  readonly agentSide: World;
  /** Where the client calls and connects. */
  readonly clientSide: World;
  settle(): Promise<void>;
}

function relays(): Relays {
  const clock = new VirtualClock();
  const shared = { clock, store: remoteStore(clock), bus: remoteBus(clock), latency: 1 };
  return {
    clock,
    shared,
    agentSide: world({ ...shared, seed: 1 }),
    clientSide: world({ ...shared, seed: 2 }),
    settle: () => clock.advance(1000),
  };
}

async function connected({ agentSide, clientSide, settle }: Relays): Promise<{
  node: WireNode;
  agent: Peer;
  client: Peer;
  session: Started;
}> {
  const node = await agentSide.node();
  await settle();
  const session = await clientSide.start();
  await settle();
  expect(node.control.types).toEqual(['interactive_shell']);
  const agent = await node.joinReady(session.SessionId);
  await settle();
  const client = await clientSide.client(session);
  await settle();
  return { node, agent, client, session };
}

test('a session across two relays, from start to end', async () => {
  const r = relays();
  const { node, agent, client, session } = await connected(r);
  expect(agent.types).toEqual(['pause_publication', 'start_publication']);
  expect(await r.agentSide.status(session.SessionId)).toMatchObject({ Status: 'Connected' });

  const sent: Uint8Array[] = [];
  for (let i = 0; i < 20; i++) sent.push(await agent.stream('output_stream_data', `line ${i}`));
  const input = await client.stream('input_stream_data', 'exit\r');
  await r.settle();
  expect(client.frames.slice(-20)).toEqual(sent);
  expect(agent.frames.at(-1)).toEqual(input);

  await agent.stream('output_stream_data', 'last words');
  agent.socket.close();
  await node.complete(session.SessionId, { ExitCode: 4 });
  await r.settle();
  expect(client.payloads('output_stream_data').at(-1)).toBe('last words');
  expect(client.types.at(-1)).toBe('channel_closed');
  expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'CommandExited', ExitCode: 4 }]);
  expect(client.closed?.code).toBe(1000);
});

test('TerminateSession at one relay ends both ends wherever they are', async () => {
  const r = relays();
  const { node, agent, client, session } = await connected(r);
  await r.agentSide.ok('TerminateSession', { SessionId: session.SessionId });
  await r.settle();
  expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'UserTerminated' }]);
  expect(agent.types).toContain('channel_closed');
  expect(node.control.types).toContain('channel_closed');
});

test('a hybrid node belongs to all relays, and its end at one is its end at all', async () => {
  const r = relays();
  const activation = await activate(r.clientSide, { RegistrationLimit: 3 });
  const attempts = [0, 1, 2, 3].map((index) =>
    new Machine(index % 2 === 0 ? r.agentSide : r.clientSide, index).tryRegister(activation),
  );
  const answers = await Promise.all(attempts);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 400]);

  const machine = await new Machine(r.agentSide).register(activation);
  const { credentials } = await machine.roleToken();
  const node = new WireNode(machine.id, r.clock, r.clientSide.transport, credentials);
  await node.connect();
  await r.settle();
  expect((await machine.ping(credentials)).status).toBe(200);
  const session = await r.agentSide.start({ Target: machine.id });
  await r.settle();
  await r.agentSide.ok('DeregisterManagedInstance', { InstanceId: machine.id });
  await r.settle();
  expect(node.control.closed).toMatchObject({ code: 1008 });
  expect(await r.clientSide.status(session.SessionId)).toMatchObject({ Status: 'Failed' });
  expect((await node.createChannel(`/v1/control-channel/${machine.id}`)).status).toBe(400);
});

test('a client that resumes at another relay replaces its old channel there', async () => {
  const r = relays();
  const { agent, client, session } = await connected(r);
  const resumed = await r.agentSide.ok('ResumeSession', { SessionId: session.SessionId });
  const again = await r.agentSide.client(resumed as never);
  await r.settle();
  expect(client.closed?.code).toBe(1000);
  const output = await agent.stream('output_stream_data', 'hello');
  await r.settle();
  expect(again.frames.at(-1)).toEqual(output);
  expect(await r.clientSide.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
});

test('activity at either relay holds the idle timer of the one that started the session', async () => {
  const r = relays();
  const { agent, client } = await connected(r);
  for (let i = 0; i < 3; i++) {
    await r.clock.advance(15 * 60_000);
    await agent.stream('output_stream_data', '.');
  }
  await r.clock.advance(15 * 60_000);
  expect(client.closed).toBeUndefined();
  await r.clock.advance(6 * 60_000);
  expect(client.json('channel_closed')).toMatchObject([{ EndReason: 'IdleTimeout' }]);
});

test('a slow client at one relay slows down the agent at the other', async () => {
  const r = relays();
  const { agent, client } = await connected(r);
  client.socket.pause?.();
  let sent = 0;
  for (; sent < 3000 && agent.socket.bufferedAmount === 0; sent++) {
    await agent.stream('output_stream_data', new Uint8Array(1000));
    await r.clock.advance(2);
  }
  expect(sent).toBeLessThan(1500);
  client.socket.resume?.();
  await r.settle();
  expect(client.payloads('output_stream_data')).toHaveLength(sent);
});

test('an acknowledge that one relay has seen is repeated for an end that came to the other', async () => {
  const r = relays();
  const { node, agent, client, session } = await connected(r);
  const output = await agent.stream('output_stream_data', 'hello');
  await r.settle();
  await client.sendMessage('acknowledge', acknowledgeOf('output_stream_data', 0));
  await r.settle();
  const input = await client.stream('input_stream_data', 'ls');
  await r.settle();
  await agent.sendMessage('acknowledge', acknowledgeOf('input_stream_data', 0));
  await r.settle();

  // Nobody at the client's side has seen the agent's acknowledge but in passing, and that is enough.
  await client.send(input);
  await r.settle();
  expect(client.json('acknowledge').map(numberOf)).toEqual([0, 0]);
  // The relay where the agent was knows of both; the one where it is now, of neither.
  const third = world({ ...r.shared, seed: 3 });
  const elsewhere = await reopened(node, third, r);
  const again = await elsewhere.join(session.SessionId);
  await r.settle();
  const shown = client.frames.length;
  await again.send(output);
  await r.settle();
  expect(again.json('acknowledge').map(numberOf)).toEqual([0]);
  expect(client.frames).toHaveLength(shown);
  // Now it knows as well, though the client moves on to where nothing is known.
  const moved = await third.client((await third.ok('ResumeSession', session)) as never);
  await r.settle();
  await again.send(output);
  await r.settle();
  expect(again.json('acknowledge').map(numberOf)).toEqual([0, 0]);
  expect(moved.types).not.toContain('output_stream_data');
});

test('a client that resumes at another relay is sent what it has not acknowledged', async () => {
  const r = relays();
  const { agent, session } = await connected(r);
  const first = await agent.stream('output_stream_data', 'hello');
  await r.settle();
  const again = await r.agentSide.client((await r.agentSide.ok('ResumeSession', session)) as never);
  await r.settle();
  expect(again.frames).toContainEqual(first);
  await again.sendMessage('acknowledge', acknowledgeOf('output_stream_data', 0));
  await r.settle();
  const third = await r.clientSide.client((await r.clientSide.ok('ResumeSession', session)) as never);
  await r.settle();
  expect(third.types).not.toContain('output_stream_data');
});

const numberOf = (acknowledge: Record<string, unknown>) => acknowledge.AcknowledgedMessageSequenceNumber;

function acknowledgeOf(messageType: string, sequenceNumber: number): Uint8Array {
  return formatAcknowledge({
    messageType,
    messageId: '5ad76e70-8ffa-47e4-b446-0c40fbb0828c',
    sequenceNumber,
  });
}

/** The same node, at another relay. */
async function reopened({ id }: WireNode, at: World, r: Relays): Promise<WireNode> {
  const node = await at.node(id);
  await r.settle();
  return node;
}

test('tokens of a relay are good at another one that was started before their clock was set back', async () => {
  const clock = new VirtualClock();
  const [store, bus] = [memoryStore(), memoryBus()];
  const older = world({ clock, store, bus });
  await older.node();
  clock.jump(-3_600_000);
  const newer = world({ clock, store, bus, seed: 8 });
  const node = new WireNode(NODE, clock, older.transport);
  await node.connect();
  const session = await newer.start();
  const client = await older.client(session);
  expect(client.closed).toBeUndefined();
  await node.joinReady(session.SessionId);
  expect(await newer.status(session.SessionId)).toMatchObject({ Status: 'Connected' });
});
