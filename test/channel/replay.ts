import {
  type AgentMessage,
  type ChannelEvent,
  DataChannel,
  decodeMessage,
  MessageType,
  PayloadType,
  parseAcknowledge,
  parseFlag,
  parseHandshakeRequest,
  parseKmsEncryptionRequest,
  parseSessionState,
  parseSessionTypeParameters,
  parseSize,
} from '../../src/channel/index.ts';
import { payloadDigest, sha256Digest } from '../../src/crypto/digest.ts';
import type { AesGcm } from '../../src/crypto/index.ts';
import type { RecordedEncryption } from '../support/recorded-encryption.ts';
import { isFrame, type RecordedFrame, type RecordingLine, readRecording } from '../support/recording.ts';

/** What our channel did while a recording was played to it, and what the real program had done. */
export interface Replay {
  readonly channel: DataChannel;
  readonly events: readonly ChannelEvent[];
  /** Everything our channel sent, in order, with the time. */
  readonly sent: readonly SentFrame[];
  /** Stream messages of the real program in this role, each once. */
  readonly recorded: readonly AgentMessage[];
  /** Stream messages that our channel sent, each once. */
  readonly streamed: readonly AgentMessage[];
  /** The stream's bytes as delivered, of one payload type. */
  received(payloadType?: number): string;
  /** Sequence numbers that our channel acknowledged, each time. */
  acknowledged(): number[];
}

export interface ReplayOptions {
  /** What happens, if not all that was recorded. */
  readonly lines?: readonly RecordingLine[];
  /** Of an encrypted session. Default: our channel has no key service. */
  readonly keys?: { readonly recorded: RecordedEncryption; readonly aesGcm: AesGcm };
}

export interface SentFrame {
  readonly at: number;
  readonly message: AgentMessage;
}

/**
 * Plays a recording to a DataChannel that takes the place of the real client or the real agent. What came to the
 * real program comes to ours at the same time; what the application behind the real program did is read off the
 * stream messages that it sent, and done to ours.
 */
export function replay(
  name: string,
  role: 'client' | 'agent',
  { lines = readRecording(name), keys }: ReplayOptions = {},
): Replay {
  let count = 0;
  const channel = new DataChannel({
    role,
    sessionId: keys?.recorded.context['aws:ssm:SessionId'] ?? 'replayed',
    digest: sha256Digest,
    ...(keys && {
      encryption: {
        aesGcm: keys.aesGcm,
        randomBytes: keys.recorded.agentRandom,
        targetId: keys.recorded.context['aws:ssm:TargetId']!,
        wake: () => {},
      },
    }),
    uuid: () => `00000000-0000-4000-8000-${(count++).toString(16).padStart(12, '0')}`,
  });
  const events: ChannelEvent[] = [];
  const sent: SentFrame[] = [];
  const recorded: AgentMessage[] = [];

  const poll = (now: number) => {
    for (let event = channel.pollEvent(); event; event = channel.pollEvent()) {
      events.push(event);
      if (event.type === 'generateDataKey' || event.type === 'decryptDataKey') {
        const { dataKey, ciphertextKey: ciphertext } = keys!.recorded;
        channel.handleDataKey({ plaintext: dataKey.slice(), ciphertext }, now);
      }
    }
    for (let frame = channel.pollTransmit(now); frame; frame = channel.pollTransmit(now)) {
      sent.push({ at: now, message: decodeMessage(frame, sha256Digest) });
    }
  };
  const passTime = (until: number) => {
    for (
      let deadline = channel.pollTimeout();
      deadline !== undefined && deadline <= until;
      deadline = channel.pollTimeout()
    ) {
      channel.handleTimeout(deadline);
      poll(deadline);
    }
  };

  for (const line of lines) {
    // The peer ended when it had the last acknowledge, which our channel lets wait for up to 5 ms.
    passTime(endsChannel(line) ? line.at + 5 : line.at);
    if (!isFrame(line)) {
      if (line.kind === 'ws-close' && line.from === role && line.channel !== 'control')
        channel.handleDisconnected(line.at);
    } else if (line.channel === 'data') {
      if (!line.binary && line.from === role) channel.handleConnected(line.at);
      else if (line.binary && line.from === role) mimic(channel, line, recorded, keys?.recorded);
      else if (line.binary && line.to === role && !line.lost && channel.connected)
        channel.handleMessage(line.data, line.at);
    }
    poll(line.at);
  }

  return {
    channel,
    events,
    sent,
    recorded,
    streamed: distinct(sent.map(({ message }) => message).filter(isStream)),
    received: (payloadType = PayloadType.Output) =>
      Buffer.concat(
        events.flatMap((event) =>
          event.type === 'data' && event.payloadType === payloadType ? [event.payload] : [],
        ),
      ).toString(),
    acknowledged: () =>
      sent
        .filter(({ message }) => message.messageType === MessageType.Acknowledge)
        .map(({ message }) => parseAcknowledge(message.payload).sequenceNumber),
  };
}

/** The bytes of the recorded stream toward `role`, in order, each message once, as far as they got there. */
export function recordedStream(
  name: string,
  role: 'client' | 'agent',
  payloadType: number = PayloadType.Output,
): string {
  const messages = readRecording(name)
    .filter(isFrame)
    .filter((frame) => frame.binary && frame.to === role && frame.channel === 'data' && !frame.lost)
    .map((frame) => decodeMessage(frame.data, anyDigest))
    .filter(isStream);
  const inOrder = distinct(messages).sort((a, b) => a.sequenceNumber - b.sequenceNumber);
  return Buffer.concat(
    inOrder.filter((message) => message.payloadType === payloadType).map((message) => message.payload),
  ).toString();
}

/** What can be compared of a stream message: all but its id, its date, and the time in HandshakeComplete. */
export function essence({ messageType, sequenceNumber, flags, payloadType, payload }: AgentMessage): object {
  const text = Buffer.from(payload)
    .toString('latin1')
    .replace(/"HandshakeTimeToComplete":\d+/, '"HandshakeTimeToComplete":0');
  return { messageType, sequenceNumber, flags, payloadType, text };
}

const anyDigest = { ...payloadDigest(() => new Uint8Array(32)), matches: () => true };

function endsChannel(line: RecordingLine): boolean {
  if (!isFrame(line)) return line.kind === 'ws-close';
  return line.binary && decodeMessage(line.data, anyDigest).messageType === MessageType.ChannelClosed;
}

/** Does to our channel what made the real program send this frame. */
function mimic(
  channel: DataChannel,
  frame: RecordedFrame,
  recorded: AgentMessage[],
  keys: RecordedEncryption | undefined,
): void {
  const message = decodeMessage(frame.original ?? frame.data, sha256Digest);
  const payload = () => keys?.decrypt(message) ?? message.payload;
  if (message.messageType === MessageType.AgentSessionState) {
    channel.announce(parseSessionState(message.payload).sessionState as 'Connected' | 'Terminating');
  }
  if (!isStream(message) || recorded.some(({ sequenceNumber }) => sequenceNumber === message.sequenceNumber))
    return;
  recorded.push(message);
  switch (message.payloadType) {
    case PayloadType.Size:
      channel.resize(parseSize(message.payload));
      return;
    case PayloadType.Flag:
      channel.sendFlag(parseFlag(message.payload));
      return;
    case PayloadType.ExitCode:
      channel.sendExitCode(Number(Buffer.from(payload()).toString().split(' ')[1]));
      return;
    case PayloadType.HandshakeRequest: {
      const [action, kms] = parseHandshakeRequest(message.payload).requestedClientActions;
      const encryption = kms && keys && parseKmsEncryptionRequest(kms.actionParameters);
      channel.startHandshake(parseSessionTypeParameters(action?.actionParameters), frame.at, { encryption });
      return;
    }
    case PayloadType.HandshakeResponse:
    case PayloadType.HandshakeComplete:
    case PayloadType.EncChallengeRequest:
    case PayloadType.EncChallengeResponse:
      return; // our channel's own doing
    default:
      channel.send(payload(), message.payloadType);
  }
}

function isStream({ messageType }: AgentMessage): boolean {
  return messageType === MessageType.InputStreamData || messageType === MessageType.OutputStreamData;
}

function distinct(messages: readonly AgentMessage[]): AgentMessage[] {
  return [...new Map(messages.map((message) => [message.sequenceNumber, message])).values()];
}
