import { describe, expect, test } from 'vitest';
import { fromUtf8, utf8 } from '../../src/base/encoding.ts';
import {
  formatHandshakeComplete,
  formatHandshakeRequest,
  PayloadFlag,
  PayloadType,
  type SmuxEvent,
  SmuxSession,
} from '../../src/channel/index.ts';
import { type ForwardOptions, SessionClient } from '../../src/core/client.ts';
import type { Connection } from '../../src/core/port/connection.ts';
import type { Forward } from '../../src/core/port/forward.ts';
import { FarEnd } from './far-end.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
const FORWARDING = { type: 'LocalPortForwarding', portNumber: '80' };

describe('SessionClient.forward', () => {
  test('starts the document that fits, with its parameters', async () => {
    const plain = await stockAgent({ port: 5432 });
    expect(plain.far.calls[0]).toMatchObject({
      input: { DocumentName: 'AWS-StartPortForwardingSession', Parameters: { portNumber: ['5432'] } },
    });
    const remote = await stockAgent({ port: 80, host: 'db.internal' });
    expect(remote.far.calls[0]).toMatchObject({
      input: {
        DocumentName: 'AWS-StartPortForwardingSessionToRemoteHost',
        Parameters: { portNumber: ['80'], host: ['db.internal'] },
      },
    });
  });

  test('says why when the node will not forward', async () => {
    const { far, client } = farClient();
    const forwarding = client.forward({ target: 'i-1', port: 80, host: '169.254.169.254' });
    const refused = expect(forwarding).rejects.toMatchObject({
      code: 'ERR_PORT_RESET',
      message: expect.stringContaining('Forwarding to IP address 169.254.169.254 is forbidden.'),
    });
    await far.clock.advance(100);
    far.endSession({ output: 'Forwarding to IP address 169.254.169.254 is forbidden.' });
    await far.clock.advance(100);
    await refused;
  });

  test('terminates a session that is no port session', async () => {
    const { far, client } = farClient();
    const forwarding = client.forward({ target: 'i-1', port: 80, documentName: 'A-Shell' });
    const refused = expect(forwarding).rejects.toMatchObject({ code: 'ERR_PORT_PROPERTIES' });
    await far.clock.advance(100);
    far.write('$ ');
    await far.clock.advance(20_000);
    await refused;
    expect(far.calls.map(({ operation }) => operation)).toContain('TerminateSession');
  });

  test.each([0, 33, 1.5])('does not take %d sessions', async (sessions) => {
    const { client, far } = farClient();
    await expect(client.forward({ target: 'i-1', port: 80, sessions })).rejects.toThrow(RangeError);
    expect(far.calls).toEqual([]);
  });
});

describe('with an agent of AWS', () => {
  test('connections are streams of smux 1, and bytes go both ways', async () => {
    const { clock, forward, agent } = await stockAgent();
    const [one, other] = await Promise.all([forward.open(), forward.open()]);
    const writer = one.writable.getWriter();
    await writer.write(utf8('ping'));
    await clock.advance(100);
    expect(agent.opened).toEqual([3, 5]);
    expect(agent.text(3)).toBe('ping');
    agent.write(5, 'to the other');
    agent.write(3, 'pong');
    expect(await read(clock, one)).toBe('pong');
    expect(await read(clock, other)).toBe('to the other');
  });

  test('the end of our direction is held back until the destination ends, so that the reply arrives', async () => {
    const { clock, forward, agent } = await stockAgent();
    const connection = await forward.open();
    const writer = connection.writable.getWriter();
    await writer.write(utf8('request'));
    await writer.close();
    await clock.advance(1_000);
    expect(agent.finished).toEqual([]);
    agent.write(3, 'reply');
    agent.end(3);
    expect(await readToEnd(clock, connection)).toBe('reply');
    await clock.advance(100);
    expect(agent.finished).toEqual([3]);
    expect(forward.size).toBe(0);
  });

  test('it goes out at once where that is asked for', async () => {
    const { clock, forward, agent } = await stockAgent({ halfClose: 'propagate' });
    const connection = await forward.open();
    await connection.writable.getWriter().close();
    await clock.advance(100);
    expect(agent.finished).toEqual([3]);
  });

  test('a connection that the agent could not make fails, and no other', async () => {
    const { clock, forward, far, agent } = await stockAgent();
    const [good, bad] = await Promise.all([forward.open(), forward.open()]);
    await clock.advance(100);
    agent.write(3, 'hello');
    far.command((channel) => channel.sendFlag(PayloadFlag.ConnectToPortError));
    agent.end(5);
    expect(await read(clock, good)).toBe('hello');
    await expect(read(clock, bad)).rejects.toMatchObject({ code: 'ERR_PORT_REFUSED' });
    agent.write(3, ' again');
    expect(await read(clock, good)).toBe(' again');
  });

  test('writing on after the destination has ended fails', async () => {
    const { clock, forward, agent } = await stockAgent();
    const connection = await forward.open();
    await clock.advance(100);
    agent.end(3);
    await clock.advance(100);
    await expect(connection.writable.getWriter().write(utf8('late'))).rejects.toMatchObject({
      code: 'ERR_PORT_RESET',
    });
  });

  test('aborting a connection ends it there and here', async () => {
    const { clock, forward, agent } = await stockAgent();
    const connection = await forward.open();
    await clock.advance(100);
    await connection.writable.abort();
    await clock.advance(100);
    expect(agent.finished).toEqual([3]);
    await expect(connection.readable.getReader().read()).rejects.toMatchObject({ code: 'ERR_PORT_RESET' });
    expect(forward.size).toBe(0);
  });

  test('a connection that is not read makes the agent stop, in bounded memory', async () => {
    const { clock, forward, far, agent } = await stockAgent();
    await forward.open();
    await clock.advance(100);
    const piece = 'x'.repeat(30_000);
    let written = 0;
    for (let idle = 0; idle < 50; ) {
      const before = agent.queued;
      if (far.channel.writable) {
        agent.write(3, piece);
        written += piece.length;
      }
      await clock.advance(200);
      idle = far.channel.writable || agent.queued < before ? 0 : idle + 1;
    }
    expect(written).toBeGreaterThan(4 * 1024 * 1024);
    expect(written).toBeLessThan(9 * 1024 * 1024);
  });

  test('what is no smux ends the session and every connection', async () => {
    const { clock, forward, far } = await stockAgent();
    const connection = await forward.open();
    await clock.advance(100);
    far.write(Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9));
    await expect(read(clock, connection)).rejects.toMatchObject({ code: 'ERR_PORT_RESET' });
    await clock.runUntil(forward.ended);
    await expect(forward.open()).rejects.toMatchObject({ code: 'ERR_PORT_RESET' });
  });

  test('the end of the session ends every connection, and says why', async () => {
    const { clock, forward, far } = await stockAgent();
    const connection = await forward.open();
    await clock.advance(100);
    far.endSession({ output: 'The node is going down.' });
    await expect(read(clock, connection)).rejects.toMatchObject({
      message: expect.stringContaining('The node is going down.'),
    });
  });
});

describe('with an old agent', () => {
  test('one connection follows another, each with a new one at the node', async () => {
    const { clock, forward, far } = await oldAgent('3.0.100.0', FORWARDING);
    const first = await forward.open();
    const writer = first.writable.getWriter();
    await writer.write(utf8('one'));
    let opened = false;
    const second = forward.open().then((connection) => {
      opened = true;
      return connection;
    });
    await clock.advance(1_000);
    expect(far.input).toBe('one');
    expect(opened).toBe(false);
    await first.readable.cancel();
    const next = await clock.runUntil(second);
    expect(far.flags).toEqual([]);
    await clock.advance(100);
    expect(far.flags).toEqual([PayloadFlag.DisconnectToPort]);
    far.write('for nobody');
    await clock.advance(100);
    await next.writable.getWriter().write(utf8('two'));
    await clock.advance(100);
    far.write('for the second');
    expect(await read(clock, next)).toBe('for the second');
  });

  test('a server that speaks first is heard', async () => {
    const { clock, forward, far } = await oldAgent('3.0.100.0', FORWARDING);
    far.write('220 ready');
    await clock.advance(100);
    expect(await read(clock, await forward.open())).toBe('220 ready');
  });
});

describe('a raw session', () => {
  test('is one connection, which ends with the session', async () => {
    const { clock, forward, far } = await oldAgent('3.3.0.0', { portNumber: '22' });
    const connection = await forward.open();
    await expect(forward.open()).rejects.toMatchObject({ code: 'ERR_PORT_BUSY' });
    await connection.writable.getWriter().write(utf8('SSH-2.0-client\n'));
    await clock.advance(100);
    expect(far.input).toBe('SSH-2.0-client\n');
    far.write('SSH-2.0-server\n');
    far.endSession({ output: '' });
    expect(await readToEnd(clock, connection)).toBe('SSH-2.0-server\n');
  });
});

function farClient() {
  const far = new FarEnd();
  const client = new SessionClient({ region: 'eu-central-1', credentials, platform: far.platform });
  return { far, client, clock: far.clock };
}

/** An agent of AWS that multiplexes, with its own smux. */
async function stockAgent(options: Partial<ForwardOptions> = {}) {
  const { far, client, clock } = farClient();
  const started = client.forward({ target: 'i-1', port: 80, ...options });
  started.catch(() => {});
  await clock.advance(100);
  far.command((channel) =>
    channel.startHandshake({ sessionType: 'Port', properties: FORWARDING }, clock.now()),
  );
  const forward = await clock.runUntil(started);
  return { far, clock, forward, agent: new StockSmux(far) };
}

/** An agent that does not multiplex: its handshake is written by hand. */
async function oldAgent(agentVersion: string, Properties: object) {
  const { far, client, clock } = farClient();
  const started = client.forward({ target: 'i-1', port: 80 });
  await clock.advance(100);
  const actionParameters = { SessionType: 'Port', Properties };
  const requestedClientActions = [{ actionType: 'SessionType', actionParameters }];
  far.write(formatHandshakeRequest({ agentVersion, requestedClientActions }), PayloadType.HandshakeRequest);
  far.write(
    formatHandshakeComplete({ handshakeTimeToComplete: 1, customerMessage: '' }),
    PayloadType.HandshakeComplete,
  );
  const forward: Forward = await clock.runUntil(started);
  return { far, clock, forward };
}

class StockSmux {
  readonly opened: number[] = [];
  readonly finished: number[] = [];
  readonly #far: FarEnd;
  readonly #smux = new SmuxSession({ role: 'server', version: 1, sendBuffer: 2 ** 30 });
  readonly #received = new Map<number, string>();
  #unsent: Uint8Array[] = [];

  constructor(far: FarEnd) {
    this.#far = far;
    far.onInput = (bytes) => {
      this.#smux.handleBytes(bytes);
      for (let event = this.#smux.pollEvent(); event; event = this.#smux.pollEvent()) this.#take(event);
    };
  }

  /** Pieces that the channel has not taken. */
  get queued(): number {
    this.#flush();
    return this.#unsent.length;
  }

  text(streamId: number): string | undefined {
    return this.#received.get(streamId);
  }

  write(streamId: number, text: string): void {
    this.#smux.write(streamId, utf8(text));
    this.#flush();
  }

  end(streamId: number): void {
    this.#smux.closeWrite(streamId);
    this.#flush();
  }

  #flush(): void {
    for (let bytes = this.#smux.pollTransmit(32_768); bytes; bytes = this.#smux.pollTransmit(32_768)) {
      this.#unsent.push(bytes.slice());
    }
    while (this.#unsent[0]) {
      const taken = this.#far.write(this.#unsent[0]);
      if (taken < this.#unsent[0].length) {
        this.#unsent[0] = this.#unsent[0].subarray(taken);
        return;
      }
      this.#unsent.shift();
    }
  }

  #take(event: SmuxEvent): void {
    if (event.type === 'opened') this.opened.push(event.streamId);
    if (event.type === 'finished') this.finished.push(event.streamId);
    if (event.type === 'data') {
      this.#received.set(event.streamId, (this.#received.get(event.streamId) ?? '') + fromUtf8(event.bytes));
    }
  }
}

type TestClock = FarEnd['clock'];

/** The next piece. */
async function read(clock: TestClock, { readable }: Connection): Promise<string> {
  const reader = readable.getReader();
  try {
    const { value } = await clock.runUntil(reader.read());
    return fromUtf8(value ?? new Uint8Array());
  } finally {
    reader.releaseLock();
  }
}

async function readToEnd(clock: TestClock, { readable }: Connection): Promise<string> {
  const reader = readable.getReader();
  let text = '';
  for (;;) {
    const { value, done } = await clock.runUntil(reader.read());
    if (done) return text;
    text += fromUtf8(value);
  }
}
