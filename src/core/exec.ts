import { fromUtf8 } from '../base/encoding.ts';
import { chunksOf } from './chunks.ts';
import { SessionError } from './errors.ts';
import { ExecError } from './exec-error.ts';
import { ExecOutput } from './exec-output.ts';
import { ExitMarker } from './exit-marker.ts';
import type { Platform } from './platform.ts';
import type { Session, SessionOptions } from './session.ts';
import type { StartSessionInput } from './session-api.ts';
import type { SessionEnd } from './session-end.ts';
import { commandLine } from './shell-quote.ts';

export interface ExecOptions extends Omit<StartSessionInput, 'target'>, Omit<SessionOptions, 'size'> {
  /**
   * A document for `NonInteractiveCommands` or `InteractiveCommands`. Default `AWS-StartNonInteractiveCommand`. Its
   * parameter `command` gets the command.
   */
  readonly documentName?: string | undefined;
  /** Whether a command that is a string is run by `sh -c`. False gives it to the document as it is. Default true. */
  readonly shell?: boolean | undefined;
  /** Milliseconds from the call to the end of the command. Default: none. */
  readonly timeout?: number | undefined;
  /** Bytes of stdout to keep for the result, and as many of stderr. Default 16 MiB. */
  readonly maxBuffer?: number | undefined;
  /**
   * Where the exit status comes from. `agent`: the agent tells it; hawser's does, AWS's does where the document
   * has `separateOutputStream`. `marker`: the command is wrapped in a shell that prints it last, and it is taken
   * out of stdout again. Default `agent`.
   */
  readonly exitCode?: 'agent' | 'marker' | undefined;
}

/** Text for a shell, as with `ssh`; or a program and its arguments, run as they are. */
export type ExecCommand = string | readonly string[];

/** What a command said, and how it ended. */
export class ExecResult {
  /** Empty for a stream that was read as such. */
  readonly stdoutBytes: Uint8Array;
  readonly stderrBytes: Uint8Array;
  /** 0 to 255; undefined when nobody told. */
  readonly exitCode: number | undefined;

  /** @internal */
  constructor(stdoutBytes: Uint8Array, stderrBytes: Uint8Array, exitCode: number | undefined) {
    this.stdoutBytes = stdoutBytes;
    this.stderrBytes = stderrBytes;
    this.exitCode = exitCode;
  }

  /** As UTF-8, to the last line end. */
  get stdout(): string {
    return fromUtf8(this.stdoutBytes);
  }

  /** Empty when the document or the agent does not keep it apart. */
  get stderr(): string {
    return fromUtf8(this.stderrBytes);
  }
}

/** Starts the session that an {@link Execution} runs in. */
export type StartExec = (
  input: Omit<StartSessionInput, 'target'>,
  options: SessionOptions,
) => Promise<Session>;

/**
 * A command that runs on a node. Await it for the {@link ExecResult}; or read its streams as it goes, and await it
 * then for the exit status.
 *
 * Awaiting it throws {@link ExecError} when the command did not come to its end, what StartSession throws, or the
 * reason of its `signal`; the streams fail with the same. The session is terminated on every way out.
 */
export class Execution implements PromiseLike<ExecResult> {
  readonly #abort = new AbortController();
  readonly #stdout: ExecOutput;
  readonly #stderr: ExecOutput;
  readonly #session: Promise<Session>;
  readonly #result: Promise<ExecResult>;

  /** @internal @throws {SessionError} `ERR_SESSION_ARGUMENT` */
  constructor(command: ExecCommand, options: ExecOptions, platform: Platform, start: StartExec) {
    const { documentName = DEFAULT_DOCUMENT, parameters, reason, signal, timeout } = options;
    const { maxBuffer = DEFAULT_MAX_BUFFER, resumeBudget, payloadSize, sendWindow, receiveBuffer } = options;
    const marker = options.exitCode === 'marker' ? new ExitMarker(platform.random) : undefined;
    const line = lineOf(command, options, marker);
    this.#stdout = new ExecOutput('stdout', maxBuffer);
    this.#stderr = new ExecOutput('stderr', maxBuffer);
    const release = this.#watch(signal, timeout, platform);
    this.#session = start(
      { documentName, parameters: { ...parameters, command: line }, reason },
      { resumeBudget, payloadSize, sendWindow, receiveBuffer, signal: this.#abort.signal },
    );
    this.#result = this.#run(marker).finally(release);
    this.#result.catch(() => {}); // whoever awaits it hears of it, and so does whoever reads
  }

  /** stdout as it comes, byte for byte. Taking it leaves the result's empty; not reading it stops the command. */
  get stdout(): ReadableStream<Uint8Array> {
    return this.#stdout.stream;
  }

  /** The same for stderr. */
  get stderr(): ReadableStream<Uint8Array> {
    return this.#stderr.stream;
  }

  /** Ctrl-C. A command that ends by it has status 130. */
  interrupt(): void {
    this.#session.then(
      (session) => session.interrupt(),
      () => {},
    );
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaited is what it is for.
  then<A = ExecResult, B = never>(
    fulfilled?: ((result: ExecResult) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(fulfilled, rejected);
  }

  /** @returns a function that stops the watching */
  #watch(signal: AbortSignal | undefined, timeout: number | undefined, { clock }: Platform): () => void {
    const abort = () => this.#abort.abort(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    const cancelTimer =
      timeout === undefined ? () => {} : clock.schedule(timeout, () => this.#abort.abort(timedOut(timeout)));
    return () => {
      signal?.removeEventListener('abort', abort);
      cancelTimer();
    };
  }

  async #run(marker: ExitMarker | undefined): Promise<ExecResult> {
    try {
      const session = await this.#session;
      const stdout = this.#copy(session.stdout, this.#stdout, marker);
      const stderr = this.#copy(session.stderr, this.#stderr);
      const end = await session.ended;
      // Whoever reads a stream may do so later, unless the exit status is in it.
      if (marker || !this.#stdout.taken) await stdout;
      if (!this.#stderr.taken) await stderr;
      this.#abort.signal.throwIfAborted();
      const exitCode = marker ? marker.exitCode : end.exitCode;
      if (exitCode === undefined) checkEnd(end, marker !== undefined);
      void stdout.then(() => this.#stdout.end());
      void stderr.then(() => this.#stderr.end());
      return new ExecResult(this.#stdout.kept, this.#stderr.kept, exitCode);
    } catch (error) {
      this.#stdout.end(error as Error);
      this.#stderr.end(error as Error);
      throw error;
    }
  }

  async #copy(from: ReadableStream<Uint8Array>, to: ExecOutput, marker?: ExitMarker): Promise<void> {
    try {
      for await (const bytes of chunksOf(from)) await to.push(marker ? marker.push(bytes) : bytes);
      if (marker) await to.push(marker.end());
    } catch (error) {
      this.#abort.abort(error); // too much of it: the session goes
    }
  }
}

const DEFAULT_DOCUMENT = 'AWS-StartNonInteractiveCommand';
const DEFAULT_MAX_BUFFER = 16 * 1024 * 1024;

function lineOf(command: ExecCommand, { shell = true }: ExecOptions, marker: ExitMarker | undefined): string {
  const raw = typeof command === 'string' && !shell;
  if (raw && marker) {
    throw new SessionError(
      'ERR_SESSION_ARGUMENT',
      'Only a shell can print an exit marker: leave out shell: false.',
    );
  }
  if (command.length === 0) throw new SessionError('ERR_SESSION_ARGUMENT', 'There is no command to run.');
  if (marker) return marker.wrap(command);
  if (raw) return command;
  return commandLine(typeof command === 'string' ? ['sh', '-c', command] : command);
}

/** @throws {ExecError} unless the end without an exit status can be that of the command */
function checkEnd({ reason, message, error }: SessionEnd, expected: boolean): void {
  const details = { reason, ...(error && { cause: error }) };
  const said = message && ` It said: ${message}`;
  switch (reason) {
    case 'CommandExited':
    case 'Ended':
      if (!expected) return;
      throw new ExecError(
        'ERR_EXEC_NO_EXIT_CODE',
        `The session ended before the command had told its exit status.${said}`,
        details,
      );
    case 'AgentFailure':
      throw new ExecError('ERR_EXEC_FAILED', `The node could not run the command.${said}`, details);
    default:
      throw new ExecError(
        'ERR_EXEC_SESSION',
        `The session ended (${reason}) before the command did.${said}`,
        details,
      );
  }
}

function timedOut(timeout: number): ExecError {
  return new ExecError(
    'ERR_EXEC_TIMEOUT',
    `The command had not ended after ${timeout} ms, and was terminated.`,
  );
}
