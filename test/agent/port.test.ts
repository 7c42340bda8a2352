import { type Connection, FORWARD_EXTENSIONS, Forward, type Session } from 'hawser';
import { type Dialer, portForwarding } from 'hawser/agent';
import {
  decodeMessage,
  encodeMessage,
  formatAcknowledge,
  formatFlag,
  formatHandshakeResponse,
  formatOpenDataChannel,
  MessageType,
  PayloadFlag,
  PayloadType,
  parseFlag,
  parseHandshakeRequest,
  type SmuxEvent,
  SmuxSession,
} from 'hawser/channel';
import { describe, expect, test } from 'vitest';
import { sha256Digest } from '../../src/crypto/digest.ts';
import { connectedWorld, type World } from './world.ts';

const DOCUMENTS = {
  Forwarding: document({ portNumber: '80', type: 'LocalPortForwarding' }),
  Remote: document({ portNumber: '5432', type: 'LocalPortForwarding', host: 'db.internal' }),
  Raw: document({ portNumber: '22' }),
};

describe('the port handler', () => {
  test('asks its dialer for the destination of the document', async () => {
    const { clock, start, dialer } = await portWorld();
    const forward = await forwarding({ clock, start }, 'Remote');
    await forward.open();
    await clock.advance(100);
    expect(dialer.dialed).toEqual([{ host: 'db.internal', port: 5432 }]);
  });

  test('ends the session with what the dialer says against the destination', async () => {
    const { clock, start, dialer } = await portWorld();
    dialer.refusal = new Error('Forwarding to IP address 10.0.0.1 is forbidden.');
    const session = await start({ documentName: 'Forwarding' });
    expect(await clock.runUntil(session.ended)).toMatchObject({
      reason: 'AgentFailure',
      message: 'Forwarding to IP address 10.0.0.1 is forbidden.',
    });
  });

  test('lets each direction end by itself with a client of hawser, in a raw session as well', async () => {
    for (const documentName of ['Forwarding', 'Raw']) {
      const { clock, start, dialer } = await portWorld();
      const forward = await forwarding({ clock, start }, documentName);
      const connection = await forward.open();
      const writer = connection.writable.getWriter();
      await writer.write(utf8('question'));
      await writer.close();
      await clock.advance(100);
      const far = dialer.connections[0]!;
      expect(await readToEnd(clock, far.readable)).toBe('question');
      const answer = far.writable.getWriter();
      await answer.write(utf8('answer'));
      await answer.close();
      expect(await readToEnd(clock, connection.readable)).toBe('answer');
    }
  });

  test('tells a client of hawser which connection could not be made, and why', async () => {
    const { clock, start, dialer } = await portWorld();
    const forward = await forwarding({ clock, start }, 'Forwarding');
    const good = await forward.open();
    await clock.advance(100);
    dialer.dialFault = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const bad = await forward.open();
    await expect(clock.runUntil(bad.readable.getReader().read())).rejects.toMatchObject({
      code: 'ERR_PORT_REFUSED',
      reason: 'ECONNREFUSED',
    });
    const writer = dialer.connections[0]!.writable.getWriter();
    void writer.write(utf8('still here'));
    const { value } = await clock.runUntil(good.readable.getReader().read());
    expect(fromUtf8(value!)).toBe('still here');
  });

  test('ends every connection with the session', async () => {
    const { clock, start, dialer } = await portWorld();
    const forward = await forwarding({ clock, start }, 'Forwarding');
    await forward.open();
    await clock.advance(100);
    await clock.runUntil(forward.close());
    await expect(clock.runUntil(dialer.connections[0]!.readable.getReader().read())).rejects.toThrow();
  });

  test('leaves no timer behind', async () => {
    const { clock, start, agent, service } = await portWorld();
    const forward = await forwarding({ clock, start }, 'Forwarding');
    await forward.open();
    await clock.advance(100);
    await clock.runUntil(forward.close());
    await clock.runUntil(agent.stop());
    await service.close();
    await clock.advance(60_000);
    expect(clock.pending).toBe(0);
  });
});

describe('with AWS’s plugin', () => {
  test('many connections are streams of smux 1', async () => {
    const { clock, start, dialer } = await portWorld();
    const plugin = new Plugin(await start({ documentName: 'Forwarding' }));
    const [one, other] = [plugin.smux.open(), plugin.smux.open()];
    plugin.write(one, 'to one');
    plugin.write(other, 'to the other');
    await clock.advance(200);
    const [first, second] = dialer.connections;
    expect(fromUtf8((await first!.readable.getReader().read()).value!)).toBe('to one');
    expect(fromUtf8((await second!.readable.getReader().read()).value!)).toBe('to the other');
    void second!.writable.getWriter().write(utf8('back'));
    await clock.advance(200);
    expect(plugin.events).toEqual([{ type: 'data', streamId: other, bytes: utf8('back') }]);
  });

  test('a connection that cannot be made is a flag and an end', async () => {
    const { clock, start, dialer } = await portWorld();
    dialer.dialFault = new Error('no route');
    const plugin = new Plugin(await start({ documentName: 'Forwarding' }));
    const stream = plugin.smux.open();
    plugin.write(stream, '');
    await clock.advance(200);
    expect(plugin.flags).toEqual([PayloadFlag.ConnectToPortError]);
    expect(plugin.events).toEqual([{ type: 'finished', streamId: stream }]);
  });

  test('what is no smux ends the session with a reason', async () => {
    const { clock, start } = await portWorld();
    const session = await start({ documentName: 'Forwarding' });
    await session.stdin.getWriter().write(new Uint8Array(100).fill(77));
    expect(await clock.runUntil(session.ended)).toMatchObject({
      reason: 'AgentFailure',
      message: expect.stringContaining('smux'),
    });
  });

  test('a raw session carries one connection, and ends when the destination does', async () => {
    const { clock, start, dialer } = await portWorld();
    const session = await start({ documentName: 'Raw' });
    await session.stdin.getWriter().write(utf8('SSH-2.0-client'));
    await clock.advance(200);
    const far = dialer.connections[0]!;
    expect(fromUtf8((await far.readable.getReader().read()).value!)).toBe('SSH-2.0-client');
    const writer = far.writable.getWriter();
    void writer.write(utf8('SSH-2.0-server'));
    void writer.close();
    expect(await readToEnd(clock, session.stdout)).toBe('SSH-2.0-server');
    expect(await clock.runUntil(session.ended)).toMatchObject({ message: '' });
  });
});

describe('with a plugin too old for many connections', () => {
  test('the node connects at the start, and anew after the client has disconnected', async () => {
    const world = await portWorld();
    const { clock, dialer } = world;
    const plugin = await OldPlugin.connect(world);
    await clock.advance(200);
    expect(dialer.connections).toHaveLength(1);
    plugin.send(PayloadType.Output, utf8('first'));
    await clock.advance(200);
    expect(fromUtf8((await dialer.connections[0]!.readable.getReader().read()).value!)).toBe('first');
    plugin.send(PayloadType.Flag, formatFlag(PayloadFlag.DisconnectToPort));
    await clock.advance(200);
    expect(dialer.connections).toHaveLength(1);
    plugin.send(PayloadType.Output, utf8('second'));
    await clock.advance(200);
    const next = dialer.connections[1]!;
    expect(fromUtf8((await next.readable.getReader().read()).value!)).toBe('second');
    void next.writable.getWriter().write(utf8('reply'));
    await clock.advance(200);
    expect(plugin.output).toBe('reply');
  });

  test('it is told by a flag when the node cannot connect anew', async () => {
    const world = await portWorld();
    const { clock, dialer } = world;
    const plugin = await OldPlugin.connect(world);
    await clock.advance(200);
    dialer.dialFault = new Error('gone');
    plugin.send(PayloadType.Flag, formatFlag(PayloadFlag.DisconnectToPort));
    plugin.send(PayloadType.Output, utf8('anybody?'));
    await clock.advance(200);
    expect(plugin.flags).toEqual([PayloadFlag.ConnectToPortError]);
  });
});

function document(properties: object) {
  return { schemaVersion: '1.0', sessionType: 'Port', properties } as const;
}

async function portWorld() {
  const dialer = new MemoryDialer();
  const world = await connectedWorld({
    handlers: { Port: portForwarding(dialer) },
    documents: DOCUMENTS,
  });
  return { ...world, dialer };
}

async function forwarding({ clock, start }: Pick<World, 'clock' | 'start'>, documentName: string) {
  const forward = new Forward(await start({ documentName, extensions: FORWARD_EXTENSIONS }));
  await clock.runUntil(forward.ready());
  return forward;
}

/** Connects to nothing: the far ends of the connections are the test's. */
class MemoryDialer implements Dialer {
  readonly dialed: unknown[] = [];
  readonly connections: Connection[] = [];
  refusal: Error | undefined;
  dialFault: Error | undefined;

  async check(): Promise<void> {
    if (this.refusal) throw this.refusal;
  }

  async dial(destination: unknown): Promise<Connection> {
    this.dialed.push(destination);
    if (this.dialFault) throw this.dialFault;
    const there = new TransformStream<Uint8Array, Uint8Array>();
    const back = new TransformStream<Uint8Array, Uint8Array>();
    this.connections.push({ readable: there.readable, writable: back.writable });
    return { readable: back.readable, writable: there.writable };
  }
}

/** The client half of AWS's plugin: smux 1, and no extensions. */
class Plugin {
  readonly smux = new SmuxSession({ role: 'client', version: 1 });
  readonly events: SmuxEvent[] = [];
  readonly flags: PayloadFlag[] = [];
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(session: Session) {
    this.#writer = session.stdin.getWriter();
    session.on('flag', (flag) => this.flags.push(flag));
    void this.#read(session.stdout);
  }

  write(streamId: number, text: string): void {
    this.smux.write(streamId, utf8(text));
    for (let bytes = this.smux.pollTransmit(2_048); bytes; bytes = this.smux.pollTransmit(2_048)) {
      this.#writer.write(bytes).catch(() => {});
    }
  }

  async #read(stdout: ReadableStream<Uint8Array>): Promise<void> {
    for await (const bytes of stdout) {
      this.smux.handleBytes(bytes);
      for (let event = this.smux.pollEvent(); event; event = this.smux.pollEvent()) this.events.push(event);
    }
  }
}

/** A plugin of the time before smux, frame by frame. */
class OldPlugin {
  output = '';
  readonly flags: PayloadFlag[] = [];
  readonly #send: (frame: Uint8Array) => void;
  #sequenceNumber = 0;

  static async connect({ clock, client, agentTransport }: Awaited<ReturnType<typeof portWorld>>) {
    const access = await clock.runUntil(
      client.startAccess({ target: 'mi-0123456789abcdef0', documentName: 'Forwarding' }),
    );
    const socket = await clock.runUntil(agentTransport.connect(access.streamUrl));
    const plugin = new OldPlugin((frame) => socket.send(frame));
    socket.handler = { message: (data) => plugin.#handle(data as Uint8Array), closed: () => {} };
    const ids = { requestId: crypto.randomUUID(), clientId: crypto.randomUUID() };
    socket.send(formatOpenDataChannel({ ...ids, tokenValue: access.tokenValue, clientVersion: '1.1.50.0' }));
    return plugin;
  }

  private constructor(send: (frame: Uint8Array) => void) {
    this.#send = send;
  }

  send(payloadType: number, payload: Uint8Array): void {
    const sequenceNumber = this.#sequenceNumber++;
    this.#frame({ messageType: MessageType.InputStreamData, sequenceNumber, payloadType, payload });
  }

  #handle(frame: Uint8Array): void {
    const message = decodeMessage(frame, sha256Digest);
    if (message.messageType !== MessageType.OutputStreamData) return;
    const { messageType, messageId, sequenceNumber, payloadType, payload } = message;
    const acknowledge = formatAcknowledge({ messageType, messageId, sequenceNumber });
    this.#frame({ messageType: MessageType.Acknowledge, payload: acknowledge });
    if (payloadType === PayloadType.Output) this.output += fromUtf8(payload);
    if (payloadType === PayloadType.Flag) this.flags.push(parseFlag(payload));
    if (payloadType === PayloadType.HandshakeRequest) {
      const processedClientActions = parseHandshakeRequest(payload).requestedClientActions.map(
        ({ actionType }) => ({ actionType, actionStatus: 1, actionResult: null, error: '' }),
      );
      const response = { clientVersion: '1.1.50.0', processedClientActions, errors: [] };
      this.send(PayloadType.HandshakeResponse, formatHandshakeResponse(response));
    }
  }

  #frame(fields: {
    messageType: string;
    payload: Uint8Array;
    sequenceNumber?: number;
    payloadType?: number;
  }) {
    this.#send(encodeMessage({ ...fields, messageId: crypto.randomUUID(), createdDate: 1 }, sha256Digest));
  }
}

async function readToEnd(clock: World['clock'], readable: ReadableStream<Uint8Array>): Promise<string> {
  const reader = readable.getReader();
  let text = '';
  for (;;) {
    const { value, done } = await clock.runUntil(reader.read());
    if (done) return text;
    text += fromUtf8(value);
  }
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const fromUtf8 = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
