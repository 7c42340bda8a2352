import { createDecipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  type AgentMessage,
  decodeMessage,
  PayloadType,
  parseEncryptionChallenge,
  parseHandshakeRequest,
  parseHandshakeResponse,
  parseKmsEncryptionRequest,
  parseKmsEncryptionResponse,
} from '../../src/channel/index.ts';
import { payloadDigest } from '../../src/crypto/digest.ts';
import { isFrame, readRecording } from './recording.ts';

/** What a recording of an encrypted session tells to those who have its data key. */
export interface RecordedEncryption {
  readonly dataKey: Uint8Array;
  readonly ciphertextKey: Uint8Array;
  readonly context: Readonly<Record<string, string>>;
  readonly keyId: string;
  /** What the agent drew: its random challenge, the first of its nonces, and its encryption challenge. */
  readonly agentRandom: (length: number) => Uint8Array;
  /** The payload in the clear, by means that are not ours. */
  decrypt(message: AgentMessage): Uint8Array;
}

export function recordedEncryption(name: string): RecordedEncryption {
  const text = readFileSync(new URL(`../vectors/${name}.jsonl`, import.meta.url), 'utf8');
  const secret = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .find(({ kind }) => kind === 'kms-secret');
  const dataKey = new Uint8Array(Buffer.from(secret.plaintext, 'base64'));
  const messages = readRecording(name)
    .filter(isFrame)
    .filter(({ binary, channel }) => binary && channel === 'data')
    .map(({ data }) => decodeMessage(data, anyDigest));
  const of = (type: number) => messages.find(({ payloadType }) => payloadType === type)!.payload;
  const [, request] = parseHandshakeRequest(of(PayloadType.HandshakeRequest)).requestedClientActions;
  const [, response] = parseHandshakeResponse(of(PayloadType.HandshakeResponse)).processedClientActions;
  const { keyId, challenge = '' } = parseKmsEncryptionRequest(request?.actionParameters);
  const sealed = parseEncryptionChallenge(of(PayloadType.EncChallengeRequest));
  const drawn: Record<number, Uint8Array> = {
    16: Buffer.from(challenge, 'base64'),
    12: sealed.slice(0, 12),
    64: open(dataKey.subarray(0, 32), sealed),
  };
  return {
    dataKey,
    ciphertextKey: parseKmsEncryptionResponse(response?.actionResult)!.ciphertextKey,
    context: secret.ctx,
    keyId,
    agentRandom: (length) => new Uint8Array(drawn[length]!),
    decrypt: ({ messageType, payloadType, payload }) => {
      if (!ENCRYPTED.has(payloadType)) return payload;
      const half = messageType === 'output_stream_data' ? dataKey.subarray(0, 32) : dataKey.subarray(32);
      return open(half, payload);
    },
  };
}

const ENCRYPTED: ReadonlySet<number> = new Set([
  PayloadType.Output,
  PayloadType.StdErr,
  PayloadType.ExitCode,
]);

const anyDigest = { ...payloadDigest(() => new Uint8Array(32)), matches: () => true };

function open(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
}
