import { ownBytes } from '../base/own-bytes.ts';
import type { Socket } from '../core/socket.ts';
import { CloseCode } from './close-code.ts';
import type { ServiceContext } from './context.ts';

/** A channel that has taken its socket over. */
export interface OpenedChannel {
  handleMessage(data: Uint8Array | string): void;
}

export interface OpeningOptions {
  readonly socket: Socket;
  readonly context: ServiceContext;
  /**
   * Called with the first message, the TEXT frame with the token (PROTOCOL.md section 5). A text refuses it, for that
   * reason; a channel has set the socket's handler, and is given what came meanwhile.
   */
  readonly open: (text: string) => Promise<(() => OpenedChannel) | string>;
  /** The socket is handed over, or gone. */
  readonly finished: () => void;
}

/** Bytes; AWS's own are below 400. */
const MAX_TEXT = 8192;

/** What a message counts for beside its bytes, so that empty ones are not free. */
const MESSAGE_COST = 64;

/** A socket that has been accepted and has yet to show its token, within `timers.open`. */
export class Opening {
  readonly #options: OpeningOptions;
  readonly #cancelDeadline: () => void;
  #asked = false;
  #finished = false;
  /** What came between the token and the answer to it. */
  #backlog: (Uint8Array | string)[] = [];
  #backlogBytes = 0;

  constructor(options: OpeningOptions) {
    const { socket, context } = options;
    this.#options = options;
    this.#cancelDeadline = context.clock.schedule(context.timers.open, () =>
      this.close(CloseCode.PolicyViolation, 'No token was sent in time.'),
    );
    socket.handler = { message: (data) => this.#message(data), closed: () => this.#finish() };
  }

  close(code: number, reason: string): void {
    this.#options.socket.close(code, reason);
    this.#finish();
  }

  #message(data: Uint8Array | string): void {
    if (this.#finished) return;
    if (this.#asked) {
      this.#keep(data);
    } else if (typeof data === 'string' && data.length <= MAX_TEXT) {
      this.#asked = true;
      this.#open(data).catch((error: unknown) => {
        this.#options.context.report(error);
        this.close(CloseCode.InternalError, '');
      });
    } else {
      this.close(CloseCode.PolicyViolation, 'The first message must be the one that opens the channel.');
    }
  }

  async #open(text: string): Promise<void> {
    const channel = await this.#options.open(text);
    if (this.#finished) {
      // It went away in the meantime; the channel learns so from the socket, which is told here.
      if (typeof channel === 'function') channel();
      this.#options.socket.handler?.closed(1006, '');
      return;
    }
    if (typeof channel === 'string') {
      this.close(CloseCode.PolicyViolation, channel);
      return;
    }
    this.#finish();
    const opened = channel();
    for (const data of this.#backlog) opened.handleMessage(data);
  }

  /** Beyond the bound frames are dropped: data channels send them again. */
  #keep(data: Uint8Array | string): void {
    const cost = data.length + MESSAGE_COST;
    if (this.#backlogBytes + cost > this.#options.context.limits.heldFrames) return;
    this.#backlog.push(typeof data === 'string' ? data : ownBytes(data));
    this.#backlogBytes += cost;
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#cancelDeadline();
    this.#options.finished();
  }
}
