import { fromUtf8, utf8 } from '../../src/base/encoding.ts';
import {
  type ChannelClosed,
  type ChannelEvent,
  DataChannel,
  encodeMessage,
  formatChannelClosed,
  MessageType,
  type OpenDataChannel,
  type PayloadFlag,
  parseOpenDataChannel,
} from '../../src/channel/index.ts';
import { ChannelDriver } from '../../src/core/channel-driver.ts';
import type { Platform } from '../../src/core/platform.ts';
import { platformWith } from '../../src/core/runtime.ts';
import type { Socket, Transport } from '../../src/core/socket.ts';
import { type SocketPair, seededRandom, socketPair, VirtualClock } from '../../src/testing/index.ts';

export interface FarEndOptions {
  /** Milliseconds one way. Default 5. */
  readonly latency?: number;
  /** Whether sockets can ping, as those of `ws` can. Default true. */
  readonly ping?: boolean;
  readonly receiveBuffer?: number;
}

export interface Call {
  readonly operation: string;
  readonly input: Record<string, unknown>;
}

/**
 * Everything on the far side of a client's transport, driven by hand: the agent's own `DataChannel` over the
 * connections that are opened, and answers to API calls as the test wants them.
 */
export class FarEnd {
  readonly clock = new VirtualClock();
  readonly channel: DataChannel;
  readonly platform: Platform;
  readonly calls: Call[] = [];
  /** The opening messages, and the URLs they came to. */
  readonly opened: (OpenDataChannel & { readonly url: string })[] = [];
  readonly pairs: SocketPair[] = [];
  /** What came in order: text of the input, and the rest. */
  input = '';
  /** The same as bytes, for protocols inside. */
  onInput: (bytes: Uint8Array) => void = () => {};
  readonly flags: PayloadFlag[] = [];
  readonly sizes: string[] = [];
  /** While set, connections fail with it. */
  connectFault: Error | undefined;
  /** Whether what comes is polled: an agent whose program reads. */
  reading = true;
  /** By operation; the default does what AWS's service does. */
  readonly answers: Record<string, (input: Record<string, unknown>) => Response | Promise<Response>> = {
    StartSession: () => Response.json(access('first-token')),
    ResumeSession: () => Response.json(access(`token-${this.opened.length}`)),
    TerminateSession: ({ SessionId }) => {
      this.endSession({ output: '' });
      return Response.json({ SessionId });
    },
  };
  readonly #driver: ChannelDriver;
  readonly #options: FarEndOptions;
  readonly #watchers = new Set<() => void>();

  constructor(options: FarEndOptions = {}) {
    this.#options = options;
    const random = seededRandom(7);
    const transport: Transport = {
      fetch: (request) => this.#fetch(request),
      connect: (url) => this.#connect(url),
      watchOnline: (online) => {
        this.#watchers.add(online);
        return () => this.#watchers.delete(online);
      },
    };
    this.platform = platformWith({ clock: this.clock, random: seededRandom(1), transport });
    this.channel = new DataChannel({
      role: 'agent',
      sessionId: SESSION_ID,
      digest: this.platform.digest,
      uuid: () => random.uuid(),
      ...(options.receiveBuffer && { receiveBuffer: options.receiveBuffer }),
    });
    this.#driver = new ChannelDriver(this.channel, this.clock, {
      changed: () => this.poll(),
      disconnected: () => {},
    });
  }

  /** How many watch for the network. */
  get watchers(): number {
    return this.#watchers.size;
  }

  /** Output of the program on the node. @returns bytes taken */
  write(text: string | Uint8Array, payloadType?: number): number {
    const taken = this.channel.send(typeof text === 'string' ? utf8(text) : text, payloadType);
    this.#driver.run();
    return taken;
  }

  command(give: (channel: DataChannel) => void): void {
    give(this.channel);
    this.#driver.run();
  }

  /** What the service sends when the session is over. */
  endSession(closed: Partial<ChannelClosed>): void {
    const message = {
      messageId: '',
      destinationId: 'i-1',
      sessionId: SESSION_ID,
      createdDate: '',
      output: '',
    };
    this.socket.send(
      encodeMessage(
        {
          messageType: MessageType.ChannelClosed,
          messageId: this.platform.random.uuid(),
          createdDate: this.clock.now(),
          payload: formatChannelClosed({ ...message, ...closed }),
        },
        this.platform.digest,
      ),
    );
  }

  /** The connection breaks. */
  cut(): void {
    this.pairs.at(-1)!.cut();
  }

  /** The connection stays, and nothing comes through it any more. */
  blackHole(): void {
    this.socket.handler = undefined;
    this.socket.pause?.();
    this.#driver.stop();
    this.channel.handleDisconnected(this.clock.now());
  }

  online(): void {
    for (const watcher of this.#watchers) watcher();
  }

  get socket(): Socket {
    return this.pairs.at(-1)!.server;
  }

  poll(): void {
    for (let event = this.reading && this.channel.pollEvent(); event; event = this.channel.pollEvent()) {
      this.#take(event);
    }
    this.#driver.run();
  }

  #take(event: ChannelEvent): void {
    if (event.type === 'data') {
      this.input += fromUtf8(event.payload);
      this.onInput(event.payload);
    }
    if (event.type === 'flag') this.flags.push(event.flag);
    if (event.type === 'size') this.sizes.push(`${event.size.cols}x${event.size.rows}`);
  }

  async #fetch(request: Request): Promise<Response> {
    const operation = request.headers.get('x-amz-target')!.replace('AmazonSSM.', '');
    const input = (await request.json()) as Record<string, unknown>;
    this.calls.push({ operation, input });
    const answer = this.answers[operation];
    if (!answer) throw new Error(`Nobody answers ${operation}.`);
    return answer(input);
  }

  async #connect(url: string): Promise<Socket> {
    if (this.connectFault) throw this.connectFault;
    const pair = socketPair({ clock: this.clock, latency: this.#options.latency ?? 5 });
    this.pairs.push(pair);
    pair.server.handler = {
      message: (text) => {
        this.opened.push({ url, ...parseOpenDataChannel(text as string) });
        this.#driver.connect(pair.server);
      },
      closed: () => {},
    };
    if (this.#options.ping ?? true) return pair.client;
    return withoutPing(pair.client);
  }
}

export const SESSION_ID = 'jane-0123456789abcdef0';
export const STREAM_URL =
  'wss://ssmmessages.eu-central-1.amazonaws.com/v1/data-channel/jane-0123456789abcdef0?role=publish_subscribe';

export function access(TokenValue: string): object {
  return { SessionId: SESSION_ID, TokenValue, StreamUrl: STREAM_URL };
}

/** A socket as browsers have it. */
function withoutPing(socket: Socket): Socket {
  return {
    get handler() {
      return socket.handler;
    },
    set handler(handler) {
      socket.handler = handler && { message: handler.message, closed: handler.closed };
    },
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (data) => socket.send(data),
    close: (code, reason) => socket.close(code, reason),
  };
}
