import crypto from 'node:crypto';
import { MessageType, PayloadFlag, PayloadType } from '../src/channel/constants.ts';
import { DataChannel } from '../src/channel/data-channel.ts';
import { encodeMessage } from '../src/channel/encode.ts';
import { PayloadEncryption } from '../src/channel/encryption/payload-encryption.ts';
import type { ChannelEvent } from '../src/channel/events.ts';
import { formatEncryptionChallenge } from '../src/channel/payload/encryption.ts';
import { syncAesGcm } from '../src/crypto/aes-gcm.ts';
import { samplePayloads } from './corpus.ts';
import { Dice } from './dice.ts';
import { quickDigest } from './digest.ts';
import { hostilePayload, MAX_FRAME, mutate } from './mutation.ts';

/**
 * Live data channels fed by a peer that means harm: every frame well-formed and with a valid digest, every field
 * and payload anything. Between the frames, the driver's calls in any order.
 */
export class ChannelFuzzer {
  /** Frames fed so far. */
  frames = 0;
  readonly #scratch = new Uint8Array(MAX_FRAME);

  /** @throws when a channel throws, spins, or keeps more than it may */
  run(seed: number, count: number): void {
    const dice = new Dice(seed + 0x1_0000_0000);
    for (const role of ['client', 'agent'] as const) this.#attack(role, dice, Math.ceil(count / 2));
  }

  #attack(role: 'client' | 'agent', dice: Dice, count: number): void {
    const receiveBuffer = dice.magnitude(256, 65_536);
    const sendWindow = dice.magnitude(256, 65_536);
    const sendQueue = dice.magnitude(256, 65_536);
    const encrypts = dice.chance(0.5);
    const channel = new DataChannel({
      role,
      sessionId: 's',
      digest: quickDigest,
      uuid: () => MESSAGE_ID,
      receiveBuffer,
      sendWindow,
      sendQueue,
      ...(encrypts && { encryption: ENCRYPTION }),
    });
    let now = 1;
    if (role === 'agent' && dice.chance(0.5)) {
      const encryption = encrypts && dice.chance(0.8) ? { keyId: 'key' } : undefined;
      channel.startHandshake({ sessionType: 'Port', properties: null }, now, { encryption });
    }
    // One that has the data key, and may use it well or not at all.
    const other = role === 'client' ? 'agent' : 'client';
    const peer = new PayloadEncryption({ ...ENCRYPTION, role: other, dataKey: DATA_KEY });
    channel.handleConnected(now);
    if (encrypts && dice.chance(0.7)) this.#begin(channel, role, peer, now, dice);
    const polls = dice.pick([0, 0.1, 1]);
    const last: Uint8Array[] = [];
    for (let i = 0; i < count && !channel.closed; i++) {
      now += dice.chance(0.1) ? dice.magnitude(1, 100_000) : dice.fraction();
      // A frame of its own each time: the channel keeps views of it.
      const frame =
        dice.chance(0.05) && last.length > 0
          ? mutate(dice, last, this.#scratch).slice()
          : this.#frame(dice, role, encrypts && dice.chance(0.8) ? peer : undefined);
      if (last.length < 16) last.push(frame);
      this.frames++;
      channel.handleMessage(frame, now);
      this.#drive(channel, dice, now, polls);
      const { queuedBytes, unacknowledgedBytes, receivedBytes } = channel.stats;
      if (queuedBytes > sendQueue + FLAG * (i + 1)) throw new Error(`${queuedBytes} bytes are queued`);
      // The answer to a handshake repeats what was asked.
      if (unacknowledgedBytes > sendWindow + 2 * MAX_FRAME)
        throw new Error(`${unacknowledgedBytes} bytes are unacknowledged`);
      if (receivedBytes > 4 * receiveBuffer + MAX_FRAME) throw new Error(`${receivedBytes} bytes are kept`);
    }
    this.#checkEvents(channel, 4 * receiveBuffer + MAX_FRAME);
    this.#checkTransmissions(channel, now);
  }

  /** The handshake as it should be, as far as it gets: what follows meets a channel that encrypts. */
  #begin(
    channel: DataChannel,
    role: 'client' | 'agent',
    peer: PayloadEncryption,
    now: number,
    dice: Dice,
  ): void {
    const steps = role === 'client' ? FROM_AGENT : FROM_CLIENT;
    for (const [sequenceNumber, { payloadType, payload }] of steps.slice(0, dice.whole(0, 3)).entries()) {
      const messageType = role === 'client' ? MessageType.OutputStreamData : MessageType.InputStreamData;
      const message = { messageType, messageId: MESSAGE_ID, createdDate: 1, flags: 0, sequenceNumber };
      const sealed = encrypted(peer, payloadType, payload);
      channel.handleMessage(encodeMessage({ ...message, payloadType, payload: sealed }, quickDigest), now);
      for (let event = channel.pollEvent(); event; event = channel.pollEvent())
        this.#answer(channel, event, dice, now);
    }
  }

  #frame(dice: Dice, role: 'client' | 'agent', peer: PayloadEncryption | undefined): Uint8Array {
    const incoming = role === 'client' ? MessageType.OutputStreamData : MessageType.InputStreamData;
    const kind = dice.fraction();
    const messageType =
      kind < 0.6
        ? incoming
        : kind < 0.9
          ? MessageType.Acknowledge
          : kind < 0.9999
            ? dice.pick(OTHER_TYPES)
            : MessageType.ChannelClosed;
    const stream = messageType === incoming;
    const payloadType = stream ? dice.whole(0, 14) : 0;
    const plaintext =
      messageType === MessageType.Acknowledge && dice.chance(0.8)
        ? acknowledge(position(dice))
        : hostilePayload(dice, PAYLOADS);
    const payload = peer ? encrypted(peer, payloadType, plaintext) : plaintext;
    return encodeMessage(
      {
        messageType,
        messageId: MESSAGE_ID,
        createdDate: 1,
        flags: dice.whole(0, 3),
        sequenceNumber: stream ? position(dice) : 0,
        payloadType,
        payload: payload.length > 0 || dice.chance(0.5) ? payload : EMPTY_OBJECT,
      },
      quickDigest,
    );
  }

  #drive(channel: DataChannel, dice: Dice, now: number, polls: number): void {
    const what = dice.fraction();
    if (what < 0.05) channel.handleDisconnected(now);
    else if (what < 0.15) channel.handleConnected(now);
    else if (what < 0.3) channel.send(SOME_BYTES.subarray(0, dice.whole(0, SOME_BYTES.length)));
    else if (what < 0.33) channel.interrupt();
    else if (what < 0.36) channel.resize({ cols: dice.whole(1, 65_535), rows: dice.whole(1, 65_535) });
    else if (what < 0.38) channel.sendFlag(PayloadFlag.DisconnectToPort);
    else if (what < 0.4) channel.sendExitCode(dice.whole(-1, 255));
    else if (what < 0.42) channel.announce('Connected');

    const deadline = channel.pollTimeout();
    if (deadline !== undefined && deadline <= now) {
      channel.handleTimeout(now);
      const next = channel.pollTimeout();
      if (next !== undefined && next <= now) throw new Error('a timeout that never ends');
    }
    if (dice.chance(polls)) this.#answer(channel, channel.pollEvent(), dice, now);
    if (dice.chance(polls)) for (let i = dice.whole(0, 5); i > 0; i--) channel.pollTransmit(now);
  }

  #answer(channel: DataChannel, event: ChannelEvent | undefined, dice: Dice, now: number): void {
    if (event?.type !== 'generateDataKey' && event?.type !== 'decryptDataKey') return;
    if (dice.chance(0.1)) channel.handleDataKeyError(new Error('no key'));
    else channel.handleDataKey({ plaintext: DATA_KEY.slice(), ciphertext: DATA_KEY }, now);
  }

  /** However many frames came, what waits is bounded in number and in bytes. */
  #checkEvents(channel: DataChannel, limit: number): void {
    let events = 0;
    let bytes = 0;
    for (let event = channel.pollEvent(); event; event = channel.pollEvent()) {
      events++;
      if (event.type === 'data') bytes += event.payload.length;
    }
    if (bytes > limit) throw new Error(`${bytes} bytes waited to be polled`);
    // Each costs the receive buffer some bytes, but for a handful that are not stream data.
    if (events > limit / 64 + 200) throw new Error(`${events} events waited to be polled`);
  }

  #checkTransmissions(channel: DataChannel, now: number): void {
    channel.handleConnected(now);
    let frames = 0;
    while (channel.pollTransmit(now)) {
      if (++frames > MAX_TRANSMISSIONS) throw new Error('a channel that sends for ever');
    }
  }
}

const DATA_KEY = new Uint8Array(64).fill(7);
const ENCRYPTION = {
  aesGcm: syncAesGcm(crypto),
  randomBytes: (length: number) => new Uint8Array(length).fill(9),
  targetId: 'mi-1',
  wake: () => {},
};

const MESSAGE_ID = '01234567-89ab-4cde-8f01-23456789abcd';
const EMPTY_OBJECT = Uint8Array.of(0x7b, 0x7d);
const SOME_BYTES = new Uint8Array(5000).fill(0x61);
const SAMPLES = samplePayloads();
const PAYLOADS = SAMPLES.map(({ payload }) => payload);
const FROM_AGENT = [
  sample(PayloadType.HandshakeRequest),
  sample(PayloadType.EncChallengeRequest),
  sample(PayloadType.HandshakeComplete),
];
const FROM_CLIENT = [
  sample(PayloadType.HandshakeResponse),
  { payloadType: PayloadType.EncChallengeResponse, payload: EMPTY_OBJECT },
];

/** The last of its kind in the corpus is the one that encrypts. */
function sample(payloadType: number) {
  const { payload } = SAMPLES.filter((each) => each.payloadType === payloadType).at(-1)!;
  return { payloadType, payload };
}
/** Bytes of a flag or an exit code, which are taken even when the queue is full. */
const FLAG = 16;
/** Acknowledges that wait, plus all that a queue and a window hold. */
const MAX_TRANSMISSIONS = 100_000;

/** As the other end would send it, challenges included: those that an end drew are all nines here. */
function encrypted(peer: PayloadEncryption, payloadType: number, plaintext: Uint8Array): Uint8Array {
  const isChallenge = CHALLENGES.has(payloadType);
  if (!isChallenge && !peer.seals(payloadType)) return plaintext;
  let payload = plaintext;
  peer.seal(isChallenge ? ENCRYPTION.randomBytes(64) : plaintext, (sealed) => {
    payload = isChallenge ? formatEncryptionChallenge(sealed!) : sealed!;
  });
  return payload;
}

const CHALLENGES: ReadonlySet<number> = new Set([
  PayloadType.EncChallengeRequest,
  PayloadType.EncChallengeResponse,
]);

const OTHER_TYPES = [
  MessageType.StartPublication,
  MessageType.PausePublication,
  MessageType.AgentSessionState,
  MessageType.InteractiveShell,
  MessageType.AgentTaskComplete,
  MessageType.InputStreamData,
  MessageType.OutputStreamData,
  'unheard_of',
];

/** Mostly near the beginning, where the channel is; sometimes where counting ends. */
function position(dice: Dice): number {
  if (dice.chance(0.9)) return dice.whole(0, 60);
  return dice.pick([-1, -(2 ** 53) + 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, dice.magnitude(60, 20_000)]);
}

function acknowledge(sequenceNumber: number): Uint8Array {
  return Buffer.from(
    `{"AcknowledgedMessageType":"x","AcknowledgedMessageId":"","AcknowledgedMessageSequenceNumber":${sequenceNumber}}`,
  );
}
