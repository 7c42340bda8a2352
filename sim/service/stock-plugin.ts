import type { Clock } from '../../src/base/clock.ts';
import { deferred } from '../../src/base/deferred.ts';
import type { RandomSource } from '../../src/base/random.ts';
import { MessageType, PayloadType } from '../../src/channel/constants.ts';
import type { AgentMessage } from '../../src/channel/message.ts';
import {
  ActionStatus,
  formatHandshakeResponse,
  parseHandshakeRequest,
} from '../../src/channel/payload/handshake.ts';
import { formatOpenDataChannel } from '../../src/channel/payload/open-channel.ts';
import { formatSize } from '../../src/channel/payload/terminal.ts';
import type { Socket } from '../../src/core/socket.ts';
import type { Dice } from '../dice.ts';
import type { ClientApplication, Conversation } from './application.ts';
import type { Calls } from './calls.ts';
import type { Course } from './course.ts';
import { Pump } from './pump.ts';
import { retried } from './retry.ts';
import { StockStream } from './stock-stream.ts';

export interface PluginOptions {
  readonly course: Course;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly dice: Dice;
  readonly conversation: Conversation;
  readonly application: ClientApplication;
  readonly access: { readonly sessionId: string; readonly streamUrl: string; readonly token: string };
}

/** How a program of the client ended. */
export type ClientEnd =
  /** `channel_closed` came. */
  | 'closed'
  /** ResumeSession answered without a token. */
  | 'timed out'
  /** It does nothing any more, and does not exit (PROTOCOL.md section 1.13). */
  | 'hangs'
  /** It resent a message 3,000 times. */
  | 'gave up'
  | 'lost';

/** A client like session-manager-plugin, from the moment at which the CLI has started it. */
export class StockPlugin {
  readonly ended: Promise<ClientEnd>;
  readonly #options: PluginOptions;
  readonly #stream: StockStream;
  readonly #typed: Pump;
  readonly #end = deferred<ClientEnd>();
  readonly #clientId: string;
  #token: string;
  #socket: Socket | undefined;
  #readyAt = Number.POSITIVE_INFINITY;
  #started = false;
  #over = false;

  constructor(options: PluginOptions) {
    const { clock, random, dice, course, access } = options;
    this.#options = options;
    this.ended = this.#end.promise;
    this.#clientId = random.uuid();
    this.#token = access.token;
    this.#stream = new StockStream({
      ...{ side: 'client', clock, random, dice, lateBuffer: course.lateBuffer },
      process: (message, early) => this.#process(message, early),
      other: ({ messageType }) => {
        if (messageType === MessageType.ChannelClosed) this.#exit('closed');
      },
      exhausted: () => void this.#giveUp(),
    });
    // What is typed while it has no connection is lost: it is not kept when it cannot be sent. Its user waits.
    this.#typed = new Pump(
      clock,
      () => this.#stream.connected,
      (chunk) => this.#send(chunk),
    );
  }

  async run(): Promise<void> {
    if (!(await this.#attempt(() => this.#open()))) this.#exit('hangs');
  }

  /** kill -9. */
  kill(): void {
    this.#exit('lost');
  }

  async #attempt(open: () => Promise<void>): Promise<boolean> {
    const { clock, dice } = this.#options;
    return retried(clock, dice, async () => {
      if (this.#over) return 'done';
      try {
        await open();
        return 'done';
      } catch {
        return 'again';
      }
    });
  }

  async #resume(): Promise<void> {
    const { calls, access } = this.#options;
    const { TokenValue = '' } = await calls.ssm('ResumeSession', { SessionId: access.sessionId });
    if (TokenValue === '') {
      this.#exit('timed out');
      return;
    }
    this.#token = TokenValue;
    await this.#open();
  }

  /** The stream URL is the first one for ever. */
  async #open(): Promise<void> {
    const { calls, random, access } = this.#options;
    const socket = await calls.connect(access.streamUrl);
    if (this.#over) {
      socket.close();
      return;
    }
    socket.handler = {
      message: (data) => {
        if (this.#socket === socket && typeof data !== 'string') this.#stream.receive(data);
      },
      closed: () => {
        if (this.#socket === socket) void this.#reconnect();
      },
    };
    this.#socket = socket;
    socket.send(
      formatOpenDataChannel({
        requestId: random.uuid(),
        tokenValue: this.#token,
        clientId: this.#clientId,
        clientVersion: VERSION,
      }),
    );
    this.#stream.connect(socket);
  }

  async #reconnect(): Promise<void> {
    this.#socket = undefined;
    this.#stream.disconnect();
    if (this.#over) return;
    if (!(await this.#attempt(() => this.#resume()))) this.#exit('hangs');
  }

  /** Whatever comes before its handlers are set is not acknowledged. */
  #process({ payloadType, payload }: AgentMessage, early: boolean): boolean {
    const { application, clock, dice } = this.#options;
    switch (payloadType) {
      case PayloadType.HandshakeRequest:
        this.#respond(payload);
        return true;
      case PayloadType.HandshakeComplete:
        this.#start();
        return true;
      default: {
        if (this.#started && clock.now() < this.#readyAt && !early) return false;
        const first = !this.#started;
        application.take(payload);
        if (first) this.#start(dice.whole(0, 30));
        return true;
      }
    }
  }

  #respond(payload: Uint8Array): void {
    const { requestedClientActions } = parseHandshakeRequest(payload);
    const processedClientActions = requestedClientActions.map(({ actionType }) => ({
      actionType,
      actionStatus: ActionStatus.Success,
      actionResult: null,
      error: '',
    }));
    const response = formatHandshakeResponse({ clientVersion: VERSION, processedClientActions, errors: [] });
    this.#stream.send(PayloadType.HandshakeResponse, response);
  }

  /** It has said nothing before. */
  #start(after = 0): void {
    if (this.#started) return;
    this.#started = true;
    const { clock, application, course } = this.#options;
    this.#readyAt = clock.now() + after;
    clock.schedule(after, () => {
      if (this.#over) return;
      if (course.kind !== 'port') this.#pollSize(true);
      application.start((bytes) => this.#typed.push(bytes));
    });
  }

  #pollSize(changed: boolean): void {
    if (this.#over) return;
    const { clock, dice } = this.#options;
    if (changed && this.#stream.connected) {
      const size = { cols: dice.whole(20, 300), rows: dice.whole(5, 100) };
      this.#stream.send(PayloadType.Size, formatSize(size));
    }
    clock.schedule(SIZE_INTERVAL, () => this.#pollSize(dice.chance(0.1)));
  }

  #send(chunk: Uint8Array): void {
    // PROTOCOL.md section 1.5.
    const sent = chunk.length === 1 && chunk[0] === LF ? Uint8Array.of(CR) : chunk;
    this.#options.conversation.input.write(sent);
    this.#stream.send(PayloadType.Output, sent);
  }

  async #giveUp(): Promise<void> {
    const { calls, access } = this.#options;
    this.#exit('gave up');
    await calls.ssm('TerminateSession', { SessionId: access.sessionId }).catch(() => {});
  }

  #exit(end: ClientEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.conversation.outputExpected = this.#stream.expected;
    this.#stream.stop();
    this.#typed.stop();
    this.#options.application.stop();
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    this.#end.resolve(end);
  }
}

const VERSION = '1.2.707.0';
/** Milliseconds. */
const SIZE_INTERVAL = 500;
const LF = 10;
const CR = 13;
