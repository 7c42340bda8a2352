import { expect, test } from 'vitest';
import { memoryStore } from '../../src/service/index.ts';
import { activate, Machine, messagesRequest, publicKeyOf, rsaKey } from './machine.ts';
import { WireNode, world } from './world.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test('a hybrid node lives for a month, and leaves nothing behind but its records', async () => {
  const store = memoryStore();
  const w = world({ store, timers: { nodeKey: 7 * DAY, roleToken: 4 * HOUR } });
  const machine = await new Machine(w).register(await activate(w));
  let keys = 0;
  let refused = 0;

  for (let day = 0; day < 30; day++) {
    let { credentials } = await machine.roleToken();
    // It lost its connection, as it does once a day.
    const node = new WireNode(machine.id, w.clock, w.transport, credentials);
    await node.connect();
    const session = await w.start({ Target: machine.id });
    const agent = await node.joinReady(session.SessionId);
    const client = await w.client(session);
    client.socket.close();
    agent.socket.close();
    await node.complete(session.SessionId);
    await node.complete(session.SessionId);
    for (let i = 0; i < 5; i++) {
      if ((await node.createChannel(`/v1/data-channel/${session.SessionId}`)).status === 400) refused++;
    }
    const left = new AbortController();
    const { signal } = left;
    const poll = w.service.fetch(await messagesRequest(w, 'GetMessages', {}, credentials, { signal }));
    left.abort();
    expect((await poll).status).toBe(200);

    for (let half = 0; half < 12; half++) {
      const token = await machine.roleToken();
      ({ credentials } = token);
      if (token.updateKeyPair) {
        const NewPublicKey = publicKeyOf(rsaKey(++keys));
        await machine.signed('UpdateManagedInstancePublicKey', { NewPublicKey, NewPublicKeyType: 'Rsa' });
        machine.key = rsaKey(keys);
      }
      expect((await machine.ping(credentials)).status).toBe(200);
      await w.clock.advance(2 * HOUR);
    }
    expect(node.control.closed).toBeUndefined();
    node.control.socket.close();
    await w.settle();
  }

  expect([keys, refused]).toEqual([4, 150]);
  const count = async (kind: keyof typeof store) => (await store[kind].list()).length;
  expect(await count('nodes')).toBe(1);
  expect(await count('sessions')).toBeLessThanOrEqual(30);
  expect(await count('roleCredentials')).toBeLessThanOrEqual(6);
  expect(JSON.stringify((await store.nodes.list())[0]).length).toBeLessThan(2500);
  await w.service.close();
  await w.settle();
  expect(w.clock.pending).toBe(0);
  expect(w.transport.connections.filter(({ open }) => open)).toEqual([]);
});
