/**
 * Our client facing AWS's agent and service, quirk by quirk (PROTOCOL.md and PEERS.md; the numbers are theirs). Those
 * that other tests are about are not repeated here.
 */
import { expect, test } from 'vitest';
import { encodeMessage, MessageType, PayloadType } from '../../src/channel/index.ts';
import { SessionClient } from '../../src/core/client.ts';
import { sha256Digest } from '../../src/crypto/index.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { ScriptedAgent } from './scripted-agent.ts';

const SECOND = 1000;
const utf8 = (text: string) => new TextEncoder().encode(text);

const HANDSHAKE = {
  AgentVersion: '3.3.0.0',
  RequestedClientActions: [
    { ActionType: 'SessionType', ActionParameters: { SessionType: 'Standard_Stream', Properties: null } },
  ],
};

async function start() {
  const agent = new ScriptedAgent();
  const client = new SessionClient({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    platform: agent.platform,
  });
  const session = await agent.clock.runUntil(client.startSession({ target: 'i-1' }));
  await agent.clock.advance(1);
  return { agent, session, stdin: session.stdin.getWriter() };
}

/** All of it, as it comes. */
function read(stream: ReadableStream<Uint8Array>): { text: string } {
  const shown = { text: '' };
  (async () => {
    for await (const chunk of stream) shown.text += new TextDecoder().decode(chunk);
  })();
  return shown;
}

test('quirk 1.2: a session without a handshake is ready with the first output', async () => {
  const { agent, session } = await start();
  const ready = new Promise((resolve) => session.once('ready', resolve));
  const shown = read(session.stdout);
  await agent.output('$ ');
  expect(await ready).toEqual({ type: 'ready' });
  expect(shown.text).toBe('$ ');
});

test('quirk 1.4: the front of the agent’s list is acknowledged each time it comes, and shown once', async () => {
  const { agent, session } = await start();
  const shown = read(session.stdout);
  const front = await agent.output('tick 1\n');
  await agent.output('tick 2\n');
  for (let copy = 0; copy < 20; copy++) await agent.sendAgain(front);
  expect(shown.text).toBe('tick 1\ntick 2\n');
  expect(agent.acknowledged.filter((number) => number === 0)).toHaveLength(21);
});

test('quirk 1.5: one line feed alone stays a line feed', async () => {
  const { agent, stdin } = await start();
  await agent.output('$ ');
  await stdin.write(utf8('\n'));
  await agent.clock.advance(20);
  expect(agent.input).toEqual(['\n']);
});

test('quirk 1.7: nothing is sent in the second before the first output, and all of it after', async () => {
  const { agent, session, stdin } = await start();
  session.resize({ cols: 100, rows: 30 });
  void stdin.write(utf8('ls\n'));
  await agent.clock.advance(SECOND);
  expect(agent.received).toEqual([]);
  await agent.output('$ ');
  await agent.clock.advance(20);
  expect([...agent.input].sort()).toEqual(['ls\n', '{"cols":100,"rows":30}'].sort());
});

test('quirk 1.9: output with a zeroed digest is not shown and not acknowledged, and its good copy is', async () => {
  const { agent, session } = await start();
  const shown = read(session.stdout);
  const fields = { payloadType: PayloadType.Output };
  await agent.send(MessageType.OutputStreamData, '$ ', { ...fields, payloadDigest: new Uint8Array(32) });
  expect([shown.text, agent.acknowledged]).toEqual(['', []]);
  await agent.send(MessageType.OutputStreamData, '$ ', fields);
  expect([shown.text, agent.acknowledged]).toEqual(['$ ', [0]]);
});

test('quirk A2: nothing but the answer is sent before the handshake is complete: the agent would throw it away', async () => {
  const { agent, session, stdin } = await start();
  void stdin.write(utf8('ls\n'));
  session.resize({ cols: 100, rows: 30 });
  await agent.output(HANDSHAKE, PayloadType.HandshakeRequest);
  await agent.acknowledge();
  await agent.clock.advance(5 * SECOND);
  const types = () => agent.of(MessageType.InputStreamData).map(({ payloadType }) => payloadType);
  expect(types()).toEqual([PayloadType.HandshakeResponse]);
  await agent.output(
    { HandshakeTimeToComplete: 1306100, CustomerMessage: '' },
    PayloadType.HandshakeComplete,
  );
  await agent.clock.advance(20);
  expect(types().slice(1).sort()).toEqual([PayloadType.Output, PayloadType.Size]);
});

test('quirk 6: output ahead of its turn is acknowledged at once and shown in its turn', async () => {
  const { agent, session } = await start();
  const shown = read(session.stdout);
  const send = (sequenceNumber: number) =>
    agent.send(MessageType.OutputStreamData, String(sequenceNumber), { sequenceNumber, payloadType: 1 });
  for (const number of [6, 5, 4, 3, 2, 1]) await send(number);
  expect([shown.text, agent.acknowledged]).toEqual(['', [6, 5, 4, 3, 2, 1]]);
  await send(0);
  expect(shown.text).toBe('0123456');
});

test('quirk A12: output that nobody reads is acknowledged all the same, for the agent waits two seconds at its end', async () => {
  const { agent, session } = await start();
  for (let line = 0; line < 100; line++) await agent.output('x'.repeat(1024));
  await agent.clock.advance(SECOND);
  expect(new Set(agent.acknowledged).size).toBe(100);
  await agent.send(MessageType.ChannelClosed, { MessageType: 'channel_closed', Output: '' });
  const shown = read(session.stdout);
  await agent.clock.advance(SECOND);
  expect(shown.text).toHaveLength(102_400);
});

test('quirk 5: a failure that came before the client is all that it hears, and the end of the session', async () => {
  const { agent, session } = await start();
  const Output = 'Plugin with name X is not supported by this version of ssm agent';
  await agent.send(MessageType.ChannelClosed, { MessageType: 'channel_closed', Output });
  expect(await agent.clock.runUntil(session.ended)).toMatchObject({ message: Output });
});

test('quirk 13: a channel_closed with a header of 112 bytes and a type padded with NUL ends the session', async () => {
  const { agent, session } = await start();
  const messageId = seededRandom(8).uuid();
  const payload = utf8(JSON.stringify({ MessageType: 'channel_closed', Output: 'bye' }));
  const frame = encodeMessage(
    { messageType: MessageType.ChannelClosed, messageId, createdDate: 1, headerLength: 112, payload },
    sha256Digest,
  );
  frame.fill(0, 4 + 'channel_closed'.length, 36);
  await agent.sendAgain(frame);
  expect(await agent.clock.runUntil(session.ended)).toMatchObject({ message: 'bye' });
});
