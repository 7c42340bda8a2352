import { deferred } from '../base/deferred.ts';
import { decodeMessage } from '../channel/decode.ts';
import { encodeMessage } from '../channel/encode.ts';
import type { AgentMessage } from '../channel/message.ts';
import type { Platform } from '../core/platform.ts';
import type { Socket } from '../core/socket.ts';
import { AgentError } from './error.ts';
import type { MessageGateway } from './gateway.ts';
import { Reconnect } from './reconnect.ts';
import { SocketWatch } from './watch-socket.ts';

export interface ControlChannelHandler {
  connected(): void;
  /** The connection is gone or could not be made; the next try follows by itself unless `stop` is answered. */
  disconnected(error: Error): 'retry' | 'stop';
  message(message: AgentMessage): void;
  /** Something came that is no message. */
  dropped(error: Error): void;
}

/** The agent's one connection to the service: kept up for ever, with backoff. */
export class ControlChannel {
  readonly #gateway: MessageGateway;
  readonly #platform: Platform;
  readonly #handler: ControlChannelHandler;
  #socket: Socket | undefined;

  constructor(gateway: MessageGateway, platform: Platform, handler: ControlChannelHandler) {
    this.#gateway = gateway;
    this.#platform = platform;
    this.#handler = handler;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  /** Keeps the channel up until `signal` is aborted or the handler says `stop`. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const reconnect = new Reconnect(this.#platform, BACKOFF);
    while (!signal.aborted) {
      try {
        await this.#serve(await this.#gateway.openControlChannel(signal), signal);
      } catch (error) {
        if (signal.aborted || this.#handler.disconnected(error as Error) === 'stop') return;
      }
      await reconnect.wait(signal);
    }
  }

  /** @returns the MessageId, or undefined when there is no connection */
  send(messageType: string, payload: Uint8Array): string | undefined {
    if (!this.#socket) return undefined;
    const { clock, random, digest } = this.#platform;
    const messageId = random.uuid();
    this.#socket.send(encodeMessage({ messageType, messageId, createdDate: clock.now(), payload }, digest));
    return messageId;
  }

  /** @throws {AgentError} `ERR_AGENT_DISCONNECTED` when the connection ends; resolves when `signal` ended it */
  async #serve(socket: Socket, signal: AbortSignal): Promise<void> {
    const closed = deferred<AgentError>();
    const end = (why: string) => closed.resolve(new AgentError('ERR_AGENT_DISCONNECTED', why));
    const watch = new SocketWatch(socket, this.#platform.clock, () =>
      end('The control channel went silent: no answer to a ping.'),
    );
    socket.handler = {
      message: (data) => {
        watch.heard();
        if (typeof data !== 'string') this.#receive(data);
      },
      pong: () => watch.heard(),
      closed: (code) => end(`The service closed the control channel with code ${code}.`),
    };
    const abort = () => end('The agent was stopped.');
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    this.#socket = socket;
    this.#handler.connected();
    const error = await closed.promise;
    this.#socket = undefined;
    watch.stop();
    signal.removeEventListener('abort', abort);
    socket.handler = undefined;
    socket.close();
    throw error;
  }

  #receive(data: Uint8Array): void {
    let message: AgentMessage;
    try {
      message = decodeMessage(data, this.#platform.digest);
    } catch (error) {
      this.#handler.dropped(error as Error);
      return;
    }
    this.#handler.message(message);
  }
}

/** Milliseconds. AWS's agent waits up to 40 minutes; a node that nobody can reach for so long is no use. */
const BACKOFF = { base: 1_000, cap: 60_000 };
