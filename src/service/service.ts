import type { Clock } from '../base/clock.ts';
import { HawserError } from '../base/error.ts';
import type { SessionDocument } from '../core/documents/session-document.ts';
import type { Socket } from '../core/socket.ts';
import type { Principal } from '../policy/index.ts';
import type { AccessDecision } from './access-request-record.ts';
import { AccessRequests } from './access-requests.ts';
import { Activations } from './activations.ts';
import type { ArnScope } from './arn.ts';
import { Authenticator } from './authenticator.ts';
import { Authorization } from './authorization.ts';
import { type ConnectionInfo, connectionOf } from './connection.ts';
import { serviceContext } from './context.ts';
import { type DocumentRegistration, Documents } from './documents.ts';
import { HybridNodes } from './hybrid-nodes.ts';
import { errorAnswer, JsonApi } from './json-api.ts';
import { KnownKeys } from './known-keys.ts';
import { LongPolls } from './long-polls.ts';
import { channelPath, MessageGateway } from './message-gateway.ts';
import { Nodes, type Target, type TargetRegistration, targetOf } from './nodes.ts';
import { operations } from './operations/index.ts';
import type { CallerRecord, SessionManagerServiceOptions } from './options.ts';
import { Rates } from './rates.ts';
import { RoleCredentials } from './role-credentials.ts';
import { SessionRechecks } from './session-rechecks.ts';
import { Sessions } from './sessions.ts';
import { Settings } from './settings.ts';
import { StartDecisions, type StartPermission } from './start-decisions.ts';

/**
 * Session Manager as a service: the `ssm` API and the `ssmmessages` message gateway at one address, for AWS's own
 * CLI, SDKs, plugin and agent as for hawser's.
 *
 *     const service = new SessionManagerService({ region, accountId, credentials });
 *     await service.registerTarget({ id: 'mi-0123456789abcdef0' });
 *     const { url } = await serve(service); // hawser/node
 *
 * With `keys` it hosts what encrypted sessions need of AWS KMS as well.
 *
 * It is two functions of web standards, {@link fetch} and {@link upgrade}, which any HTTP server can host.
 */
export class SessionManagerService {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #nodes: Nodes;
  readonly #hybridNodes: HybridNodes;
  readonly #longPolls: LongPolls;
  readonly #documents: Documents;
  readonly #sessions: Sessions;
  readonly #api: JsonApi;
  readonly #gateway: MessageGateway;
  readonly #accessRequests: AccessRequests;
  readonly #starts: StartDecisions;
  readonly #rechecks: SessionRechecks | undefined;
  #closed = false;

  /** @throws {DocumentError} for a session document that cannot be used @throws {HawserError} `ERR_DOCUMENT_NAME`, `ERR_KEYS_ELSEWHERE` */
  constructor(options: SessionManagerServiceOptions) {
    const context = serviceContext(options);
    const documents = new Documents(context, options.documents);
    const authorization = new Authorization(context, options);
    const nodes = new Nodes(context);
    const sessions = new Sessions(context);
    const activations = new Activations(context);
    const roleCredentials = new RoleCredentials(context);
    const hybridNodes = new HybridNodes({ context, nodes, sessions, activations, roleCredentials });
    const longPolls = new LongPolls(context.clock);
    const accessRequests = new AccessRequests(context, options.approveAccess);
    const { credentials, streamUrl, keys, parameters } = options;
    const knownKeys = new KnownKeys(credentials, roleCredentials, accessRequests);
    if (keys) assertSameScope(keys, options);
    const settings = new Settings(context, options.activationTier ?? 'advanced');
    const rates = new Rates(options.rates ?? {}, context.clock);
    const authenticator = new Authenticator({ context, keys: knownKeys, nodes, hybridNodes });
    this.#clock = context.wallClock;
    this.#nodes = nodes;
    this.#hybridNodes = hybridNodes;
    this.#longPolls = longPolls;
    this.#documents = documents;
    this.#sessions = sessions;
    this.#accessRequests = accessRequests;
    this.#starts = new StartDecisions({ context, authorization, nodes, documents });
    this.#gateway = new MessageGateway({
      context,
      authenticator,
      authorization,
      keys: knownKeys,
      nodes,
      sessions,
    });
    const { endRevokedSessions, policyChanges } = options;
    const parts = { context, sessions, keys: knownKeys, authorization, nodes, documents, policyChanges };
    this.#rechecks = endRevokedSessions ? new SessionRechecks(parts) : undefined;
    this.#api = new JsonApi(
      context,
      authenticator,
      operations({
        context,
        authorization,
        nodes,
        hybridNodes,
        activations,
        accessRequests,
        roleCredentials,
        sessions,
        documents,
        settings,
        longPolls,
        keys,
        parameters,
        streamUrl,
      }).map((operation) => rates.limit(operation)),
    );
  }

  /** Answers a request that is no WebSocket upgrade. Never throws. */
  async fetch(request: Request, connection: ConnectionInfo = {}): Promise<Response> {
    return this.#dated(await this.#answer(request, connectionOf(request, connection)));
  }

  async #answer(request: Request, connection: ConnectionInfo): Promise<Response> {
    if (this.#closed) return closedAnswer(request);
    const path = channelPath(new URL(request.url).pathname);
    if (!path) return this.#api.handle(request, connection);
    if (request.method === 'POST') return this.#gateway.createChannel(request, path, connection);
    return new Response('Channels are opened by WebSocket.\n', {
      status: 426,
      headers: { connection: 'Upgrade', upgrade: 'websocket' },
    });
  }

  /**
   * Answers a request to upgrade to WebSocket: a `Response` refuses it; a function accepts it, and is to be given the
   * socket in the turn in which it opens. Never throws.
   */
  async upgrade(
    request: Request,
    connection: ConnectionInfo = {},
  ): Promise<Response | ((socket: Socket) => void)> {
    if (this.#closed) return this.#dated(closedAnswer(request));
    const path = channelPath(new URL(request.url).pathname);
    if (!path) return this.#dated(new Response('No such channel.\n', { status: 404 }));
    const answer = await this.#gateway.upgrade(request, path, connectionOf(request, connection));
    return answer instanceof Response ? this.#dated(answer) : answer;
  }

  /** By this clock signatures are judged: a client whose own is wrong can sign again by it. */
  #dated(answer: Response): Response {
    answer.headers.set('date', new Date(this.#clock.now()).toUTCString());
    return answer;
  }

  /**
   * Makes a managed node known; its agent can then connect with credentials whose record names it as `targetId`.
   * Again for a known id: replaces the tags.
   *
   * @throws {RangeError} for an id that is not 1 to 400 characters long
   */
  async registerTarget(registration: TargetRegistration): Promise<void> {
    await this.#nodes.register(registration);
  }

  /** The managed nodes, in no order. */
  async targets(): Promise<readonly Target[]> {
    return (await this.#nodes.list()).map(targetOf);
  }

  /**
   * Whether policies let somebody start a session: what a portal shows. Nothing is asked of the node, which may not be
   * connected, and limits are not counted.
   *
   * @param caller with the record of an access key, its session policies and what else it says count, too
   * @param document name or ARN; default `SSM-SessionManagerRunShell`
   * @param connection of the caller, as for {@link fetch}
   * @throws {HawserError} `ERR_UNKNOWN_DOCUMENT`
   */
  async canStart(
    caller: Principal | CallerRecord,
    target: string,
    document?: string,
    connection?: ConnectionInfo,
  ): Promise<StartPermission> {
    return (await this.canStartEach(caller, [target], document, connection)).get(target)!;
  }

  /**
   * {@link canStart} for a list of nodes.
   *
   * @throws {HawserError} `ERR_UNKNOWN_DOCUMENT`
   */
  async canStartEach(
    caller: Principal | CallerRecord,
    targets: Iterable<string>,
    document?: string,
    connection: ConnectionInfo = {},
  ): Promise<ReadonlyMap<string, StartPermission>> {
    return this.#starts.of(caller, targets, document, connection);
  }

  /**
   * Decides about a request for access (StartAccessRequest) that is pending, or revokes one that was approved: its
   * credentials are good no more. Sessions that were started with them go on, without `endRevokedSessions`.
   *
   * @throws {HawserError} `ERR_UNKNOWN_ACCESS_REQUEST`, `ERR_ACCESS_REQUEST_DECIDED`
   */
  async decideAccess(accessRequestId: string, decision: AccessDecision | 'Revoked'): Promise<void> {
    await this.#accessRequests.decide(accessRequestId, decision);
    if (decision === 'Revoked') this.#rechecks?.look();
  }

  /**
   * Asks a hybrid node to replace its key, when it comes for credentials next: within half of `timers.roleToken`. The
   * old key is good until the new one has been used.
   *
   * @throws {HawserError} `ERR_UNKNOWN_NODE` for a node that did not register itself with an activation
   */
  async rotateNodeKey(id: string): Promise<void> {
    await this.#hybridNodes.requestRotation(id);
  }

  /**
   * Makes a session document known to every service on the same store. Again for a known name: adds a version, and
   * makes it the default for sessions to come; the oldest goes when there are `limits.documentVersions`. One called
   * `SSM-SessionManagerRunShell` is the account's preferences: what a session gets that names no document, and where
   * documents without `inputs` get theirs. At most `limits.documents`.
   *
   * @param name 3 to 128 of `a-z`, `A-Z`, `0-9`, `_`, `-` and `.`; not beginning with `aws`, `amazon` or `amzn`
   * @throws {DocumentError} for a document that cannot be used
   * @throws {HawserError} `ERR_DOCUMENT_NAME`, `ERR_DOCUMENT_LIMIT`
   */
  async registerDocument(name: string, document: SessionDocument): Promise<DocumentRegistration> {
    return this.#documents.register(name, document);
  }

  /**
   * Takes over the sessions and nodes that are in the store, after the service that had them has ended, however that was:
   * to be called once, before this one is served, and by the only service on the store. Clients and agents then come
   * back by themselves, and their sessions go on with what neither had acknowledged. Timers go on from what is stored; what
   * either side had to do by a certain time, it has the whole time for again: an agent that is away `timers.agentLost`, also
   * to confirm an end that was under way; and a session whose idle time ran out meanwhile has `timers.connect` to show that
   * it is alive.
   */
  async resume(): Promise<void> {
    await this.#nodes.resume();
    await this.#sessions.resume();
    await this.#accessRequests.resume();
  }

  /**
   * Ends every session that was started or resumed here (`ServiceShutdown`), tells both ends, and closes all channels.
   * Later requests are answered 503. With `sessions: 'keep'` no session ends, and a service on the same store can
   * {@link resume} them: the store can be closed then, for nothing more is written.
   */
  async close({ sessions = 'end' }: CloseOptions = {}): Promise<void> {
    this.#closed = true;
    this.#longPolls.close();
    this.#rechecks?.stop();
    await this.#sessions.shutDown(sessions);
    await this.#gateway.shutDown();
  }
}

export interface CloseOptions {
  /** Default `end`. `keep` is for a restart, on a store that outlives this service. */
  readonly sessions?: 'end' | 'keep';
}

function assertSameScope(keys: ArnScope, { region, accountId }: ArnScope): void {
  if (keys.region === region && keys.accountId === accountId) return;
  throw new HawserError(
    'ERR_KEYS_ELSEWHERE',
    `The keys are of ${keys.region} and the account ${keys.accountId}, the service of ${region} and ${accountId}. Make both of one.`,
  );
}

/**
 * An agent that cannot have credentials tries again soon after a 500 and after a day for a 503 (`credentialrefresher.go`
 * of amazon-ssm-agent): a service that is about to be started again must not cost it that day.
 */
function closedAnswer({ headers }: Request): Response {
  const status = headers.get('x-amz-target') === 'AmazonSSM.RequestManagedInstanceRoleToken' ? 500 : 503;
  const code = status === 500 ? 'InternalServerError' : 'ServiceUnavailableException';
  return errorAnswer(code, 'The service has been closed.', status, '');
}
