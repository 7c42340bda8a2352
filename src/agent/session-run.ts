import { type Deferred, deferred } from '../base/deferred.ts';
import { PayloadFlag, PayloadType } from '../channel/constants.ts';
import { DataChannel } from '../channel/data-channel.ts';
import type { ChannelEvent, DataKeyEvent, ReadyEvent } from '../channel/events.ts';
import type { HandshakeExtensions } from '../channel/payload/handshake.ts';
import type { StartSessionTask } from '../channel/payload/task.ts';
import type { TerminalSize } from '../channel/payload/terminal.ts';
import { answerDataKey } from '../core/data-key.ts';
import { sleep } from '../core/deadline.ts';
import type { Platform } from '../core/platform.ts';
import type { ResolvedDocument } from './document.ts';
import type { RunEncryption } from './encryption.ts';
import { AgentError } from './error.ts';
import type { MessageGateway } from './gateway.ts';
import { Reconnect } from './reconnect.ts';
import { RunAsError } from './run-as.ts';
import type { AgentSession, SessionHandler } from './session.ts';
import { SessionChannel } from './session-channel.ts';

export interface SessionRunOptions {
  readonly task: StartSessionTask;
  readonly document: ResolvedDocument;
  readonly handler: SessionHandler;
  readonly gateway: MessageGateway;
  readonly platform: Platform;
  readonly payloadSize: number | undefined;
  /** Undefined for a session in the clear. */
  readonly encryption: RunEncryption | undefined;
}

/** How a session ended, for `agent_task_complete`. */
export interface SessionOutcome {
  readonly status: 'Success' | 'Failed';
  readonly output: string;
  readonly exitCode?: number;
  /** What broke it, for the agent's own events. */
  readonly error?: Error;
}

/**
 * One session from the start message to its outcome: keeps the data channel connected, runs the handler, and
 * delivers what it wrote (PROTOCOL.md section 5, life cycle).
 */
export class SessionRun {
  readonly #options: SessionRunOptions;
  readonly #channel: SessionChannel;
  readonly #abort = new AbortController();
  /** Ends the reconnecting. */
  readonly #finished = new AbortController();
  readonly #cancelled = deferred<Cancellation>();
  readonly #resizeListeners = new Set<(size: TerminalSize) => void>();
  readonly #flagListeners = new Set<(flag: PayloadFlag) => void>();
  #size: TerminalSize | undefined;
  #handshake: Deferred<Handshake> | undefined;
  #sentExitCode = false;

  constructor(options: SessionRunOptions) {
    const { task, platform, encryption } = options;
    const { digest, aesGcm, random } = platform;
    this.#options = options;
    const channel = new DataChannel({
      role: 'agent',
      sessionId: task.sessionId,
      digest,
      uuid: () => random.uuid(),
      ...(encryption && {
        encryption: {
          aesGcm,
          randomBytes: (length) => random.bytes(length),
          targetId: encryption.targetId,
          wake: () => this.#channel.command(() => {}),
        },
      }),
      ...(options.payloadSize !== undefined && { payloadSize: options.payloadSize }),
    });
    this.#channel = new SessionChannel(channel, platform.clock, {
      event: (event) => this.#handleEvent(event),
      flag: (flag) => this.#notify(this.#flagListeners, flag),
      closed: () => this.terminate(),
    });
  }

  get sessionId(): string {
    return this.#options.task.sessionId;
  }

  get sessionType(): string {
    return this.#options.document.sessionType;
  }

  get encrypted(): boolean {
    return this.#options.encryption !== undefined;
  }

  /** Runs the session to its end. Never rejects. */
  async run(): Promise<SessionOutcome> {
    const opened = deferred();
    void this.#keepConnected(opened.resolve);
    const cancelled = await Promise.race([opened.promise, this.#cancelled.promise]);
    const outcome = cancelled?.outcome ?? (await this.#runHandler());
    this.#finished.abort();
    this.#channel.close();
    return outcome;
  }

  /** The service or the client ended the session. */
  terminate(): void {
    this.#cancel({ outcome: { status: 'Success', output: '' }, deliver: false });
  }

  /** The agent stops: the handler is cancelled, and what it still says is delivered. */
  stop(): void {
    this.#cancel({
      outcome: { status: 'Failed', output: 'The agent of the managed node was stopped.' },
      deliver: true,
    });
  }

  #fail(error: Error): void {
    this.#cancel({ outcome: failed(error), deliver: false });
  }

  #cancel(cancellation: Cancellation): void {
    this.#cancelled.resolve(cancellation);
    if (cancellation.deliver) return;
    this.#channel.close();
    this.#finished.abort();
  }

  async #runHandler(): Promise<SessionOutcome> {
    const work = this.#callHandler();
    const first = await Promise.race([work, this.#cancelled.promise]);
    if ('status' in first) {
      await this.#deliver();
      return first;
    }
    await this.#stopHandler(work, first);
    return first.outcome;
  }

  async #callHandler(): Promise<SessionOutcome> {
    try {
      if (this.encrypted) await this.#startHandshake();
      const { exitCode, output = '' } = await this.#options.handler(this.#session());
      await this.#tellExitCode(exitCode);
      return { status: 'Success', output, ...(exitCode !== undefined && { exitCode }) };
    } catch (error) {
      return failed(error);
    }
  }

  /** In an encrypted session it is not for the service, which would have it of `agent_task_complete`. */
  async #tellExitCode(exitCode: number | undefined): Promise<void> {
    if (exitCode === undefined || !this.encrypted || this.#sentExitCode) return;
    const handshake = await this.#startHandshake();
    if (handshake.exitCode) await this.#sendExitCode(exitCode);
  }

  /** The real agent gives a client 2 s for the last output; a slow one would lose it (PEERS.md, A12). */
  async #deliver(): Promise<void> {
    const drained = this.#channel.drain(DRAIN);
    const cancelled = await Promise.race([drained, this.#cancelled.promise]);
    if (typeof cancelled === 'object') await this.#channel.drain(STOP_DRAIN);
    this.#channel.command((channel) => channel.announce('Terminating'));
  }

  async #stopHandler(work: Promise<unknown>, { outcome, deliver }: Cancellation): Promise<void> {
    const error = new AgentError('ERR_AGENT_SESSION_ENDED', outcome.output || 'The session was terminated.');
    this.#handshake?.reject(error);
    this.#abort.abort(error);
    this.#channel.input.end();
    const settled = new AbortController();
    const grace = sleep(this.#options.platform.clock, CANCEL_GRACE, settled.signal).catch(() => {});
    await Promise.race([work, grace]);
    settled.abort();
    if (!deliver) return;
    await this.#channel.drain(STOP_DRAIN);
    this.#channel.command((channel) => channel.announce('Terminating'));
  }

  async #keepConnected(opened: () => void): Promise<void> {
    const { gateway, platform } = this.#options;
    const { clock } = platform;
    const { signal } = this.#finished;
    const reconnect = new Reconnect(platform, BACKOFF);
    // Counted in steps: neither a machine that sleeps nor a clock that is set forward is a network that fails.
    let lostFor = 0;
    let seenAt = clock.now();
    let announced = false;
    while (!signal.aborted) {
      try {
        const socket = await gateway.openDataChannel(this.sessionId, signal);
        const closed = this.#channel.run(socket);
        if (!announced) {
          announced = true;
          this.#channel.command((channel) => channel.announce('Connected'));
          opened();
        }
        await closed;
        lostFor = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof AgentError && error.code === 'ERR_AGENT_SESSION_TERMINATED')
          return this.terminate();
        lostFor += Math.min(clock.now() - seenAt, LONGEST_STEP);
        if (lostFor >= RECONNECT_LIMIT) return this.#fail(lost(error as Error));
      }
      seenAt = clock.now();
      await reconnect.wait(signal);
    }
  }

  #handleEvent(event: ChannelEvent): void {
    switch (event.type) {
      case 'ready':
        if (event.handshake) this.#handshake?.resolve(event.handshake);
        return;
      case 'size':
        this.#size = event.size;
        this.#notify(this.#resizeListeners, event.size);
        return;
      case 'flag':
        if (event.flag === PayloadFlag.TerminateSession) this.terminate();
        else this.#channel.input.push(event.flag);
        return;
      case 'decryptDataKey':
      case 'generateDataKey':
        void this.#provideDataKey(event);
        return;
      case 'failed':
        this.#handshake?.reject(event.error);
        this.#fail(event.error);
        return;
    }
  }

  async #provideDataKey(event: DataKeyEvent): Promise<void> {
    const { encryption, platform } = this.#options;
    if (!encryption) return; // the channel does not ask
    const { signal } = this.#finished;
    this.#channel.command(await answerDataKey(event, encryption.keyService, platform.clock, signal));
  }

  #notify<T>(listeners: ReadonlySet<(value: T) => void>, value: T): void {
    try {
      for (const listener of listeners) listener(value);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #session(): AgentSession {
    const { task, document } = this.#options;
    const { sessionId, documentName, documentContent, sessionOwner, runAsUser } = task;
    const size = () => this.#size;
    return {
      sessionId,
      documentName,
      document: documentContent,
      sessionOwner,
      runAsUser,
      ...document,
      input: this.#channel.input,
      signal: this.#abort.signal,
      get size() {
        return size();
      },
      write: (bytes) => this.#channel.write(bytes, PayloadType.Output),
      writeStderr: (bytes) => this.#channel.write(bytes, PayloadType.StdErr),
      sendExitCode: (exitCode) => this.#sendExitCode(exitCode),
      handshake: (extensions) => this.#startHandshake(extensions),
      sendFlag: (flag) => this.#channel.command((channel) => channel.sendFlag(flag)),
      onResize: (listener) => listen(this.#resizeListeners, listener),
      onFlag: (listener) => listen(this.#flagListeners, listener),
    };
  }

  async #sendExitCode(exitCode: number): Promise<void> {
    this.#sentExitCode = true;
    await this.#channel.write(new Uint8Array(0), PayloadType.Output); // when all that waits has been taken
    this.#channel.command((channel) => channel.sendExitCode(exitCode));
  }

  async #startHandshake(extensions: HandshakeExtensions = {}): Promise<Handshake> {
    if (!this.#handshake) {
      const handshake = deferred<Handshake>();
      handshake.promise.catch(() => {}); // the session fails by itself, whether or not the handler waits
      const { sessionType } = this.#options.document;
      const properties = SHELL_TYPES.has(sessionType) ? null : this.#options.document.properties;
      const now = this.#options.platform.clock.now();
      const { encryption } = this.#options;
      const offered = encryption ? { exitCode: true, ...extensions } : extensions;
      this.#channel.command((channel) =>
        channel.startHandshake({ sessionType, properties }, now, { extensions: offered, encryption }),
      );
      this.#handshake = handshake;
    }
    return this.#handshake.promise;
  }
}

type Handshake = NonNullable<ReadyEvent['handshake']>;

interface Cancellation {
  readonly outcome: SessionOutcome;
  /** Whether the client can still be told something. */
  readonly deliver: boolean;
}

/** Their properties are for the node alone (PROTOCOL.md section 7). */
const SHELL_TYPES = new Set(['Standard_Stream', 'InteractiveCommands', 'NonInteractiveCommands']);
/** Milliseconds. Between tries to open the data channel again. */
const BACKOFF = { base: 200, cap: 10_000 };
/** Without a data channel for so long, the session is given up: nobody will come back for it. */
const RECONNECT_LIMIT = 600_000;
/** A try, and the wait before it, take no longer. */
const LONGEST_STEP = 60_000;
/** A cancelled handler has so long to clean up. */
const CANCEL_GRACE = 10_000;
/**
 * For the last output. A stall is a reader who stops the terminal; a client that is away may be hawser's, which tries for
 * ten minutes to come back, as after a failure of the service.
 */
const DRAIN = { stalled: 300_000, away: 660_000, altogether: 1_800_000 };
/** The same when the agent stops. */
const STOP_DRAIN = { stalled: 5_000, away: 5_000, altogether: 5_000 };

function failed(error: unknown): SessionOutcome {
  const cause = error instanceof Error ? error : new Error(String(error));
  const output = cause instanceof RunAsError ? cause.output : cause.message;
  return { status: 'Failed', output, error: cause };
}

function lost(cause: Error): AgentError {
  return new AgentError(
    'ERR_AGENT_DISCONNECTED',
    `The data channel could not be opened for ${RECONNECT_LIMIT / 60_000} minutes.`,
    { cause },
  );
}

function listen<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
