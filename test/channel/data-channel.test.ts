import { describe, expect, test } from 'vitest';
import {
  decodeMessage,
  encodeMessage,
  formatAcknowledge,
  MessageType,
  PayloadFlag,
  PayloadType,
  parseAcknowledge,
} from '../../src/channel/index.ts';
import { sha256Digest } from '../../src/crypto/digest.ts';
import { Pair } from './pair.ts';

describe('before the session is ready', () => {
  test('the client holds input back until the agent has spoken, and loses none of it', () => {
    const pair = new Pair().connect();
    pair.client.channel.send(bytes('typed early'));
    pair.client.channel.resize({ cols: 80, rows: 24 });
    pair.run(5_000);
    expect(pair.agent.events).toEqual([]);
    pair.agent.channel.send(bytes('$ '));
    pair.run(1_000);
    expect(pair.client.typesOfEvents()).toEqual(['ready', 'data']);
    expect(pair.agent.typesOfEvents()).toEqual(['size', 'data']);
    expect(pair.agent.text).toBe('typed early');
  });

  test('with a handshake both sides are told its outcome before any data', () => {
    const pair = new Pair().connect();
    pair.client.channel.send(bytes('in'));
    pair.agent.channel.startHandshake({ sessionType: 'Port', properties: { portNumber: '80' } }, pair.now);
    pair.agent.channel.send(bytes('out'));
    pair.run(1_000);
    expect(pair.client.typesOfEvents()).toEqual(['ready', 'data']);
    expect(pair.client.events[0]).toMatchObject({
      handshake: { sessionType: 'Port', properties: { portNumber: '80' }, agentVersion: '3.3.0.0' },
    });
    expect(pair.agent.events[0]).toMatchObject({
      type: 'ready',
      handshake: { sessionType: 'Port', clientVersion: '1.2.707.0' },
    });
    expect(pair.agent.text).toBe('in');
  });

  test('hawser ends agree on the lower version of smux, and say nothing of it to a stranger', () => {
    const agreed = (client: number | undefined, agent: number | undefined) => {
      const pair = new Pair(
        client === undefined ? {} : { client: { extensions: { smux: client } } },
      ).connect();
      const session = { sessionType: 'Port', properties: null };
      pair.agent.channel.startHandshake(session, pair.now, {
        extensions: agent === undefined ? {} : { smux: agent },
      });
      pair.run(1_000);
      return [pair.client, pair.agent].map(({ events: [ready] }) =>
        ready?.type === 'ready' ? ready.handshake?.smux : 'not ready',
      );
    };
    expect(agreed(2, 2)).toEqual([2, 2]);
    expect(agreed(1, 2)).toEqual([1, 1]);
    expect(agreed(3, 2)).toEqual([2, 2]);
    expect(agreed(undefined, 2)).toEqual([undefined, undefined]);
    expect(agreed(2, undefined)).toEqual([undefined, undefined]);
  });

  test('an agent keeps to what it offered, whatever the client answers', () => {
    const pair = new Pair();
    pair.agent.channel.handleConnected(pair.now);
    pair.agent.channel.startHandshake({ sessionType: 'Port', properties: null }, pair.now, {
      extensions: { smux: 2 },
    });
    const response = {
      ProcessedClientActions: [{ ActionType: 'SessionType', ActionStatus: 1 }],
      Hawser: { Smux: 99 },
    };
    pair.agent.channel.handleMessage(
      input(0, PayloadType.HandshakeResponse, JSON.stringify(response)),
      pair.now,
    );
    pair.run(10);
    expect(pair.agent.events[0]).toMatchObject({ handshake: { smux: 2 } });
  });

  test('input that a hasty client sends during the handshake is kept for after it', () => {
    const pair = new Pair();
    pair.agent.channel.handleConnected(pair.now);
    pair.agent.channel.startHandshake({ sessionType: 'Port', properties: null }, pair.now);
    const response = {
      ClientVersion: '1.2.707.0',
      ProcessedClientActions: [{ ActionType: 'SessionType', ActionStatus: 1 }],
    };
    pair.agent.channel.handleMessage(input(0, PayloadType.Output, 'hasty'), pair.now);
    pair.run(10);
    expect(pair.agent.events).toEqual([]);
    pair.agent.channel.handleMessage(
      input(1, PayloadType.HandshakeResponse, JSON.stringify(response)),
      pair.now,
    );
    pair.run(10);
    expect(pair.agent.typesOfEvents()).toEqual(['ready', 'data']);
  });

  test('a client that does not accept the session type ends the handshake with a reason', () => {
    const pair = new Pair();
    pair.agent.channel.handleConnected(pair.now);
    pair.agent.channel.startHandshake({ sessionType: 'Port', properties: null }, pair.now);
    // The real plugin's form for an unknown action: status 0, and 3 in the result (PROTOCOL.md section 7).
    const response = {
      ProcessedClientActions: [{ ActionType: 'SessionType', ActionStatus: 0, ActionResult: 3 }],
    };
    pair.agent.channel.handleMessage(
      input(0, PayloadType.HandshakeResponse, JSON.stringify(response)),
      pair.now,
    );
    pair.run(20_000);
    expect(pair.agent.events).toEqual([
      expect.objectContaining({
        type: 'failed',
        error: expect.objectContaining({ code: 'ERR_HANDSHAKE_ACTION' }),
      }),
    ]);
  });
});

describe('the stream', () => {
  test('cuts data into payloads of the agreed size and joins small writes that wait', () => {
    const pair = ready(new Pair({ client: { payloadSize: 10 } }));
    pair.client.channel.send(bytes('0123456789abc'));
    pair.client.channel.send(bytes('de'));
    pair.run(0);
    expect(pair.wire.map(({ message }) => text(message.payload))).toEqual(['0123456789', 'abcde']);
  });

  test('is not disturbed by a caller who uses its buffer again', () => {
    const pair = ready(new Pair());
    const buffer = bytes('first');
    pair.client.channel.send(buffer);
    buffer.fill(0);
    pair.run(200);
    expect(pair.agent.text).toBe('first');
  });

  test('sends an interrupt ahead of input that waits, and only the last of several sizes', () => {
    const pair = ready(new Pair({ client: { sendWindow: 1 } }));
    pair.client.channel.send(bytes('x'.repeat(5_000)));
    pair.run(0);
    pair.client.channel.interrupt();
    pair.client.channel.resize({ cols: 1, rows: 1 });
    pair.client.channel.resize({ cols: 100, rows: 50 });
    pair.run(3_000);
    expect(pair.agent.text.indexOf('\x03')).toBe(1_024);
    expect(pair.agent.events.filter(({ type }) => type === 'size')).toEqual([
      { type: 'size', size: { cols: 100, rows: 50 } },
    ]);
  });

  test('forgets bytes that wait when told to, and nothing else', () => {
    const pair = ready(new Pair({ client: { sendWindow: 1 } }));
    pair.client.channel.send(bytes('x'.repeat(5_000)));
    pair.run(0);
    pair.client.channel.sendFlag(PayloadFlag.DisconnectToPort);
    pair.client.channel.discard();
    expect(pair.client.channel.stats.queuedBytes).toBe(4); // the flag's
    pair.client.channel.send(bytes('after'));
    pair.run(3_000);
    expect(pair.agent.text).toBe(`${'x'.repeat(1_024)}after`);
    expect(pair.agent.events.filter(({ type }) => type === 'flag')).toHaveLength(1);
  });

  test('carries flags and exit codes in their place among the data', () => {
    const pair = ready(new Pair());
    pair.agent.channel.send(bytes('out'));
    pair.agent.channel.send(bytes('err'), PayloadType.StdErr);
    pair.agent.channel.sendExitCode(7);
    pair.client.channel.sendFlag(PayloadFlag.TerminateSession);
    pair.run(200);
    expect(
      pair.client.events.slice(2).map((event) => (event.type === 'data' ? event.payloadType : event.type)),
    ).toEqual([1, 11, 'exitCode']);
    expect(pair.agent.events).toEqual([{ type: 'flag', flag: PayloadFlag.TerminateSession }]);
  });

  test('holds its window: what is unacknowledged never exceeds it by more than one frame', () => {
    const pair = ready(new Pair({ agent: { sendWindow: 10_000, sendQueue: 100_000 } }));
    expect(pair.agent.channel.send(new Uint8Array(200_000))).toBe(100_000);
    expect(pair.agent.channel.writable).toBe(false);
    pair.run(0);
    expect(pair.agent.channel.stats.unacknowledgedBytes).toBeGreaterThanOrEqual(10_000);
    expect(pair.agent.channel.stats.unacknowledgedBytes).toBeLessThan(10_000 + 1_144);
    pair.run(3_000);
    expect(pair.agent.channel.writable).toBe(true);
    expect(pair.agent.channel.acknowledged).toBe(true);
  });

  test('a window smaller than one frame still lets one at a time through', () => {
    const pair = ready(new Pair({ client: { sendWindow: 1, payloadSize: 100_000 } }));
    pair.client.channel.send(new Uint8Array(200_000).fill(65));
    pair.run(1_000);
    expect(pair.agent.text.length).toBe(200_000);
  });
});

describe('loss', () => {
  test('a lost message is sent again one round trip after its successors, long before the timeout', () => {
    const pair = ready(new Pair());
    warmUp(pair);
    const start = pair.now;
    pair.deliver = losing((message) => message.messageType === MessageType.InputStreamData, 1);
    for (const line of ['one ', 'two ', 'three ']) {
      pair.client.channel.send(bytes(line));
      pair.run(1);
    }
    while (!pair.agent.text.endsWith('three ')) pair.run(1);
    expect(pair.now - start).toBeLessThan(2 * 50 + 25 + 20);
    expect(pair.agent.text.endsWith('one two three ')).toBe(true);
  });

  test('a lost acknowledge costs one duplicate and stalls nothing', () => {
    const pair = ready(new Pair());
    warmUp(pair);
    pair.deliver = losing((message) => message.messageType === MessageType.Acknowledge, 1);
    pair.client.channel.send(bytes('a'));
    pair.run(30);
    pair.client.channel.send(bytes('b'));
    pair.run(30);
    expect(pair.agent.text.endsWith('ab')).toBe(true);
    pair.run(1_000);
    expect(pair.client.channel.acknowledged).toBe(true);
    expect(pair.client.channel.stats.retransmissions).toBe(1);
  });

  test('a retransmission is the same bytes as the first transmission', () => {
    const pair = ready(new Pair());
    const copies: Uint8Array[] = [];
    pair.deliver = (frame, to) => {
      if (to === 'agent') copies.push(frame);
      return [];
    };
    pair.client.channel.send(bytes('again'));
    pair.run(1_000);
    expect(copies.length).toBeGreaterThan(1);
    expect(new Set(copies.map((copy) => Buffer.from(copy).toString('hex'))).size).toBe(1);
  });

  test('the timeout backs off while nothing answers, up to five seconds', () => {
    const pair = ready(new Pair());
    warmUp(pair);
    const times: number[] = [];
    pair.deliver = (_, to) => {
      if (to === 'agent') times.push(pair.now);
      return [];
    };
    pair.client.channel.send(bytes('x'));
    pair.run(60_000);
    const waits = times.slice(1).map((time, i) => time - times[i]!);
    expect(waits[1]! / waits[0]!).toBeCloseTo(2, 1);
    expect(Math.max(...waits)).toBe(5_000);
  });

  test('a client whose peer has been silent for five minutes says so', () => {
    const pair = ready(new Pair());
    pair.deliver = () => [];
    pair.client.channel.send(bytes('anybody?'));
    pair.run(299_000);
    expect(pair.client.typesOfEvents()).not.toContain('failed');
    pair.run(2_000);
    expect(pair.client.events.at(-1)).toMatchObject({
      type: 'failed',
      error: { code: 'ERR_CHANNEL_SILENT' },
    });
  });
});

test('a key typed after hours of silence is no sign of a dead peer', () => {
  const pair = ready(new Pair());
  pair.run(10_000_000);
  pair.client.channel.send(bytes('awake'));
  pair.run(1_000);
  expect(pair.agent.text).toBe('awake');
  expect(pair.client.typesOfEvents()).not.toContain('failed');
});

describe('duplicates', () => {
  test('are acknowledged again, delivered once', () => {
    const pair = ready(new Pair());
    const frame = input(0, PayloadType.Output, 'once');
    for (let copy = 0; copy < 3; copy++) {
      pair.agent.channel.handleMessage(frame, pair.now);
      pair.run(5);
      expect(pair.wire.map(({ message }) => message.messageType)).toEqual([MessageType.Acknowledge]);
      pair.run(100);
    }
    expect(pair.agent.text).toBe('once');
  });
});

describe('acknowledges', () => {
  test('wait for up to 5 ms, so as not to stand in the way of an echo', () => {
    const pair = ready(new Pair());
    pair.agent.channel.handleMessage(input(0, PayloadType.Output, 'k'), pair.now);
    pair.run(4);
    expect(pair.wire).toEqual([]);
    pair.run(1);
    expect(pair.wire.length).toBe(1);
  });

  test('of eight messages with 4 KiB between them, or of 64 KiB, do not wait', () => {
    const pair = ready(new Pair());
    const part = 'x'.repeat(4_096 / 8);
    for (let i = 0; i < 8; i++)
      pair.agent.channel.handleMessage(input(i, PayloadType.Output, part), pair.now);
    pair.run(0);
    expect(pair.wire.length).toBe(8);
    pair.agent.channel.handleMessage(input(8, PayloadType.Output, 'x'.repeat(65_536)), pair.now);
    pair.run(0);
    expect(pair.wire.length).toBe(9);
  });

  test('of eight keys wait for more', () => {
    const pair = ready(new Pair());
    for (let i = 0; i < 8; i++) pair.agent.channel.handleMessage(input(i, PayloadType.Output, 'k'), pair.now);
    pair.run(4);
    expect(pair.wire.length).toBe(0);
    pair.run(1);
    expect(pair.wire.length).toBe(8);
  });

  test('of messages out of order do not wait: they tell the sender of a loss', () => {
    const pair = ready(new Pair());
    pair.agent.channel.handleMessage(input(1, PayloadType.Output, 'k'), pair.now);
    pair.run(0);
    expect(pair.wire.length).toBe(1);
  });
});

describe('a slow reader', () => {
  test('stops its peer when the receive buffer is full, and no memory grows beyond it', () => {
    const pair = ready(new Pair({ client: { receiveBuffer: 10_000 }, agent: { sendWindow: 20_000 } }));
    pair.client.reading = false;
    let sent = 0;
    for (let i = 0; i < 200; i++) {
      sent += pair.agent.channel.send(bytes('z'.repeat(5_000)));
      pair.run(100);
      expect(pair.client.channel.stats.receivedBytes).toBeLessThanOrEqual(40_000);
      expect(pair.agent.channel.stats.queuedBytes).toBeLessThanOrEqual(262_144);
    }
    expect(sent).toBeLessThan(310_000);
    pair.client.reading = true;
    pair.run(60_000);
    expect(pair.client.text).toBe(`$ ${'z'.repeat(sent)}`);
  });

  test('is not mistaken for a dead one', () => {
    const pair = ready(new Pair({ agent: { receiveBuffer: 1_000 } }));
    pair.agent.reading = false;
    pair.client.channel.send(bytes('y'.repeat(20_000)));
    pair.run(1_000_000);
    expect(pair.client.typesOfEvents()).not.toContain('failed');
    pair.agent.reading = true;
    pair.run(30_000);
    expect(pair.agent.text.length).toBe(20_000);
  });

  test('does not keep a writer on the same end from hearing of room', () => {
    const pair = ready(new Pair({ client: { sendQueue: 100 } }));
    pair.client.reading = false;
    pair.agent.channel.send(bytes('unread'));
    pair.client.channel.send(bytes('w'.repeat(100)));
    expect(pair.client.channel.writable).toBe(false);
    pair.run(200);
    expect(pair.client.channel.writable).toBe(true);
  });
});

describe('a reconnect', () => {
  test('loses and doubles nothing and starts no sequence anew', () => {
    const pair = ready(new Pair());
    pair.client.channel.send(bytes('before '));
    pair.agent.channel.send(bytes('BEFORE '));
    pair.run(10);
    pair.cut();
    pair.client.channel.send(bytes('between '));
    pair.run(60_000);
    expect(pair.wire).toEqual([]);
    pair.connect();
    pair.client.channel.send(bytes('after'));
    pair.run(1_000);
    expect(pair.agent.text).toBe('before between after');
    expect(pair.client.text).toBe('$ BEFORE ');
  });

  test('resends what was unacknowledged at once, oldest first, not one per timeout', () => {
    const pair = ready(new Pair({ client: { payloadSize: 1 } }));
    pair.deliver = () => [];
    pair.client.channel.send(bytes('abcdefgh'));
    pair.run(5);
    pair.cut();
    pair.deliver = (frame) => [frame];
    pair.connect();
    pair.run(0);
    expect(pair.wire.map(({ message }) => text(message.payload)).join('')).toBe('abcdefgh');
  });

  test('makes what is never acknowledged count for delivered only when it was sent often on the new path', () => {
    const pair = ready(new Pair());
    const { channel } = pair.agent;
    pair.deliver = (frame) => {
      const message = decodeMessage(frame, sha256Digest);
      const isOf1 = () => parseAcknowledge(message.payload).sequenceNumber === 1;
      return message.messageType === MessageType.Acknowledge && isOf1() ? [] : [frame];
    };
    const followed = () => {
      channel.send(bytes('more'));
      pair.run(100);
    };
    channel.send(bytes('never acknowledged'));
    pair.run(60_000);
    followed();
    expect([channel.acknowledged, channel.settled]).toEqual([false, true]);
    // A relay between them may have taken all of that, and been killed.
    pair.cut();
    pair.connect();
    followed();
    expect(channel.settled).toBe(false);
    pair.run(60_000);
    followed();
    expect([channel.acknowledged, channel.settled]).toEqual([false, true]);
  });
});

test('an acknowledge that was slow does not make what was sent between count for delivered', () => {
  const { channel } = new Pair().agent;
  const sequence: number[] = [];
  const transmit = (now: number) => {
    for (let frame = channel.pollTransmit(now); frame; frame = channel.pollTransmit(now)) {
      sequence.push(decodeMessage(frame, sha256Digest).sequenceNumber);
    }
  };
  const send = (text: string, now: number) => {
    channel.send(bytes(text));
    transmit(now);
  };
  channel.handleConnected(0);
  send('on a quick path', 0);
  channel.handleMessage(acknowledge(0), 1);
  send('held up in a relay', 1);
  send('held up as well', 1);
  let now = 1;
  while (sequence.filter((number) => number === 1).length < 6) {
    now = channel.pollTimeout()!;
    channel.handleTimeout(now);
    transmit(now);
  }
  expect(sequence.at(-1)).toBe(2);
  channel.handleMessage(acknowledge(2), now + 1);
  expect([channel.acknowledged, channel.settled]).toEqual([false, false]);
  send('new', now + 2);
  channel.handleMessage(acknowledge(3), now + 3);
  expect([channel.acknowledged, channel.settled]).toEqual([false, true]);
});

describe('publication', () => {
  test('an agent that is paused sends nothing, acknowledges still, and goes on where it was', () => {
    const pair = ready(new Pair());
    pair.agent.channel.handleMessage(service(MessageType.PausePublication), pair.now);
    pair.agent.channel.send(bytes('held'));
    pair.run(10_000);
    expect(pair.client.text).toBe('$ ');
    pair.agent.channel.handleMessage(service(MessageType.StartPublication), pair.now);
    pair.run(100);
    expect(pair.client.text).toBe('$ held');
  });

  test('a client that is paused and never started again still gets its input through, one message at a time', () => {
    const pair = ready(new Pair({ client: { payloadSize: 1 } }));
    pair.client.channel.handleMessage(service(MessageType.PausePublication), pair.now);
    pair.client.channel.send(bytes('abc'));
    pair.run(0);
    expect(pair.wire.length).toBe(1);
    pair.run(1_000);
    expect(pair.agent.text).toBe('abc');
  });
});

describe('hostile input', () => {
  test('an acknowledge of something never sent changes nothing', () => {
    const pair = ready(new Pair());
    const payload = formatAcknowledge({
      messageType: 'input_stream_data',
      messageId: '',
      sequenceNumber: 99,
    });
    pair.client.channel.handleMessage(service(MessageType.Acknowledge, payload), pair.now);
    pair.client.channel.send(bytes('still'));
    pair.run(200);
    expect(pair.agent.text).toBe('still');
  });

  test('messages far ahead of their turn are dropped unacknowledged', () => {
    const pair = ready(new Pair());
    pair.agent.channel.handleMessage(input(10_001, PayloadType.Output, 'far'), pair.now);
    expect(pair.agent.channel.stats.receivedBytes).toBe(0);
    expect(pair.agent.channel.pollTransmit(pair.now)).toBeUndefined();
  });

  test('a message that has to wait keeps no more memory than its own', () => {
    const pair = ready(new Pair());
    pair.agent.reading = false;
    for (const sequenceNumber of [3, 2, 1, 0, ...Array.from({ length: 500 }, (_, i) => i + 4)]) {
      const read = new Uint8Array(65_536); // what else came in the same read
      const frame = input(sequenceNumber, PayloadType.Output, 'x');
      read.set(frame);
      pair.agent.channel.handleMessage(read.subarray(0, frame.length), pair.now);
    }
    const kept: number[] = [];
    for (let event = pair.agent.channel.pollEvent(); event; event = pair.agent.channel.pollEvent()) {
      if (event.type === 'data') kept.push(event.payload.buffer.byteLength);
    }
    expect(kept.length).toBe(504);
    // Early ones are copied at once, those in order when more than 16 KiB wait.
    expect(kept.slice(1, 4)).toEqual([1, 1, 1]);
    expect(kept.filter((bytes) => bytes === 65_536).length).toBeLessThan(260);
  });

  test('a payload that cannot be read takes its turn, is reported, and stops nothing', () => {
    const pair = ready(new Pair());
    pair.agent.channel.handleMessage(input(0, PayloadType.Size, '{"cols":-1}'), pair.now);
    pair.agent.channel.handleMessage(input(1, PayloadType.Output, 'next'), pair.now);
    pair.run(0);
    expect(pair.agent.typesOfEvents()).toEqual(['dropped', 'data']);
  });

  test('reports of dropped frames do not pile up', () => {
    const pair = ready(new Pair());
    for (let i = 0; i < 1_000; i++) pair.client.channel.handleMessage(new Uint8Array(3), pair.now);
    pair.run(0);
    expect(pair.client.typesOfEvents().filter((type) => type === 'dropped').length).toBe(64);
    expect(pair.client.channel.stats.droppedFrames).toBe(1_000);
  });

  test('a client does not take input messages, nor an agent output', () => {
    const pair = ready(new Pair());
    pair.client.channel.handleMessage(input(0, PayloadType.Output, 'mine?'), pair.now);
    pair.run(0);
    expect(pair.client.events.at(-1)).toMatchObject({
      type: 'dropped',
      error: { code: 'ERR_MESSAGE_FIELD' },
    });
  });
});

/** A pair whose agent has shown its prompt. */
function ready(pair: Pair): Pair {
  pair.connect();
  pair.agent.channel.send(bytes('$ '));
  pair.run(500);
  return pair;
}

/** Lets the client measure its round-trip time. */
function warmUp(pair: Pair): void {
  for (let i = 0; i < 20; i++) {
    pair.client.channel.send(bytes('.'));
    pair.run(200);
  }
}

/** Loses the first `count` frames that match. */
function losing(
  matches: (message: ReturnType<typeof decodeMessage>) => boolean,
  count: number,
): Pair['deliver'] {
  let left = count;
  return (frame) => {
    if (left === 0 || !matches(decodeMessage(frame, sha256Digest))) return [frame];
    left--;
    return [];
  };
}

function input(sequenceNumber: number, payloadType: number, payload: string): Uint8Array {
  return service(MessageType.InputStreamData, bytes(payload), sequenceNumber, payloadType);
}

function service(
  messageType: string,
  payload = bytes('{}'),
  sequenceNumber = 0,
  payloadType = 0,
): Uint8Array {
  return encodeMessage(
    { messageType, messageId: crypto.randomUUID(), createdDate: 1, sequenceNumber, payloadType, payload },
    sha256Digest,
  );
}

function acknowledge(sequenceNumber: number): Uint8Array {
  const messageId = crypto.randomUUID();
  const messageType = MessageType.OutputStreamData;
  return service(MessageType.Acknowledge, formatAcknowledge({ messageType, messageId, sequenceNumber }));
}

function bytes(ascii: string): Uint8Array {
  return new TextEncoder().encode(ascii);
}

function text(payload: Uint8Array): string {
  return new TextDecoder().decode(payload);
}
