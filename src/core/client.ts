import type { CredentialProvider, Credentials } from '../crypto/credentials.ts';
import type { KeyService } from '../crypto/kms/key-service.ts';
import { type AttachOptions, openSession } from './attach.ts';
import { AwsJson } from './aws-json.ts';
import { type CopyFromOptions, copyFrom, type RemoteFile } from './copy-from.ts';
import { type CopiedFile, type CopySource, type CopyToOptions, copyTo } from './copy-to.ts';
import { orAborted } from './deadline.ts';
import { type EndpointVariant, endpointOf, parseEndpoint, type StreamHosts } from './endpoints.ts';
import { type ExecCommand, type ExecOptions, Execution } from './exec.ts';
import type { Platform } from './platform.ts';
import { FORWARD_EXTENSIONS, Forward } from './port/forward.ts';
import { ForwardPool, type ForwardPoolOptions } from './port/forward-pool.ts';
import type { PortSessionOptions } from './port/port-session.ts';
import { CredentialsSigner } from './request-signer.ts';
import type { ResumeAnswer } from './resumption.ts';
import { platformWith } from './runtime.ts';
import { SessionNotFoundError } from './service-error.ts';
import type { Session, SessionOptions } from './session.ts';
import {
  type ConnectionStatus,
  type DescribeSessionsInput,
  type SessionAccess,
  SessionApi,
  type SessionDescription,
  type StartSessionInput,
} from './session-api.ts';

export interface SessionClientOptions extends EndpointVariant {
  readonly region: string;
  /** A provider is asked before every try of every call. */
  readonly credentials: Credentials | CredentialProvider;
  /**
   * What gives the data keys of sessions that are encrypted with AWS KMS: `hawser/kms` has some. Default: such sessions
   * are refused, never opened in the clear.
   */
  readonly keyService?: KeyService | undefined;
  /** A service other than AWS's own in the region. Stream URLs may lead to its host as well. */
  readonly endpoint?: string | URL | undefined;
  /** Lets `http:` and `ws:` lead to other machines. Default false. */
  readonly allowInsecure?: boolean | undefined;
  /** More hosts that stream URLs may lead to: names, or `name:port`. */
  readonly allowedStreamHosts?: readonly string[] | undefined;
  /** Milliseconds for one try of one call; a call is tried three times. Default 15,000. */
  readonly requestTimeout?: number | undefined;
  /** Parts of the world to replace. */
  readonly platform?: Partial<Platform> | undefined;
}

export interface StartSessionOptions extends StartSessionInput, SessionOptions {}

export interface ResumeSessionOptions extends SessionOptions {
  /** `Target` of the StartSession: an encrypted session needs it. */
  readonly target?: string | undefined;
}

export interface DescribeSessionsOptions extends DescribeSessionsInput, CallSignal {}

export interface CallSignal {
  readonly signal?: AbortSignal | undefined;
}

export interface ForwardOptions
  extends Omit<StartSessionOptions, 'size' | 'extensions' | 'documentName' | 'parameters'>,
    PortSessionOptions {
  /** At the destination: 1 to 65,535. */
  readonly port: number;
  /** A host that the managed node reaches and names. Default: the node itself. */
  readonly host?: string | undefined;
  /**
   * Sessions over which the connections are spread, 1 to 32. Default 1. More help where an agent is slow: AWS's gives
   * about 0.6 MB/s for each.
   */
  readonly sessions?: number | undefined;
  /**
   * A session document for ports. Default `AWS-StartPortForwardingSession`, with `host`
   * `AWS-StartPortForwardingSessionToRemoteHost`.
   */
  readonly documentName?: string | undefined;
  /** Of the session document, beside `portNumber` and `host`, which come from `port` and `host`. */
  readonly parameters?: StartSessionInput['parameters'];
}

export interface StartForwardPoolOptions extends Omit<ForwardOptions, 'port' | 'host'>, ForwardPoolOptions {}

/**
 * Starts, resumes, ends and lists sessions: the Session Manager API, with the data channel behind it.
 *
 *     const client = new SessionClient({ region: 'eu-central-1', credentials });
 *     await using session = await client.startSession({ target: 'i-0123456789abcdef0' });
 *
 * All calls throw `ServiceError` for what the service refuses, `TransportError` for what the network spoils,
 * `CredentialsError` when there is nothing to sign with, and the reason of their `signal`.
 */
export class SessionClient {
  readonly #platform: Platform;
  readonly #hosts: StreamHosts;
  readonly #api: SessionApi;
  readonly #keyService: KeyService | undefined;

  /** @throws {EndpointError} for a region or an endpoint that cannot be, or would send secrets in the clear */
  constructor(options: SessionClientOptions) {
    const { region, credentials, requestTimeout, allowInsecure, allowedStreamHosts } = options;
    const regional = endpointOf('ssm', region, options);
    const endpoint =
      options.endpoint === undefined ? undefined : parseEndpoint(options.endpoint, allowInsecure);
    this.#platform = platformWith(options.platform);
    this.#keyService = options.keyService;
    this.#hosts = { endpoint, allowInsecure, allowedStreamHosts };
    this.#api = new SessionApi(
      new AwsJson({
        platform: this.#platform,
        endpoint: endpoint ?? regional,
        signer: new CredentialsSigner(credentials, region, 'ssm', this.#platform.digest),
        requestTimeout,
      }),
    );
  }

  /**
   * Starts a session on a managed node and opens its data channel. When that fails, or `signal` fires, the
   * session is terminated, so that none stays on the node.
   *
   * @throws {TargetNotConnectedError} @throws {AccessDeniedError} @throws {InvalidDocumentError}
   * @throws {InvalidParametersError}
   */
  async startSession(options: StartSessionOptions): Promise<Session> {
    const { signal } = options;
    const started = this.#api.startSession(options, { signal });
    let access: SessionAccess;
    try {
      access = await orAborted(started, signal);
    } catch (error) {
      // Aborted: what is under way may still become a session.
      started.then(({ sessionId }) => this.#abandon(sessionId)).catch(() => {});
      throw error;
    }
    try {
      return await this.#open(access, options);
    } catch (error) {
      const abandoned = this.#abandon(access.sessionId);
      if (!signal?.aborted) await abandoned;
      throw error;
    }
  }

  /**
   * Starts a session that forwards a port of a managed node, or of a host that the node reaches. Resolves when
   * connections can be opened.
   *
   * @throws {PortError} when the node will not forward there @throws {TargetNotConnectedError}
   * @throws {AccessDeniedError} @throws {InvalidDocumentError} @throws {InvalidParametersError}
   * @throws {RangeError} for `sessions` out of range
   */
  async forward(options: ForwardOptions): Promise<Forward> {
    const { port, host, sessions: count = 1, halfClose, parameters, ...others } = options;
    if (!Number.isInteger(count) || count < 1 || count > MAX_SESSIONS) {
      throw new RangeError(`A forward has 1 to ${MAX_SESSIONS} sessions, not ${count}.`);
    }
    const remote = host === undefined ? '' : 'ToRemoteHost';
    const start: StartSessionOptions = {
      documentName: `AWS-StartPortForwardingSession${remote}`,
      ...others,
      parameters: { portNumber: `${port}`, ...(host !== undefined && { host }), ...parameters },
      extensions: FORWARD_EXTENSIONS,
    };
    const started = await Promise.allSettled(Array.from({ length: count }, () => this.startSession(start)));
    const sessions = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failed = started.find((result) => result.status === 'rejected');
    if (failed) {
      for (const session of sessions) void session.terminate();
      throw failed.reason;
    }
    const forward = new Forward(sessions, { halfClose });
    try {
      await forward.ready();
    } catch (error) {
      for (const session of sessions) void session.terminate();
      throw error;
    }
    return forward;
  }

  /**
   * Forwards to whatever destination is asked for later, each with a session of its own as {@link forward} starts it.
   * Nothing is started yet.
   */
  forwardPool(options: StartForwardPoolOptions): ForwardPool {
    const { maxDestinations, idleTimeout, ...others } = options;
    const start = (host: string, port: number) => this.forward({ ...others, host, port });
    return new ForwardPool(this.#platform.clock, start, { maxDestinations, idleTimeout });
  }

  /**
   * Runs a command on a managed node: `const { stdout, exitCode } = await client.exec(target, 'uname -a')`. Needs no
   * input and no terminal. A status other than 0 is an answer, not an error.
   *
   * @param command text for `sh`, as with `ssh`, or a program and its arguments
   * @throws {SessionError} `ERR_SESSION_ARGUMENT` for a command that cannot be put on a line
   */
  exec(target: string, command: ExecCommand, options: ExecOptions = {}): Execution {
    return new Execution(command, options, this.#platform, (input, session) =>
      this.startSession({ target, ...input, ...session }),
    );
  }

  /**
   * Copies a file from a managed node, by a session alone: no SSH, no bucket; POSIX tools on the node. Resolves when the
   * file is found; its stream fails unless it comes whole, checked by SHA-256. A relative path starts where the node's
   * agent runs. Runs in `AWS-StartNonInteractiveCommand` unless `documentName` says otherwise.
   *
   * @throws {CopyError} when the node cannot give it
   */
  copyFrom(target: string, path: string, options: CopyFromOptions = {}): Promise<RemoteFile> {
    return copyFrom((command, others) => this.exec(target, command, others), path, options);
  }

  /**
   * Copies a file to a managed node, by a session alone. The node writes `<path>.part`, checks the SHA-256 of the whole,
   * and gives the file its name, over one that is there. After a failure the part stays, and another call goes on after
   * it, unless the source is a stream by itself. Runs in `AWS-StartInteractiveCommand` unless `documentName` says
   * otherwise: it takes a terminal for its input.
   *
   * @throws {CopyError} when the node cannot take it
   */
  copyTo(target: string, path: string, source: CopySource, options: CopyToOptions = {}): Promise<CopiedFile> {
    return copyTo(
      (input, session) => this.startSession({ target, ...input, ...session }),
      path,
      source,
      options,
    );
  }

  /**
   * Opens a new data channel of a session that is not over. Both streams start at their beginning, so this is
   * for a session whose first connection never worked. A lost connection needs no help: the {@link Session}
   * that had it resumes it, and it alone knows how far the streams had come.
   *
   * @throws {SessionNotFoundError} also when the session is over
   */
  async resumeSession(sessionId: string, options: ResumeSessionOptions = {}): Promise<Session> {
    const { signal } = options;
    const answer = await this.#api.resumeSession(sessionId, { signal });
    if ('sessionId' in answer) return this.#open(answer, options);
    throw new SessionNotFoundError({
      operation: 'ResumeSession',
      type: 'SessionEnded',
      statusCode: 200,
      text: `The session ${sessionId} is over and cannot be resumed`,
    });
  }

  /**
   * StartSession alone: what a broker hands to the browser that then opens the data channel with {@link attach}.
   * The token is good for one connection, within about a minute.
   *
   * @throws {TargetNotConnectedError} @throws {AccessDeniedError} @throws {InvalidDocumentError}
   * @throws {InvalidParametersError}
   */
  async startAccess(input: StartSessionInput, options: CallSignal = {}): Promise<SessionAccess> {
    return this.#api.startSession(input, options);
  }

  /**
   * ResumeSession alone, for a broker's {@link AttachOptions.resume}. Without a token when the session is over.
   *
   * @throws {SessionNotFoundError}
   */
  async resumeAccess(sessionId: string, options: CallSignal = {}): Promise<ResumeAnswer> {
    return this.#api.resumeSession(sessionId, options);
  }

  /** Opens a session started elsewhere. Resuming and terminating are this client's calls unless given. */
  async attach(access: SessionAccess, options: Omit<AttachOptions, keyof StreamHosts | 'platform'> = {}) {
    return this.#open(access, options);
  }

  /** Ends a session for good. One that is over already is no error. */
  async terminateSession(sessionId: string, options: CallSignal = {}): Promise<void> {
    await this.#api.terminateSession(sessionId, options);
  }

  /** Lists sessions, the newest first, page by page as they are asked for. */
  describeSessions(options: DescribeSessionsOptions): AsyncIterable<SessionDescription> {
    return this.#api.describeSessions(options, { signal: options.signal });
  }

  /** Whether the node's agent is connected to the service. A node that does not exist is not. */
  async getConnectionStatus(target: string, options: CallSignal = {}): Promise<ConnectionStatus> {
    return this.#api.getConnectionStatus(target, options);
  }

  #open(
    access: SessionAccess,
    options: Omit<AttachOptions, keyof StreamHosts | 'platform'>,
  ): Promise<Session> {
    const { sessionId } = access;
    const {
      keyService = this.#keyService,
      // One try a call: the session itself comes back with the next, for minutes.
      resume = ({ signal }) => this.#api.resumeSession(sessionId, { signal, attempts: 1 }),
      terminate = ({ signal }) => this.#api.terminateSession(sessionId, { signal }),
    } = options;
    return openSession(access, { ...options, keyService, resume, terminate }, this.#platform, this.#hosts);
  }

  /** Best effort: whatever made the session useless is the error to tell of. */
  async #abandon(sessionId: string): Promise<void> {
    await this.#api.terminateSession(sessionId, {}).catch(() => {});
  }
}

/** What one target gives at most (CONTROL-PLANE.md section 1.5) is far more; this is for one tunnel. */
const MAX_SESSIONS = 32;
