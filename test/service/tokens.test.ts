import { expect, test } from 'vitest';
import { signRequest } from '../../src/crypto/index.ts';
import { memoryStore } from '../../src/service/index.ts';
import { connected, ENDPOINT, JANE, NODE, Peer, REGION, type Started, type World, world } from './world.ts';

const REFUSED = 1008;

/** Opens a socket at the path of a session and shows a token. */
async function open(w: World, sessionId: string, text: string | Uint8Array): Promise<Peer> {
  const url = `${ENDPOINT.replace('http', 'ws')}/v1/data-channel/${encodeURIComponent(sessionId)}`;
  const peer = new Peer(await w.clock.runUntil(w.transport.connect(url)), w.clock);
  await peer.send(text);
  return peer;
}

const show = (TokenValue: string) => JSON.stringify({ TokenValue });

test('a token is good once', async () => {
  const w = world();
  const { session, client } = await connected(w);
  const again = await open(w, session.SessionId, show(session.TokenValue));
  expect(again.closed?.code).toBe(REFUSED);
  expect(client.closed).toBeUndefined();
});

test('a token is good for 60 seconds', async () => {
  const w = world({ timers: { connect: 600_000 } });
  await w.node();
  const [first, second] = [await w.start(), await w.start()];
  await w.clock.advance(60_000 - 1);
  expect((await w.client(first)).closed).toBeUndefined();
  await w.clock.advance(1);
  expect((await w.client(second)).closed?.code).toBe(REFUSED);
});

test('a token opens its own session only', async () => {
  const w = world();
  await w.node();
  const [first, second] = [await w.start(), await w.start()];
  expect((await open(w, first.SessionId, show(second.TokenValue))).closed?.code).toBe(REFUSED);
  expect((await w.client(second)).closed).toBeUndefined();
});

test('a token of the client does not open the agent’s side, nor the other way round', async () => {
  const w = world();
  const node = await w.node();
  const session = await w.start();
  const path = `/v1/data-channel/${session.SessionId}`;
  const { token } = await node.createChannel(path);
  expect((await open(w, session.SessionId, show(token))).closed?.code).toBe(REFUSED);
  const headers = await node.sign('GET', new URL(path, ENDPOINT));
  const socket = await w.clock.runUntil(
    w.transport.connect(ENDPOINT.replace('http', 'ws') + path, { headers }),
  );
  const agent = new Peer(socket, w.clock);
  await agent.send(show(session.TokenValue));
  expect(agent.closed?.code).toBe(REFUSED);
  expect((await w.client(session)).closed).toBeUndefined();
});

test('a client may sign its upgrade, and is a client all the same', async () => {
  const w = world();
  await w.node();
  const session = await w.start();
  const options = { credentials: JANE, region: REGION, service: 'ssmmessages', now: w.clock.now() };
  const url = new URL(session.StreamUrl.replace('ws', 'http'));
  const headers = await signRequest({ method: 'GET', url, headers: {} }, options);
  const client = new Peer(
    await w.clock.runUntil(w.transport.connect(session.StreamUrl, { headers })),
    w.clock,
  );
  await client.send(show(session.TokenValue));
  expect(client.closed).toBeUndefined();
  expect(client.types).toEqual(['pause_publication']);
});

test('ResumeSession makes the token before it worthless', async () => {
  const w = world();
  await w.node();
  const session = await w.start();
  const resumed = (await w.ok('ResumeSession', { SessionId: session.SessionId })) as unknown as Started;
  expect(resumed).toMatchObject({ SessionId: session.SessionId, StreamUrl: session.StreamUrl });
  expect((await w.client(session)).closed?.code).toBe(REFUSED);
  expect((await w.client(resumed)).closed).toBeUndefined();
});

test('tokens are kept hashed and appear in no event', async () => {
  const store = memoryStore();
  const w = world({ store });
  await w.node();
  const session = await w.start();
  const [entry] = await store.sessions.list();
  expect(entry?.value.client.token?.hash).toMatch(/^[0-9a-f]{64}$/);
  expect(JSON.stringify(entry)).not.toContain(session.TokenValue);
  expect(JSON.stringify(w.events)).not.toContain(session.TokenValue);
  await w.client(session);
  expect((await store.sessions.get(session.SessionId))?.value.client.token).toBeUndefined();
});

test('a socket that shows no token in 15 seconds is closed, and so is one that begins with anything else', async () => {
  const w = world();
  const { session } = await connected(w);
  const silent = await open(w, session.SessionId, '');
  expect(silent.closed?.code).toBe(REFUSED);
  expect((await open(w, session.SessionId, new Uint8Array(200))).closed?.code).toBe(REFUSED);
  expect((await open(w, session.SessionId, `{"TokenValue":"${'x'.repeat(9000)}"}`)).closed?.code).toBe(
    REFUSED,
  );
  await expect(open(w, 'no-such-session', show('x'))).rejects.toThrow('Session is already terminated');
  const url = session.StreamUrl;
  const idle = new Peer(await w.clock.runUntil(w.transport.connect(url)), w.clock);
  await w.clock.advance(15_000 - 1);
  expect(idle.closed).toBeUndefined();
  await w.clock.advance(1);
  expect(idle.closed?.code).toBe(REFUSED);
});

test('no more sockets than the limit wait for their token', async () => {
  const w = world({ limits: { openingChannels: 2 } });
  await w.node();
  const { StreamUrl } = await w.start();
  const first = await w.clock.runUntil(w.transport.connect(StreamUrl));
  await w.clock.runUntil(w.transport.connect(StreamUrl));
  await expect(w.clock.runUntil(w.transport.connect(StreamUrl))).rejects.toThrow('503');
  first.close();
  await w.settle();
  await w.clock.runUntil(w.transport.connect(StreamUrl));
});

test('nobody takes the places of others with sockets for one session', async () => {
  const w = world();
  const node = await w.node();
  const { SessionId, StreamUrl } = await w.start();
  for (let i = 0; i < 16; i++) await w.clock.runUntil(w.transport.connect(StreamUrl));
  await expect(w.clock.runUntil(w.transport.connect(StreamUrl))).rejects.toThrow('503');
  const other = await w.start();
  const atOnce = Array.from({ length: 40 }, () => w.transport.connect(other.StreamUrl));
  let refused = 0;
  for (const result of await w.clock.runUntil(Promise.allSettled(atOnce))) {
    if (result.status === 'rejected') refused++;
    else result.value.handler = { message: () => {}, closed: () => refused++ };
  }
  await w.clock.advance(1_000);
  expect(refused).toBe(24);
  await node.join(SessionId);
  await w.client(await w.start());
  await w.clock.advance(15_000);
  await w.clock.runUntil(w.transport.connect(StreamUrl));
});

test('a session that is over has no token for its agent, in the words that the real one understands', async () => {
  const w = world();
  const { node, session } = await connected(w);
  const path = `/v1/data-channel/${session.SessionId}`;
  expect((await node.createChannel(path)).status).toBe(201);
  await w.ok('TerminateSession', session);
  for (const over of [path, '/v1/data-channel/no-such-session']) {
    const { status, text } = await node.createChannel(over);
    expect(status).toBe(400);
    expect(text).toContain('Session is already terminated');
  }
});

test('a node gets channels of its own only', async () => {
  const w = world();
  const { session } = await connected(w);
  const stranger = await w.node('mi-0fedcba9876543210');
  for (const path of [`/v1/control-channel/${NODE}`, `/v1/data-channel/${session.SessionId}`]) {
    const { status, text } = await stranger.createChannel(path);
    expect(status).toBe(403);
    expect(text).toContain('<AccessDeniedException>');
    const headers = await stranger.sign('GET', new URL(path, ENDPOINT));
    const upgrade = w.transport.connect(ENDPOINT.replace('http', 'ws') + path, { headers });
    await expect(w.clock.runUntil(upgrade)).rejects.toThrow('403');
  }
});

test('a control channel needs a signature and a registered node', async () => {
  const w = world();
  const path = `${ENDPOINT.replace('http', 'ws')}/v1/control-channel/${NODE}`;
  await expect(w.clock.runUntil(w.transport.connect(path))).rejects.toThrow('403');
  const answer = await w.service.fetch(
    new Request(path.replace('ws', 'http'), { method: 'POST', body: '{}' }),
  );
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain('MissingAuthenticationTokenException');
});
