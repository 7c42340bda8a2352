import { createHash } from 'node:crypto';
import { MessageType, PayloadType } from '../src/channel/constants.ts';
import { decodeMessage, peekMessageType } from '../src/channel/decode.ts';
import { MessageError } from '../src/channel/error.ts';
import { parseAcknowledge } from '../src/channel/payload/acknowledge.ts';
import { parseChannelClosed } from '../src/channel/payload/channel-closed.ts';
import { parseEncryptionChallenge } from '../src/channel/payload/encryption.ts';
import {
  parseHandshakeComplete,
  parseHandshakeRequest,
  parseHandshakeResponse,
  parseSessionTypeParameters,
} from '../src/channel/payload/handshake.ts';
import {
  parseAgentJob,
  parseAgentJobAck,
  parseAgentJobReply,
  parseAgentJobReplyAck,
} from '../src/channel/payload/job.ts';
import { parseSessionState } from '../src/channel/payload/session-state.ts';
import {
  parseAgentTaskAcknowledge,
  parseAgentTaskComplete,
  parseStartSessionTask,
} from '../src/channel/payload/task.ts';
import { parseExitCode, parseFlag, parseSize } from '../src/channel/payload/terminal.ts';
import { type PayloadDigest, payloadDigest } from '../src/crypto/digest.ts';
import { corpus, type SamplePayload, samplePayloads } from './corpus.ts';
import { Dice } from './dice.ts';
import { hostilePayload, MAX_FRAME, mutate } from './mutation.ts';

/** Mutated frames through the decoder, and what it lets through, on to the parsers. */
export class CodecFuzzer {
  /** Frames that the decoder took. */
  read = 0;
  readonly #frames = corpus();
  readonly #payloads = samplePayloads();
  readonly #scratch = new Uint8Array(MAX_FRAME);

  /** @throws whatever is not a {@link MessageError} */
  run(seed: number, count: number): void {
    const dice = new Dice(seed);
    for (let i = 0; i < count; i++) {
      // Most mutations do not survive the digest. Half of the frames do without, or little would go further.
      if (i % 10 === 0) this.#parseHostile(dice);
      else this.#decode(mutate(dice, this.#frames, this.#scratch), i % 2 === 0 ? sha256 : noDigest);
    }
  }

  #decode(frame: Uint8Array, digest: PayloadDigest): void {
    onlyMessageErrors(() => peekMessageType(frame));
    onlyMessageErrors(() => {
      const message = decodeMessage(frame, digest);
      if (message.payload.buffer !== frame.buffer) throw new Error('the payload is a copy');
      if (message.messageType.length > 32) throw new Error('a message type over 32 characters');
      if (message.messageId.length !== 36) throw new Error('a message id that is no UUID');
      this.read++;
      parse(message);
    });
  }

  #parseHostile(dice: Dice): void {
    const { messageType, payloadType = 0 } = dice.pick(this.#payloads);
    const payload = hostilePayload(dice, PAYLOADS);
    onlyMessageErrors(() => parse({ messageType, payloadType, payload }));
  }
}

const PAYLOADS = samplePayloads().map(({ payload }) => payload);

const sha256 = payloadDigest((bytes) => createHash('sha256').update(bytes).digest());
const noDigest: PayloadDigest = { write: () => {}, matches: () => true };

/** @throws whatever `run` throws that is not a {@link MessageError} */
export function onlyMessageErrors(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
  }
}

/** Reads a payload as what its message says it is; those that are plain bytes are left alone. */
export function parse({ messageType, payloadType = 0, payload }: SamplePayload): void {
  (PARSERS[messageType] ?? STREAM_PARSERS[payloadType])?.(payload);
}

const PARSERS: Readonly<Record<string, (payload: Uint8Array) => unknown>> = {
  __proto__: null as never,
  [MessageType.Acknowledge]: parseAcknowledge,
  [MessageType.AgentSessionState]: parseSessionState,
  [MessageType.ChannelClosed]: parseChannelClosed,
  [MessageType.InteractiveShell]: parseStartSessionTask,
  [MessageType.AgentTaskComplete]: parseAgentTaskComplete,
  [MessageType.AgentTaskAcknowledge]: parseAgentTaskAcknowledge,
  [MessageType.AgentJob]: parseAgentJob,
  [MessageType.AgentJobAck]: parseAgentJobAck,
  [MessageType.AgentJobReply]: parseAgentJobReply,
  [MessageType.AgentJobReplyAck]: parseAgentJobReplyAck,
};

const STREAM_PARSERS: Readonly<Record<number, (payload: Uint8Array) => unknown>> = {
  [PayloadType.Size]: parseSize,
  [PayloadType.Flag]: parseFlag,
  [PayloadType.ExitCode]: parseExitCode,
  [PayloadType.HandshakeRequest]: (payload) => {
    const { requestedClientActions } = parseHandshakeRequest(payload);
    for (const { actionParameters } of requestedClientActions) parseSessionTypeParameters(actionParameters);
  },
  [PayloadType.HandshakeResponse]: parseHandshakeResponse,
  [PayloadType.HandshakeComplete]: parseHandshakeComplete,
  [PayloadType.EncChallengeRequest]: parseEncryptionChallenge,
  [PayloadType.EncChallengeResponse]: parseEncryptionChallenge,
};
