import {
  type AgentMessage,
  decodeMessage,
  encodeMessage,
  formatAgentTaskAcknowledge,
  formatChannelClosed,
  formatStartSessionTask,
  parseAgentTaskComplete,
} from 'hawser/channel';
import { sha256Digest } from 'hawser/crypto';
import { type MemoryService, seededRandom, type VirtualClock } from 'hawser/testing';
import type { Socket } from '../../src/core/socket.ts';

/** A message gateway that does what a test says, and writes down what the agent does: frames and times. */
export class ScriptedGateway implements MemoryService {
  readonly #clock: VirtualClock;
  readonly #random = seededRandom(4);
  /** `control` or the session id, and when it was asked for. */
  readonly posts: { readonly channel: string; readonly at: number }[] = [];
  readonly channels: ScriptedChannel[] = [];
  /** Answers POSTs; default a token. */
  answer: (channel: string) => Response = () =>
    new Response('<R><MessageSchemaVersion>1.0</MessageSchemaVersion><TokenValue>t&amp;1</TokenValue></R>', {
      status: 201,
    });

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  async fetch(request: Request): Promise<Response> {
    const channel = channelOf(request);
    this.posts.push({ channel, at: this.#clock.now() });
    return this.answer(channel);
  }

  async upgrade(request: Request): Promise<(socket: Socket) => void> {
    return (socket) => {
      this.channels.push(new ScriptedChannel(channelOf(request), socket, this.#clock));
    };
  }

  /** The newest open channel of that name. */
  channel(name: string): ScriptedChannel {
    const found = this.channels.filter((channel) => channel.name === name && channel.open).at(-1);
    if (!found) throw new Error(`There is no open channel ${name}.`);
    return found;
  }

  get control(): ScriptedChannel {
    return this.channel('control');
  }

  startSession(sessionId: string, content: object = { sessionType: 'Standard_Stream' }): void {
    const payload = formatStartSessionTask({
      documentName: 'SSM-SessionManagerRunShell',
      documentContent: { schemaVersion: '1.0', ...content },
      sessionId,
      parameters: {},
      runAsUser: '',
      sessionOwner: 'arn:aws:iam::111122223333:user/tester',
    });
    this.send('control', 'interactive_shell', payload);
  }

  channelClosed(channel: string, sessionId: string): void {
    const payload = formatChannelClosed({
      messageId: this.#random.uuid(),
      destinationId: '',
      sessionId,
      createdDate: '',
      output: '',
    });
    this.send(channel, 'channel_closed', payload);
  }

  acknowledge(sessionId: string): void {
    this.send(
      'control',
      'agent_task_acknowledge',
      formatAgentTaskAcknowledge({ messageId: this.#random.uuid(), taskId: sessionId }),
    );
  }

  send(channel: string, messageType: string, payload: Uint8Array): void {
    const frame = encodeMessage(
      { messageType, messageId: this.#random.uuid(), createdDate: this.#clock.now(), payload },
      sha256Digest,
    );
    this.channel(channel).socket.send(frame);
  }

  /** The ends of sessions that the agent has reported, on any control channel. */
  get completions() {
    return this.channels
      .filter(({ name }) => name === 'control')
      .flatMap(({ received }) => received)
      .filter(({ message }) => message.messageType === 'agent_task_complete')
      .map(({ message, at }) => ({ ...parseAgentTaskComplete(message.payload), at }));
  }
}

export class ScriptedChannel {
  readonly name: string;
  readonly socket: Socket;
  readonly received: { readonly message: AgentMessage; readonly at: number }[] = [];
  opening: Record<string, unknown> | undefined;
  open = true;

  constructor(name: string, socket: Socket, clock: VirtualClock) {
    this.name = name;
    this.socket = socket;
    socket.handler = {
      message: (data) => {
        if (typeof data === 'string') this.opening = JSON.parse(data);
        else this.received.push({ message: decodeMessage(data, sha256Digest), at: clock.now() });
      },
      closed: () => {
        this.open = false;
      },
    };
  }

  get types(): string[] {
    return this.received.map(({ message }) => message.messageType);
  }
}

function channelOf(request: Request): string {
  const [, , kind, id] = new URL(request.url).pathname.split('/');
  return kind === 'control-channel' ? 'control' : decodeURIComponent(id ?? '');
}
