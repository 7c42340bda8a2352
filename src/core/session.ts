import { EventEmitter } from 'eventemitter3';
import { deferred } from '../base/deferred.ts';
import type { PayloadFlag } from '../channel/constants.ts';
import { PayloadFlag as Flag, PayloadType } from '../channel/constants.ts';
import { DataChannel } from '../channel/data-channel.ts';
import { EncryptionError } from '../channel/encryption/error.ts';
import type { MessageError } from '../channel/error.ts';
import type { ChannelEvent, DataKeyEvent, ReadyEvent } from '../channel/events.ts';
import type { HandshakeExtensions } from '../channel/payload/handshake.ts';
import type { TerminalSize } from '../channel/payload/terminal.ts';
import type { KeyService } from '../crypto/kms/key-service.ts';
import { ByteSink } from './byte-sink.ts';
import { ByteSource } from './byte-source.ts';
import { ChannelDriver } from './channel-driver.ts';
import type { DataChannelOpener } from './data-channel-opener.ts';
import { answerDataKey } from './data-key.ts';
import { withDeadline } from './deadline.ts';
import { SessionError, TransportError } from './errors.ts';
import type { Platform } from './platform.ts';
import { type Reconnecting, Reconnector } from './reconnector.ts';
import { CALL_LIMIT, type ResumeAnswer, Resumption } from './resumption.ts';
import { type EndContext, endOf, type SessionEnd, type SessionEndReason } from './session-end.ts';
import type { Socket } from './socket.ts';

export interface SessionOptions {
  /**
   * Ends the session when it fires, whatever it is doing, with the reason `Aborted`. The session is terminated
   * on the way out, without waiting for the answer.
   */
  readonly signal?: AbortSignal | undefined;
  /** The terminal's size at the start. Default: none is sent. */
  readonly size?: TerminalSize | undefined;
  /** Milliseconds to go on trying to resume after a connection is lost. 0: never resume. Default ten minutes. */
  readonly resumeBudget?: number | undefined;
  /**
   * Bytes of input per message, 1 to 524,288. Default 1,024, as the real client; 32,768 in port sessions where the
   * service says that it takes them. More than 1,024 is tried first, and given up for good when the connection
   * closes on the trial.
   */
  readonly payloadSize?: number | undefined;
  /**
   * What whoever reads and writes the streams can do beyond what AWS's client can; the agent may take it up in its
   * handshake. Default nothing.
   */
  readonly extensions?: HandshakeExtensions | undefined;
  /**
   * Go on only when input and output are encrypted with a data key of AWS KMS: a session in the clear ends with
   * `ERR_ENCRYPTION_REQUIRED`, before a byte of it is seen. Which sessions are encrypted is otherwise the word of the
   * service. Default false.
   */
  readonly requireEncryption?: boolean | undefined;
  /** Bytes of input that may be unacknowledged. Default 1 MiB. */
  readonly sendWindow?: number | undefined;
  /** Bytes of output that may wait to be read before the agent is made to stop. Default 1 MiB. */
  readonly receiveBuffer?: number | undefined;
}

export type SessionState =
  /** Connected to the service; the agent has not spoken yet. Input is held back. */
  | 'starting'
  | 'ready'
  /** The connection is lost and being resumed. Input is held back. */
  | 'reconnecting'
  | 'ended';

/** What a session tells, in the order in which it happens. */
export interface SessionEvents {
  /** The agent has spoken: input flows. Once. */
  ready: [event: ReadyEvent];
  /** The connection is lost; a try to resume comes after `delay`. Before each try. */
  reconnecting: [event: Reconnecting];
  /** The connection is back, and nothing was lost in between. */
  resumed: [];
  /** The connection could not be resumed. `ended` follows. */
  lost: [error: Error];
  /** It is over. The last event; all output is in the streams by then. */
  ended: [end: SessionEnd];
  /** The agent sent a flag, for example that the port it forwards to is closed. */
  flag: [flag: PayloadFlag];
  /** The agent sent the exit status of a command, as it does when the command's output goes apart. */
  exitCode: [exitCode: number];
  /** A frame could not be read and was dropped. For logs: the agent sends it again. */
  dropped: [error: MessageError];
}

/** How a session reaches the service: its own data channel, and the calls about it. */
export interface SessionLink {
  readonly platform: Platform;
  readonly sessionId: string;
  readonly streamUrl: string;
  readonly open: DataChannelOpener;
  /** What gives the data key, if the session is to be encrypted, and what that is bound to. */
  readonly keyService?: KeyService | undefined;
  /** `Target` of StartSession. */
  readonly target?: string | undefined;
  /** ResumeSession. Undefined, or no token, when the session is over. */
  readonly resume?: ((options: { signal: AbortSignal }) => Promise<ResumeAnswer | undefined>) | undefined;
  /** TerminateSession. */
  readonly terminate?: ((options: { signal: AbortSignal }) => Promise<void>) | undefined;
}

/**
 * A session: a shell or a command on a managed node, as byte streams.
 *
 * Comes from `SessionClient.startSession`, `resumeSession` or {@link attach}. A lost connection is resumed, and
 * every byte arrives once and in order all the same. The session ends when the command does, when this client
 * or the service ends it, or when resuming failed for too long; then {@link Session.ended} resolves. Nothing
 * here rejects unless it was asked something; no promise of it goes unhandled.
 *
 * What a listener throws is the program's own error, and is thrown on as an uncaught exception.
 */
export class Session extends EventEmitter<SessionEvents> {
  readonly sessionId: string;
  /**
   * Input for the node. A write resolves when the bytes are on their way, and waits while the agent is slow.
   * Writing before the session is ready is fine. Closing it ends nothing. It errors with `ERR_SESSION_ENDED`.
   */
  readonly stdin: WritableStream<Uint8Array>;
  /**
   * Output of the node, byte for byte. What is not read makes the agent stop, in the end; cancel it when you
   * do not want it. Ends with the session, after all output. Chunks may share memory: do not transfer them.
   */
  readonly stdout: ReadableStream<Uint8Array>;
  /**
   * What the agent sends apart as error output; commands with `separateOutputStream` do, shells do not. While
   * nobody has taken a reader, only the last 64 KiB are kept, so it need not be read.
   */
  readonly stderr: ReadableStream<Uint8Array>;
  /**
   * Resolves when the agent has spoken and input flows. Rejects with `ERR_SESSION_ENDED` when the session is over
   * before that; it need not be watched.
   */
  readonly ready: Promise<ReadyEvent>;
  /** Resolves when the session is over, all output being in the streams. Never rejects. */
  readonly ended: Promise<SessionEnd>;

  readonly #link: SessionLink;
  readonly #channel: DataChannel;
  readonly #driver: ChannelDriver;
  readonly #reconnector: Reconnector;
  readonly #resumption: Resumption;
  readonly #stdout = new ByteSource({ limit: STREAM_LIMIT, room: () => this.#changed() });
  readonly #stderr = new ByteSource({
    limit: STREAM_LIMIT,
    room: () => this.#changed(),
    dropUnclaimed: true,
  });
  readonly #stdin = new ByteSink({
    limit: STREAM_LIMIT,
    send: (bytes) => this.#send(bytes),
    room: () => this.#until(() => this.#channel.writable),
    taken: () => this.#wake(),
  });
  readonly #ready = deferred<ReadyEvent>();
  readonly #ended = deferred<SessionEnd>();
  /** Fires at the end, for everything still under way. */
  readonly #over = new AbortController();
  readonly #waiters = new Set<Waiter>();
  readonly #requireEncryption: boolean;
  readonly #release: (() => void)[] = [];
  #exitCode: number | undefined;
  #reconnecting = false;
  #polling = false;
  #asked: 'close' | 'terminate' | undefined;
  #endRequested = false;
  #end: SessionEnd | undefined;

  /** @param socket open, with the opening message sent @internal */
  constructor(link: SessionLink, socket: Socket, options: SessionOptions = {}) {
    super();
    const { clock, random, digest, aesGcm, transport } = link.platform;
    this.#link = link;
    this.#resumption = new Resumption(link);
    this.#requireEncryption = options.requireEncryption ?? false;
    this.sessionId = link.sessionId;
    this.stdout = this.#stdout.stream;
    this.stderr = this.#stderr.stream;
    this.stdin = this.#stdin.stream;
    this.ready = this.#ready.promise;
    this.ready.catch(() => {});
    this.ended = this.#ended.promise;
    this.#channel = new DataChannel({
      role: 'client',
      sessionId: link.sessionId,
      digest,
      uuid: () => random.uuid(),
      ...(link.keyService && {
        encryption: {
          aesGcm,
          randomBytes: (length) => random.bytes(length),
          targetId: link.target,
          wake: () => this.#changed(),
        },
      }),
      ...channelOptions(options),
    });
    if (options.size) this.#channel.resize(options.size);
    this.#reconnector = new Reconnector({
      clock,
      random,
      budget: options.resumeBudget ?? DEFAULT_RESUME_BUDGET,
      connect: (signal) => this.#resumption.connect(signal),
      reconnecting: (event) => this.#tell('reconnecting', event),
    });
    this.#driver = new ChannelDriver(this.#channel, clock, {
      changed: () => this.#poll(),
      transmitted: () => this.#wake(),
      heard: () => this.#reconnector.works(),
      disconnected: (error) => void this.#disconnected(error),
    });
    const unwatch = transport.watchOnline?.(() => this.#reconnector.hurry());
    if (unwatch) this.#release.push(unwatch);
    this.#driver.connect(socket);
    this.#watch(options.signal);
  }

  get state(): SessionState {
    if (this.#end) return 'ended';
    if (this.#reconnecting) return 'reconnecting';
    return this.#channel.ready ? 'ready' : 'starting';
  }

  /** Whether input and output are encrypted with a data key of AWS KMS. False until the session is ready. */
  get encrypted(): boolean {
    return this.#channel.ready && this.#channel.encrypted;
  }

  /** Tells the node the terminal's size. Only the last one before the next transmission is sent. @throws {RangeError} */
  resize(size: TerminalSize): void {
    this.#channel.resize(size);
    this.#driver.run();
  }

  /**
   * Ctrl-C: interrupts what runs on the node. Input that is not on its way yet is forgotten, as a terminal forgets what
   * was typed ahead; a paste that was stopped must not run on at the next prompt.
   */
  interrupt(): void {
    this.#stdin.discard();
    this.#channel.discard();
    this.#channel.interrupt();
    this.#driver.run();
    this.#wake();
  }

  /** Sends a flag to the agent, behind the input that the channel has taken: of a port session, for example. */
  sendFlag(flag: PayloadFlag): void {
    this.#channel.sendFlag(flag);
    this.#driver.run();
  }

  /**
   * Ends the session in good order: waits up to five seconds for written input to arrive, then terminates it
   * and takes the last output.
   */
  close(): Promise<SessionEnd> {
    this.#asked ??= 'close';
    void this.#shutDown();
    return this.ended;
  }

  /** Ends the session without waiting for input to arrive. */
  terminate(): Promise<SessionEnd> {
    this.#asked = 'terminate';
    void this.#shutDown();
    this.#wake();
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #send(bytes: Uint8Array): number {
    const taken = this.#channel.send(bytes);
    this.#driver.run();
    return taken;
  }

  /** A reader made room: whatever it lets out may have to be acknowledged. */
  #changed(): void {
    this.#poll();
    this.#driver.run();
  }

  /**
   * Hands on what the channel tells, as long as the readers have room. An end is not held up by readers: all
   * that came before it goes into the streams, which is no more than the receive buffer.
   */
  #poll(): void {
    if (!this.#polling) {
      this.#polling = true;
      while (!this.#end && (this.#channel.closed || !(this.#stdout.full || this.#stderr.full))) {
        const event = this.#channel.pollEvent();
        if (!event) break;
        this.#handle(event);
      }
      this.#polling = false;
    }
    this.#wake();
  }

  #handle(event: ChannelEvent): void {
    switch (event.type) {
      case 'data':
        this.#sourceOf(event.payloadType).push(event.payload);
        return;
      case 'exitCode':
        this.#exitCode = event.exitCode;
        this.#tell('exitCode', event.exitCode);
        return;
      case 'ready':
        this.#ready.resolve(event);
        this.#tell('ready', event);
        return;
      case 'flag':
        this.#tell('flag', event.flag);
        return;
      case 'dropped':
        this.#tell('dropped', event.error);
        return;
      case 'failed':
        // The agent is told before the channel closes.
        this.#driver.run();
        this.#terminateUnseen();
        this.#finish({
          reason: failureReason(event.error),
          message: event.error.message,
          error: event.error,
        });
        return;
      case 'generateDataKey':
      case 'decryptDataKey':
        void this.#provideDataKey(event);
        return;
      case 'closed':
        this.#finish(endOf(event.message, this.#known));
        return;
    }
  }

  get #known(): EndContext {
    return {
      exitCode: this.#exitCode,
      asked: this.#asked !== undefined,
      secret: this.#requireEncryption || this.#channel.encrypted,
    };
  }

  async #provideDataKey(event: DataKeyEvent): Promise<void> {
    const { keyService, platform } = this.#link;
    if (!keyService) return; // without one the channel does not ask
    const answer = await answerDataKey(event, keyService, platform.clock, this.#over.signal);
    answer(this.#channel);
    this.#changed();
  }

  #sourceOf(payloadType: number): ByteSource {
    return payloadType === PayloadType.Output ? this.#stdout : this.#stderr;
  }

  async #disconnected(error: SessionError): Promise<void> {
    // The last output, the exit status and the end may have come, and wait to be decrypted.
    if (this.#channel.decrypting) await this.#until(() => !this.#channel.decrypting, GRACE);
    if (this.#end) return;
    // Nobody is left to say channel_closed.
    if (this.#endRequested) return this.#finish({ reason: 'ClientEnded', message: '' });
    this.#reconnecting = true;
    try {
      if (!this.#link.resume) throw unresumable(error);
      const socket = await this.#reconnector.run(error, this.#over.signal);
      if (this.#end) return socket?.close();
      if (!socket) {
        return this.#finish(this.#resumption.endOf(this.#known, error));
      }
      this.#reconnecting = false;
      this.#driver.connect(socket);
      if (!this.#reconnecting) this.#tell('resumed');
    } catch (failure) {
      if (this.#end) return;
      this.#tell('lost', failure as Error);
      this.#finish({
        reason: 'ConnectionLost',
        message: (failure as Error).message,
        error: failure as Error,
      });
    }
  }

  async #shutDown(): Promise<void> {
    if (this.#end || this.#endRequested) return;
    await this.#until(() => this.#asked === 'terminate' || this.#flushed, FLUSH_LIMIT);
    if (this.#end || this.#endRequested) return;
    this.#endRequested = true;
    await this.#requestEnd();
    // channel_closed, which finishes, comes when the agent has ended its part.
    await this.#until(() => this.#reconnecting, GRACE);
    this.#finish({ reason: 'ClientEnded', message: '' });
  }

  get #flushed(): boolean {
    return this.#stdin.empty && this.#channel.acknowledged;
  }

  async #requestEnd(): Promise<void> {
    const { platform, terminate } = this.#link;
    const timedOut = () =>
      new TransportError('ERR_REQUEST_TIMEOUT', `${this.sessionId} was not terminated in time.`);
    try {
      if (!terminate) throw timedOut();
      await withDeadline(platform.clock, CALL_LIMIT, this.#over.signal, timedOut, async (signal) =>
        terminate({ signal }),
      );
    } catch {
      // No way to call it, or no luck with it: the agent takes a flag as well.
      this.#channel.sendFlag(Flag.TerminateSession);
      this.#driver.run();
    }
  }

  /** For an end that cannot wait. */
  #terminateUnseen(): void {
    const terminate = async () => this.#link.terminate?.({ signal: new AbortController().signal });
    terminate().catch(() => {});
  }

  #watch(signal: AbortSignal | undefined): void {
    if (!signal) return;
    const abort = () => {
      this.#terminateUnseen();
      const error = signal.reason instanceof Error ? { error: signal.reason } : {};
      this.#finish({ reason: 'Aborted', message: 'The session was aborted by its signal.', ...error });
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    this.#release.push(() => signal.removeEventListener('abort', abort));
  }

  #finish(end: SessionEnd): void {
    if (this.#end) return;
    this.#channel.close();
    for (let event = this.#channel.pollEvent(); event; event = this.#channel.pollEvent()) {
      if (event.type === 'data') this.#sourceOf(event.payloadType).push(event.payload);
      if (event.type === 'exitCode') this.#handle(event);
    }
    this.#end = this.#exitCode === undefined ? end : { exitCode: this.#exitCode, ...end };
    this.#driver.stop();
    this.#over.abort();
    for (const release of this.#release) release();
    this.#stdout.end();
    this.#stderr.end();
    this.#stdin.end(sessionEnded(this.sessionId));
    this.#ready.reject(sessionEnded(this.sessionId));
    this.#wake();
    this.#ended.resolve(this.#end);
    this.#tell('ended', this.#end);
  }

  /** Resolves when `condition` holds, after `limit` milliseconds, or at the end of the session. */
  #until(condition: () => boolean, limit?: number): Promise<void> {
    if (this.#end || condition()) return Promise.resolve();
    return new Promise((resolve) => {
      let cancelTimer = () => {};
      const waiter: Waiter = {
        condition,
        done: () => {
          cancelTimer();
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      this.#waiters.add(waiter);
      if (limit !== undefined) cancelTimer = this.#link.platform.clock.schedule(limit, waiter.done);
    });
  }

  #wake(): void {
    for (const { condition, done } of this.#waiters) if (this.#end || condition()) done();
  }

  #tell<E extends keyof SessionEvents>(event: E, ...details: SessionEvents[E]): void {
    try {
      (this.emit as (event: E, ...details: SessionEvents[E]) => boolean).call(this, event, ...details);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

interface Waiter {
  readonly condition: () => boolean;
  readonly done: () => void;
}

/** Bytes that a stream holds beside the channel's own buffers. */
const STREAM_LIMIT = 64 * 1024;
/** Milliseconds, all of them. */
const DEFAULT_RESUME_BUDGET = 600_000;
const FLUSH_LIMIT = 5_000;
const GRACE = 5_000;

function failureReason(error: Error): SessionEndReason {
  return error instanceof EncryptionError ? 'EncryptionFailed' : 'ChannelFailed';
}

function channelOptions(options: SessionOptions) {
  const { payloadSize, sendWindow, receiveBuffer, extensions, requireEncryption } = options;
  return {
    extensions: { exitCode: true, ...extensions },
    ...(requireEncryption !== undefined && { requireEncryption }),
    ...(payloadSize !== undefined && { payloadSize }),
    ...(sendWindow !== undefined && { sendWindow }),
    ...(receiveBuffer !== undefined && { receiveBuffer }),
  };
}

function sessionEnded(sessionId: string): SessionError {
  return new SessionError('ERR_SESSION_ENDED', `The session ${sessionId} is over and takes no more input.`);
}

function unresumable(cause: SessionError): SessionError {
  return new SessionError(
    'ERR_SESSION_LOST',
    'The connection was lost, and this session was attached without a way to resume it.',
    { cause },
  );
}
