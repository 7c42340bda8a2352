import { describe, expect, test } from 'vitest';
import { connected, type WireNode, world } from './world.ts';

describe('an agent that has results of Run Command to deliver', () => {
  test('has each acknowledged, so that it stops to repeat them', async () => {
    const w = world();
    const node = await w.node();
    const id = '11111111-2222-4333-8444-555555555555';
    const reply = { jobId: 'aws.ssm.c.mi-1', topic: 'aws.ssm.runCommand', content: '{}', schemaVersion: 1 };
    await node.control.sendMessage('agent_job_reply', reply, { messageId: id });
    expect(node.control.json('agent_job_reply_ack')).toEqual([
      { jobId: 'aws.ssm.c.mi-1', acknowledgedMessageId: id },
    ]);
  });

  test('acknowledges jobs, and is let alone', async () => {
    const w = world();
    const node = await w.node();
    await node.control.sendMessage('agent_job_ack', {
      jobId: 'j',
      acknowledgedMessageId: 'm',
      statusCode: '200',
    });
    await node.control.sendMessage('agent_telemetry', 'what a later agent sends');
    expect(node.control.types).toEqual([]);
    expect(node.control.closed).toBeUndefined();
  });

  test('is closed when what it sends cannot be read too often', async () => {
    const w = world({ limits: { malformedFrames: 2 } });
    const node = await w.node();
    await node.control.sendMessage('agent_job_reply', 'no JSON');
    expect(node.control.closed).toBeUndefined();
    await node.control.sendMessage('agent_job_reply', 'no JSON');
    expect(node.control.closed).toMatchObject({ code: 1002 });
  });
});

describe('an agent that wants a data channel for a session that is over', () => {
  const closed = (node: WireNode) => node.control.json('channel_closed');
  const ask = (node: WireNode, sessionId: string) => node.createChannel(`/v1/data-channel/${sessionId}`);

  test('is refused in the words that stop it, and its worker is told on the control channel', async () => {
    const w = world();
    const { node, session } = await connected(w);
    await node.complete(session.SessionId);
    const { status, text } = await ask(node, session.SessionId);
    await w.settle();
    expect([status, text]).toEqual([400, expect.stringContaining('Session is already terminated')]);
    expect(closed(node)).toMatchObject([
      {
        MessageType: 'channel_closed',
        SessionId: session.SessionId,
        DestinationId: node.id,
        SchemaVersion: 1,
      },
    ]);
  });

  test('is told so of a session that nobody knows, and at the upgrade as well', async () => {
    const w = world();
    const node = await w.node();
    expect((await ask(node, 'jane-gone')).status).toBe(400);
    const url = new URL('http://service.test/v1/data-channel/jane-lost?role=publish_subscribe');
    expect(
      await w.service.upgrade(new Request(url, { headers: await node.sign('GET', url) })),
    ).toBeInstanceOf(Response);
    await w.settle();
    expect(closed(node).map(({ SessionId }) => SessionId)).toEqual(['jane-gone', 'jane-lost']);
  });

  test('is told once in ten seconds, however often it asks', async () => {
    const w = world();
    const node = await w.node();
    for (let i = 0; i < 500; i++) await ask(node, 'jane-gone');
    await w.settle();
    expect(closed(node)).toHaveLength(1);
    await w.clock.advance(10_000);
    await ask(node, 'jane-gone');
    await w.settle();
    expect(closed(node)).toHaveLength(2);
  });

  test('cannot make others hear of it', async () => {
    const w = world();
    const { node, session } = await connected(w);
    const other = await w.node('mi-0fedcba9876543210');
    expect((await ask(other, session.SessionId)).status).toBe(403);
    expect((await ask(other, 'x'.repeat(200))).status).toBe(400);
    await w.settle();
    expect([closed(node), closed(other)]).toEqual([[], []]);
  });

  test('a client is told nothing there', async () => {
    const w = world();
    const node = await w.node();
    const url = new URL('http://service.test/v1/data-channel/jane-gone?role=publish_subscribe');
    expect(await w.service.upgrade(new Request(url))).toBeInstanceOf(Response);
    await w.settle();
    expect(node.control.types).toEqual([]);
  });
});
