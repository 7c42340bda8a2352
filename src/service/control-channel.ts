import { MessageType } from '../channel/constants.ts';
import { decodeMessage } from '../channel/decode.ts';
import { MessageError } from '../channel/error.ts';
import type { AgentMessage } from '../channel/message.ts';
import { parseAgentJobReply } from '../channel/payload/job.ts';
import { parseAgentTaskComplete } from '../channel/payload/task.ts';
import type { Socket } from '../core/socket.ts';
import { nodeSubject } from './bus.ts';
import { CloseCode } from './close-code.ts';
import type { ServiceContext } from './context.ts';
import { jobReplyAcknowledgeFrame, taskAcknowledgeFrame } from './frames.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Nodes } from './nodes.ts';
import type { Sessions } from './sessions.ts';

export interface ControlChannelOptions {
  /** Of the managed node. */
  readonly id: string;
  /** As recorded by `Nodes.openChannel`. */
  readonly channelId: string;
  readonly socket: Socket;
  readonly context: ServiceContext;
  readonly nodes: Nodes;
  readonly sessions: Sessions;
  /** The socket is gone. */
  readonly closed: () => void;
}

/**
 * The control channel of a managed node (PROTOCOL.md section 5): starts and ends of sessions go to the agent, its
 * completions come back and are acknowledged once they are recorded.
 */
export class ControlChannel {
  readonly #options: ControlChannelOptions;
  readonly #heartbeat: Heartbeat;
  readonly #unsubscribe: () => void;
  readonly #unwatch: () => void;
  #malformed = 0;
  #completions = 0;
  #done = false;
  /** The end of the channel has been written down. */
  #recorded: Promise<void> | undefined;

  constructor(options: ControlChannelOptions) {
    const { id, channelId, socket, context } = options;
    this.#options = options;
    this.#heartbeat = new Heartbeat(socket, context.clock, () =>
      this.close(CloseCode.PolicyViolation, 'Pings were not answered.'),
    );
    socket.handler = {
      message: (data) => this.handleMessage(data),
      pong: () => this.#heartbeat.heard(),
      closed: () => this.#closed(),
    };
    this.#unsubscribe = context.bus.subscribe(nodeSubject(id), (message) => {
      if (message instanceof Uint8Array) this.#send(message);
    });
    this.#unwatch = context.store.nodes.watch(id, (entry) => {
      if (!entry) this.close(CloseCode.PolicyViolation, 'The managed node is registered no more.');
      else if (entry.value.channel !== channelId) {
        this.close(CloseCode.Normal, 'Another connection took the place of this one.');
      }
    });
    this.#sendMissed().catch((error: unknown) => context.report(error));
  }

  /** A message from the socket. Never throws, whatever it is. */
  handleMessage(data: Uint8Array | string): void {
    if (this.#done) return;
    this.#heartbeat.heard();
    const { limits, digest } = this.#options.context;
    try {
      if (typeof data === 'string' || data.length > limits.frame) throw unreadable();
      const message = decodeMessage(data, digest);
      if (message.messageType === MessageType.AgentTaskComplete) this.#complete(message);
      // This service sends no Run Command, but an agent may still have results of another's, and repeats them until
      // they are acknowledged. Every other message is left unread.
      else if (message.messageType === MessageType.AgentJobReply) this.#acknowledgeJob(message);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#malformed++;
      if (this.#malformed >= limits.malformedFrames) {
        this.close(CloseCode.ProtocolError, 'Too many messages were unreadable.');
      }
    }
  }

  close(code: number, reason: string): void {
    this.#options.socket.close(code, reason);
    this.#closed();
  }

  /** The service stops. Resolves once the record says so. */
  async shutDown(): Promise<void> {
    this.close(CloseCode.GoingAway, 'The service is shutting down.');
    await this.#recorded;
  }

  #complete(message: AgentMessage): void {
    const { id, context, sessions } = this.#options;
    const task = parseAgentTaskComplete(message.payload);
    // The agent repeats what is not acknowledged.
    if (this.#completions >= MAX_COMPLETIONS) return;
    this.#completions++;
    sessions
      .complete(task.taskId, id, task)
      .then(() => this.#send(taskAcknowledgeFrame(message.messageId, task.taskId, context)))
      .catch((error: unknown) => context.report(error))
      .finally(() => this.#completions--);
  }

  #acknowledgeJob({ messageId, payload }: AgentMessage): void {
    const { jobId } = parseAgentJobReply(payload);
    this.#send(jobReplyAcknowledgeFrame(messageId, jobId, this.#options.context));
  }

  async #sendMissed(): Promise<void> {
    const { id, sessions } = this.#options;
    for (const frame of await sessions.missedBy(id)) this.#send(frame);
  }

  #send(frame: Uint8Array): void {
    const { socket, context } = this.#options;
    if (this.#done) return;
    if (socket.bufferedAmount > context.limits.hardBound) {
      this.close(CloseCode.TryAgainLater, 'Nothing was read for too long.');
    } else {
      socket.send(frame);
    }
  }

  #closed(): void {
    if (this.#done) return;
    this.#done = true;
    this.#unsubscribe();
    this.#unwatch();
    this.#heartbeat.stop();
    const { id, channelId, nodes, context, closed } = this.#options;
    this.#recorded = nodes.channelClosed(id, channelId).catch((error: unknown) => context.report(error));
    closed();
  }
}

/** Completions under way to the store at one time, for one node: as many as it can have sessions. */
const MAX_COMPLETIONS = 1000;

function unreadable(): MessageError {
  return new MessageError('ERR_MESSAGE_LENGTH', 'A control channel carries binary messages of bounded size.');
}
