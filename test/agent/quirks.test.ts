/**
 * Our agent facing AWS's plugin and service, quirk by quirk (PROTOCOL.md and PEERS.md; the numbers are theirs). Those
 * that other tests are about are not repeated here.
 */
import type { SessionHandler } from 'hawser/agent';
import {
  encodeMessage,
  formatFlag,
  type MessageFields,
  MessageType,
  PayloadFlag,
  PayloadType,
  parseAcknowledge,
} from 'hawser/channel';
import { sha256Digest } from 'hawser/crypto';
import { seededRandom } from 'hawser/testing';
import { expect, test } from 'vitest';
import { PluginStranger } from '../../sim/strangers.ts';
import { scriptedAgent } from './scripted-agent.ts';

const SECOND = 1000;
const SESSION = 's-1';
const utf8 = (text: string) => new TextEncoder().encode(text);

/** An agent with one session, and what a client sends to it. */
async function started(handler: SessionHandler) {
  const { clock, gateway, agent } = await scriptedAgent({ Standard_Stream: handler });
  gateway.startSession(SESSION);
  await clock.advance(5);
  const random = seededRandom(6);
  const send = async (payload: Uint8Array, fields: Partial<MessageFields> = {}) => {
    const messageType = MessageType.InputStreamData;
    const frame = encodeMessage(
      { messageType, messageId: random.uuid(), createdDate: 1, payloadType: 1, payload, ...fields },
      sha256Digest,
    );
    gateway.channel(SESSION).socket.send(frame);
    await clock.advance(10);
    return frame;
  };
  const acknowledged = () =>
    gateway.channels
      .flatMap(({ received }) => received)
      .filter(({ message }) => message.messageType === 'acknowledge')
      .map(({ message }) => parseAcknowledge(message.payload).sequenceNumber);
  return { clock, gateway, agent, send, acknowledged };
}

/** A plugin on the session's data channel; acknowledges that `loses` picks do not arrive. */
function plugin({ gateway, clock }: Awaited<ReturnType<typeof started>>, loses: (count: number) => boolean) {
  const random = seededRandom(7);
  const end = new PluginStranger(() => random.uuid(), sha256Digest);
  const { socket } = gateway.channel(SESSION);
  const shown = { text: '' };
  let acknowledges = 0;
  const run = () => {
    for (let event = end.pollEvent(); event; event = end.pollEvent())
      if (event.type === 'data') shown.text += new TextDecoder().decode(event.payload);
    for (let frame = end.pollTransmit(clock.now()); frame; frame = end.pollTransmit(clock.now()))
      if (!isAcknowledge(frame) || !loses(acknowledges++)) socket.send(frame);
  };
  socket.handler = {
    message: (frame) => {
      end.handleMessage(frame as Uint8Array, clock.now());
      run();
    },
    closed: () => end.handleDisconnected(),
  };
  end.handleConnected(clock.now());
  return shown;
}

const isAcknowledge = (frame: Uint8Array) => frame[4] === 'a'.charCodeAt(0);

/** Collects its input until the client is gone. */
function typing() {
  const typed = { text: '' };
  const handler: SessionHandler = async (session) => {
    for await (const bytes of session.input) typed.text += new TextDecoder().decode(bytes);
    return {};
  };
  return { typed, handler };
}

test('quirk 1.3: an acknowledge that the plugin never repeats does not keep the session from ending', async () => {
  let exit!: () => void;
  const world = await started(async (session) => {
    for (const line of ['one\n', 'two\n', 'three\n']) await session.write(utf8(line));
    await new Promise<void>((resolve) => {
      exit = resolve;
    });
    await session.write(utf8('exit\n'));
    return { exitCode: 0 };
  });
  const shown = plugin(world, (count) => count === 0);
  await world.clock.advance(10 * SECOND);
  exit();
  await world.clock.advance(2 * SECOND);
  expect(shown.text).toBe('one\ntwo\nthree\nexit\n');
  expect(world.gateway.completions[0]).toMatchObject({ finalTaskStatus: 'Success', exitCode: 0 });
});

test('quirk 1.9: input with a zeroed digest is not taken and not acknowledged, and its good copy is', async () => {
  const { typed, handler } = typing();
  const { send, acknowledged } = await started(handler);
  await send(utf8('ls'), { payloadDigest: new Uint8Array(32) });
  expect([typed.text, acknowledged()]).toEqual(['', []]);
  await send(utf8('ls'));
  expect([typed.text, acknowledged()]).toEqual(['ls', [0]]);
});

test('quirk O1: input that the plugin sends every 100 ms is taken once, and acknowledged each time', async () => {
  const { typed, handler } = typing();
  const { clock, gateway, send, acknowledged } = await started(handler);
  const frame = await send(utf8('once'));
  for (let copy = 0; copy < 40; copy++) {
    gateway.channel(SESSION).socket.send(frame);
    await clock.advance(100);
  }
  expect(typed.text).toBe('once');
  expect(acknowledged()).toHaveLength(41);
});

test('quirk 6: input ahead of its turn is acknowledged at once, and waits', async () => {
  const { typed, handler } = typing();
  const { send, acknowledged } = await started(handler);
  await send(utf8('c'), { sequenceNumber: 2 });
  await send(utf8('b'), { sequenceNumber: 1 });
  expect([typed.text, acknowledged()]).toEqual(['', [2, 1]]);
  await send(utf8('a'));
  expect(typed.text).toBe('abc');
});

test('quirk 7: the plugin answers what it does not know with status 0 and its reason elsewhere: the session fails with words', async () => {
  const { clock, gateway, send } = await started(async (session) => {
    await session.handshake();
    return {};
  });
  const action = { ActionType: 'SessionType', ActionStatus: 0, ActionResult: 3, Error: 'Unsupported action' };
  const response = {
    ClientVersion: '1.2.707.0',
    ProcessedClientActions: [action],
    Errors: ['Unsupported action'],
  };
  await send(utf8(JSON.stringify(response)), { payloadType: PayloadType.HandshakeResponse });
  await clock.advance(SECOND);
  expect(gateway.completions[0]).toMatchObject({
    finalTaskStatus: 'Failed',
    output: expect.stringContaining('did not accept a session of type Standard_Stream'),
  });
});

test('quirk 7: the plugin answers with null for no errors', async () => {
  const { clock, gateway, send } = await started(async (session) => ({
    output: (await session.handshake()).clientVersion ?? '',
  }));
  const action = { ActionType: 'SessionType', ActionStatus: 1, ActionResult: null, Error: '' };
  const response = { ClientVersion: '1.2.707.0', ProcessedClientActions: [action], Errors: null };
  await send(utf8(JSON.stringify(response)), { payloadType: PayloadType.HandshakeResponse });
  for (const sequence of [0, 1]) await acknowledge(send, sequence);
  await clock.advance(SECOND);
  expect(gateway.completions[0]).toMatchObject({ finalTaskStatus: 'Success', output: '1.2.707.0' });
});

test('quirk 9: a plugin that says TerminateSession and is gone in the same moment ends the session', async () => {
  const { typed, handler } = typing();
  const { clock, gateway, send } = await started(handler);
  await send(utf8('ls'));
  await send(formatFlag(PayloadFlag.TerminateSession), {
    sequenceNumber: 1,
    payloadType: PayloadType.Flag,
  });
  await clock.advance(SECOND);
  expect(typed.text).toBe('ls');
  expect(gateway.completions[0]).toMatchObject({ finalTaskStatus: 'Success' });
});

test('quirk 13: a channel_closed with a header of 112 bytes and a type padded with NUL ends the session', async () => {
  const { handler } = typing();
  const { clock, gateway, send } = await started(handler);
  await send(utf8('ls'));
  const closed = { MessageType: 'channel_closed', SessionId: SESSION, SchemaVersion: 1, Output: '' };
  const frame = encodeMessage(
    {
      messageType: MessageType.ChannelClosed,
      messageId: seededRandom(8).uuid(),
      createdDate: 1,
      headerLength: 112,
      payload: utf8(JSON.stringify(closed)),
    },
    sha256Digest,
  );
  frame.fill(0, 4 + 'channel_closed'.length, 36);
  gateway.channel(SESSION).socket.send(frame);
  await clock.advance(SECOND);
  expect(gateway.completions[0]).toMatchObject({ finalTaskStatus: 'Success' });
});

/** Of an output message. */
async function acknowledge(
  send: Awaited<ReturnType<typeof started>>['send'],
  sequence: number,
): Promise<void> {
  const members = {
    AcknowledgedMessageType: 'output_stream_data',
    AcknowledgedMessageId: '5ad76e70-8ffa-47e4-b446-0c40fbb0828c',
    AcknowledgedMessageSequenceNumber: sequence,
    IsSequentialMessage: true,
  };
  const fields = { messageType: MessageType.Acknowledge, payloadType: 0, flags: 3 };
  await send(utf8(JSON.stringify(members)), fields);
}
