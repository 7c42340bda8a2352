import { EventEmitter } from 'eventemitter3';
import { type Deferred, deferred } from '../base/deferred.ts';
import { fromUtf8 } from '../base/encoding.ts';
import { HawserError } from '../base/error.ts';
import { MessageType } from '../channel/constants.ts';
import { MessageError } from '../channel/error.ts';
import type { AgentMessage } from '../channel/message.ts';
import { parseChannelClosed } from '../channel/payload/channel-closed.ts';
import {
  formatAgentTaskComplete,
  parseAgentTaskAcknowledge,
  parseStartSessionTask,
} from '../channel/payload/task.ts';
import { AwsJson } from '../core/aws-json.ts';
import { sleep } from '../core/deadline.ts';
import { EndpointError, TransportError } from '../core/errors.ts';
import type { Platform } from '../core/platform.ts';
import { CredentialsSigner } from '../core/request-signer.ts';
import { platformWith } from '../core/runtime.ts';
import { ServiceClock } from '../core/service-clock.ts';
import { ServiceError, ThrottledError } from '../core/service-error.ts';
import { type CredentialProvider, type Credentials, CredentialsError } from '../crypto/credentials.ts';
import type { KeyService } from '../crypto/kms/key-service.ts';
import { refuseJob } from './agent-job.ts';
import { ControlChannel } from './control-channel.ts';
import { resolveDocument } from './document.ts';
import { sessionEncryption } from './encryption.ts';
import { AgentError } from './error.ts';
import { MessageGateway } from './gateway.ts';
import { InformationReports, type Machine } from './information-reports.ts';
import { type NodeEndpointOptions, nodeEndpoint } from './node-endpoint.ts';
import type { SessionHandler } from './session.ts';
import { type SessionOutcome, SessionRun } from './session-run.ts';
import { TaskCompletions } from './task-completions.ts';

export interface AgentOptions extends NodeEndpointOptions {
  /** The node's id: `i-…` or `mi-…`; a service of your own takes any. */
  readonly instanceId: string;
  /**
   * Of the node, not of a user: `roleCredentials()` for a hybrid node. A provider is asked at each connection, so they
   * may expire.
   */
  readonly credentials: Credentials | CredentialProvider;
  /** What to do in sessions, by `sessionType` of the session document: `{ Standard_Stream: … }`. */
  readonly handlers: Readonly<Record<string, SessionHandler>>;
  readonly limits?: AgentLimits;
  /**
   * Bytes of output per message, 1 to 524,288. Default 1,024, as the real agent. AWS's plugin takes 32,768, which is
   * several times as fast; what AWS's own service lets through is not known.
   */
  readonly payloadSize?: number;
  /** `machine()` of `hawser/node` knows. Default: a Linux of which nothing more is known. */
  readonly machine?: Machine;
  /**
   * Tell the service of the machine at the start and every 5 minutes (UpdateInstanceInformation), as a node of AWS must
   * to be listed as online. Default false.
   */
  readonly updateInstanceInformation?: boolean;
  /**
   * What decrypts the data keys of sessions that are to be encrypted with AWS KMS (`kmsKeyId` of the session document),
   * with the rights of this node: `hawser/kms` has some. Default: such sessions are refused.
   */
  readonly keyService?: KeyService;
  /**
   * Refuse sessions in the clear, and with them those for ports, which are never encrypted. Which sessions are encrypted
   * is otherwise the word of the service. Default false.
   */
  readonly requireEncryption?: boolean;
  /**
   * Refuse clients that leave this agent's random challenge out of the encryption context, as those of AWS up to 1.2.707
   * do. `Kms.RequireKMSChallengeResponse` of AWS's agent. Default false.
   */
  readonly requireKmsChallenge?: boolean;
  /** Parts to use instead of the runtime's own clock, randomness, SHA-256 and network. */
  readonly platform?: Partial<Platform>;
}

export interface AgentLimits {
  /** Sessions at one time; more are refused. Default 1000, as AWS's agent. */
  readonly sessions?: number;
}

/** What an agent tells beside its promises. Nothing here needs an answer. */
export interface AgentEvents {
  /** The control channel is open: the service can start sessions. */
  connected: [];
  /** It is not, or could not be opened. The agent goes on trying. */
  disconnected: [error: Error];
  sessionStarted: [session: { readonly sessionId: string; readonly sessionType: string }];
  sessionEnded: [session: { readonly sessionId: string; readonly outcome: SessionOutcome }];
  /** A start message that led to no session. */
  sessionRefused: [session: { readonly sessionId: string | undefined; readonly error: Error }];
  /** Something came on the control channel that is no message, or not for this agent: Run Command is refused. */
  dropped: [error: Error];
  /** The service could not be told of the machine. Sessions do not need that. */
  reportFailed: [error: Error];
}

/**
 * A managed node: keeps a control channel to the service and runs a handler for each session that it starts
 * (PROTOCOL.md sections 4 and 5).
 *
 *     const agent = new Agent({ instanceId, region, credentials, handlers: { Standard_Stream: ptyShell() } });
 *     await agent.start();
 */
export class Agent extends EventEmitter<AgentEvents> {
  readonly #options: AgentOptions;
  readonly #platform: Platform;
  readonly #gateway: MessageGateway;
  readonly #control: ControlChannel;
  readonly #reports: InformationReports | undefined;
  readonly #completions: TaskCompletions;
  readonly #sessions = new Map<string, SessionRun>();
  /** Each ends when its session is over and the service knows. */
  readonly #tasks = new Set<Promise<void>>();
  /** Session ids seen lately: the service may send a start twice. */
  readonly #seen = new Set<string>();
  #state: 'stopped' | 'starting' | 'running' | 'stopping' = 'stopped';
  /** Waits of {@link drain} for the last session. */
  #drains: Deferred<void>[] | undefined;
  #started = deferred();
  #abort = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #stopped: Promise<void> = Promise.resolve();

  /** @throws {EndpointError} for an endpoint or region that cannot be used */
  constructor(options: AgentOptions) {
    super();
    const { region, instanceId, credentials, machine = { platformType: 'Linux' } } = options;
    this.#options = options;
    const platform = platformWith(options.platform);
    this.#platform = platform;
    const serviceClock = new ServiceClock(platform.clock);
    this.#gateway = new MessageGateway({
      endpoint: nodeEndpoint('ssmmessages', options),
      instanceId,
      platformType: machine.platformType.toLowerCase(),
      signer: new CredentialsSigner(credentials, region, 'ssmmessages', platform.digest),
      serviceClock,
      platform,
    });
    if (options.updateInstanceInformation) {
      const signer = new CredentialsSigner(credentials, region, 'ssm', platform.digest);
      this.#reports = new InformationReports({
        api: new AwsJson({ endpoint: nodeEndpoint('ssm', options), signer, serviceClock, platform }),
        instanceId,
        machine,
        platform,
        failed: (error) => this.#tell('reportFailed', error),
      });
    }
    this.#completions = new TaskCompletions(this.#platform.clock);
    this.#control = new ControlChannel(this.#gateway, this.#platform, {
      connected: () => this.#connected(),
      disconnected: (error) => this.#disconnected(error),
      message: (message) => this.#handle(message),
      dropped: (error) => this.#tell('dropped', error),
    });
  }

  get instanceId(): string {
    return this.#options.instanceId;
  }

  /** Whether the control channel is open. */
  get connected(): boolean {
    return this.#control.connected;
  }

  /** Sessions that run. */
  get sessionCount(): number {
    return this.#sessions.size;
  }

  /**
   * Connects; from then on the agent stays connected until {@link stop}. Resolves when the service has the
   * node. A service that cannot be reached is waited for, and so is the end of a {@link stop} under way.
   *
   * @throws {AgentError} `ERR_AGENT_REFUSED` when the service does not want this node: waiting would not help;
   * `ERR_AGENT_STOPPED`
   * @throws {CredentialsError}
   */
  async start(): Promise<void> {
    while (this.#state === 'stopping') await this.#stopped;
    if (this.#state === 'stopped') {
      this.#state = 'starting';
      this.#drains = undefined;
      this.#started = deferred();
      this.#abort = new AbortController();
      const { signal } = this.#abort;
      this.#running = Promise.all([this.#control.run(signal), this.#reports?.run(signal)]);
    }
    return this.#started.promise;
  }

  /**
   * Ends all sessions and disconnects. Handlers are cancelled and have 10 seconds to clean up; clients are
   * sent what they still wrote, for 5 seconds.
   */
  async stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    if (this.#state !== 'stopping') this.#stopped = this.#stop();
    await this.#stopped;
  }

  /**
   * What a service manager's SIGTERM needs: takes no new sessions, lets those that run go on to their end for `limit`
   * milliseconds, then does as {@link stop}, which may also be called meanwhile.
   */
  async drain(limit: number): Promise<void> {
    this.#drains ??= [];
    if (this.#sessions.size > 0) {
      const drained = deferred();
      this.#drains.push(drained);
      const over = new AbortController();
      const timeout = sleep(this.#platform.clock, limit, over.signal).catch(() => {});
      await Promise.race([drained.promise, timeout]);
      over.abort();
    }
    await this.stop();
  }

  async #stop(): Promise<void> {
    if (this.#state === 'starting') {
      this.#started.reject(
        new AgentError('ERR_AGENT_STOPPED', 'The agent was stopped before it had connected.'),
      );
    }
    this.#state = 'stopping';
    for (const session of this.#sessions.values()) session.stop();
    await this.#settled();
    this.#abort.abort();
    await this.#running;
    this.#completions.abandon();
    this.#state = 'stopped';
  }

  /** Resolves when no session is left and the service knows of every end, or cannot be told. */
  async #settled(): Promise<void> {
    const settled = new AbortController();
    const all = Promise.all(this.#tasks).finally(() => settled.abort());
    await Promise.race([all, sleep(this.#platform.clock, STOP_LIMIT, settled.signal).catch(() => {})]);
  }

  #connected(): void {
    if (this.#state === 'starting') this.#state = 'running';
    this.#started.resolve();
    this.#completions.connected();
    this.#tell('connected');
  }

  #disconnected(error: Error): 'retry' | 'stop' {
    this.#tell('disconnected', error);
    if (this.#state !== 'starting' || !isFinal(error)) return 'retry';
    this.#state = 'stopped';
    this.#abort.abort();
    this.#started.reject(error);
    return 'stop';
  }

  #handle(message: AgentMessage): void {
    const { messageType, payload } = message;
    try {
      if (messageType === MessageType.InteractiveShell) this.#startSession(payload);
      else if (messageType === MessageType.ChannelClosed) {
        this.#sessions.get(parseChannelClosed(payload).sessionId)?.terminate();
      } else if (messageType === MessageType.AgentTaskAcknowledge) {
        this.#completions.acknowledged(parseAgentTaskAcknowledge(payload).taskId);
      } else if (messageType === MessageType.AgentJob) this.#refuseJob(message);
      else if (messageType !== MessageType.AgentJobReplyAck) {
        throw new MessageError('ERR_MESSAGE_FIELD', `This agent does not take ${messageType} messages.`);
      }
    } catch (error) {
      this.#tell('dropped', error as Error);
    }
  }

  #refuseJob(message: AgentMessage): void {
    const { payload, description } = refuseJob(message);
    this.#control.send(MessageType.AgentJobAck, payload);
    throw new MessageError('ERR_MESSAGE_FIELD', `This agent runs sessions, and refused ${description}.`);
  }

  /** The real agent drops a start that it cannot read, and the client waits for ever (PROTOCOL.md section 1.12). */
  #startSession(payload: Uint8Array): void {
    const sessionId = readTaskId(payload);
    if (sessionId !== undefined && this.#isRepeated(sessionId)) return;
    let run: SessionRun;
    try {
      run = this.#prepare(payload);
    } catch (error) {
      this.#refuse(sessionId, error as Error);
      return;
    }
    this.#sessions.set(run.sessionId, run);
    const task = this.#run(run).finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  #isRepeated(sessionId: string): boolean {
    if (this.#seen.has(sessionId)) return true;
    this.#seen.add(sessionId);
    if (this.#seen.size > REMEMBERED_SESSIONS) this.#seen.delete(this.#seen.values().next().value!);
    return false;
  }

  /** @throws {AgentError} @throws {MessageError} */
  #prepare(payload: Uint8Array): SessionRun {
    const { handlers, instanceId, limits } = this.#options;
    const task = parseStartSessionTask(payload);
    const document = resolveDocument(task);
    const { sessions: limit = DEFAULT_SESSIONS } = limits ?? {};
    if (this.#state === 'stopping' || this.#drains) {
      throw new AgentError('ERR_AGENT_STOPPED', `The agent of ${instanceId} is stopping. Try again later.`);
    }
    if (this.#sessions.size >= limit) {
      throw new AgentError(
        'ERR_AGENT_START',
        `${instanceId} runs ${limit} sessions already, as many as it may. End one and try again.`,
      );
    }
    if (!Object.hasOwn(handlers, document.sessionType)) {
      throw new AgentError(
        'ERR_AGENT_START',
        `${instanceId} has no handler for sessions of type ${document.sessionType}. It has: ${Object.keys(handlers).join(', ')}.`,
      );
    }
    const handler = handlers[document.sessionType]!;
    return new SessionRun({
      task,
      document,
      handler,
      gateway: this.#gateway,
      platform: this.#platform,
      payloadSize: this.#options.payloadSize,
      encryption: sessionEncryption(document, this.#options),
    });
  }

  async #run(run: SessionRun): Promise<void> {
    const { sessionId, sessionType } = run;
    this.#tell('sessionStarted', { sessionId, sessionType });
    const outcome = await run.run();
    this.#sessions.delete(sessionId);
    if (this.#sessions.size === 0) for (const drained of this.#drains ?? []) drained.resolve();
    this.#tell('sessionEnded', { sessionId, outcome });
    await this.#complete(sessionId, run.encrypted ? withoutExitCode(outcome) : outcome);
  }

  #refuse(sessionId: string | undefined, error: Error): void {
    this.#tell('sessionRefused', { sessionId, error });
    if (sessionId === undefined) return;
    const output = error instanceof HawserError ? error.message : 'The start message cannot be used.';
    const task = this.#complete(sessionId, { status: 'Failed', output }).finally(() =>
      this.#tasks.delete(task),
    );
    this.#tasks.add(task);
  }

  #complete(sessionId: string, { status, output, exitCode }: SessionOutcome): Promise<void> {
    return this.#completions.add(sessionId, (retryNumber) => {
      const payload = formatAgentTaskComplete({
        taskId: sessionId,
        finalTaskStatus: status,
        instanceId: this.#options.instanceId,
        output,
        retryNumber,
        s3Bucket: '',
        s3UrlSuffix: '',
        cwlGroup: '',
        cwlStream: '',
        ...(exitCode !== undefined && { exitCode }),
      });
      return this.#control.send(MessageType.AgentTaskComplete, payload) !== undefined;
    });
  }

  /** An error of a listener is the program's own: it must not be taken for one of the session's. */
  #tell<E extends keyof AgentEvents>(event: E, ...details: AgentEvents[E]): void {
    try {
      (this.emit as (event: E, ...details: AgentEvents[E]) => boolean).call(this, event, ...details);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

const DEFAULT_SESSIONS = 1000;
/** Ids; far more than a service has on the way at one time. */
const REMEMBERED_SESSIONS = 10_000;
/** Milliseconds: what a session may take to end (15 s), and to tell of it (3 s). */
const STOP_LIMIT = 20_000;

/** Whether another try would end the same way. */
function isFinal(error: Error): boolean {
  if (error instanceof CredentialsError) return !isPassing(error.cause);
  return (
    (error instanceof AgentError && error.code === 'ERR_AGENT_REFUSED') || error instanceof EndpointError
  );
}

/** Whether credentials that have to be fetched may be had later. */
function isPassing(cause: unknown): boolean {
  if (cause instanceof ServiceError) return cause instanceof ThrottledError || cause.statusCode >= 500;
  return cause instanceof TransportError;
}

/** The client has it, encrypted. The service need not know. */
function withoutExitCode({ exitCode: _, ...outcome }: SessionOutcome): SessionOutcome {
  return outcome;
}

/** The session id of a start message, as far as it can be read at all. */
function readTaskId(payload: Uint8Array): string | undefined {
  try {
    const { TaskId } = JSON.parse(fromUtf8(payload)) as { TaskId?: unknown };
    return typeof TaskId === 'string' && TaskId !== '' ? TaskId : undefined;
  } catch {
    return undefined;
  }
}
