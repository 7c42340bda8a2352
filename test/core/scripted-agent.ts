import {
  type AgentMessage,
  decodeMessage,
  encodeMessage,
  formatAcknowledge,
  type MessageFields,
  MessageType,
  parseAcknowledge,
} from '../../src/channel/index.ts';
import type { Platform } from '../../src/core/platform.ts';
import { platformWith } from '../../src/core/runtime.ts';
import type { Socket } from '../../src/core/socket.ts';
import { sha256Digest } from '../../src/crypto/index.ts';
import { seededRandom, socketPair, VirtualClock } from '../../src/testing/index.ts';
import { access } from './far-end.ts';

/** The far side of a client's transport, frame by frame: says what a test says, and writes down what came. */
export class ScriptedAgent {
  readonly clock = new VirtualClock();
  readonly platform: Platform;
  readonly received: AgentMessage[] = [];
  #socket: Socket | undefined;
  #sequence = 0;

  constructor() {
    const { clock } = this;
    const answer = async (request: Request) => {
      const operation = request.headers.get('x-amz-target')!;
      return Response.json(operation.endsWith('TerminateSession') ? { SessionId: '' } : access('token'));
    };
    const connect = async () => {
      const pair = socketPair({ clock });
      this.#socket = pair.server;
      pair.server.handler = {
        message: (frame) => {
          if (typeof frame !== 'string') this.received.push(decodeMessage(frame, sha256Digest));
        },
        closed: () => {},
      };
      return pair.client;
    };
    this.platform = platformWith({ clock, random: seededRandom(1), transport: { fetch: answer, connect } });
  }

  /** What came of a type. */
  of(messageType: string): AgentMessage[] {
    return this.received.filter((message) => message.messageType === messageType);
  }

  /** The client's stream as text, in the order in which it came. */
  get input(): string[] {
    return this.of(MessageType.InputStreamData).map(({ payload }) => new TextDecoder().decode(payload));
  }

  /** Sequence numbers of output that the client acknowledged, each time. */
  get acknowledged(): number[] {
    return this.of(MessageType.Acknowledge).map(({ payload }) => parseAcknowledge(payload).sequenceNumber);
  }

  async send(
    messageType: string,
    payload: string | Uint8Array | object,
    fields: Partial<MessageFields> = {},
  ): Promise<Uint8Array> {
    const bytes =
      payload instanceof Uint8Array
        ? payload
        : new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload));
    const messageId = this.platform.random.uuid();
    const frame = encodeMessage(
      { messageType, messageId, createdDate: 1, payload: bytes, ...fields },
      sha256Digest,
    );
    await this.sendAgain(frame);
    return frame;
  }

  async sendAgain(frame: Uint8Array): Promise<void> {
    this.#socket!.send(frame);
    await this.clock.advance(10);
  }

  /** The next message of the agent's stream. */
  output(payload: string | Uint8Array | object, payloadType = 1): Promise<Uint8Array> {
    return this.send(MessageType.OutputStreamData, payload, {
      sequenceNumber: this.#sequence++,
      payloadType,
    });
  }

  /** Acknowledges all input there is, as the real agent does before it looks at it. */
  async acknowledge(): Promise<void> {
    for (const { messageType, messageId, sequenceNumber } of this.of(MessageType.InputStreamData)) {
      const payload = formatAcknowledge({ messageType, messageId, sequenceNumber });
      await this.send(MessageType.Acknowledge, payload, { flags: 3 });
    }
  }
}
