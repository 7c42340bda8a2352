import type { SessionDocument } from '../core/documents/session-document.ts';
import type { Socket } from '../core/socket.ts';
import { Authenticator } from './authenticator.ts';
import { Authorization } from './authorization.ts';
import { serviceContext } from './context.ts';
import { type DocumentRegistration, Documents } from './documents.ts';
import { errorAnswer, JsonApi } from './json-api.ts';
import { channelPath, MessageGateway } from './message-gateway.ts';
import { Nodes, type Target, type TargetRegistration } from './nodes.ts';
import { operations } from './operations/index.ts';
import type { SessionManagerServiceOptions } from './options.ts';
import { Sessions } from './sessions.ts';

/**
 * Session Manager as a service: the `ssm` API and the `ssmmessages` message gateway at one address, for AWS's own
 * CLI, SDKs, plugin and agent as for hawser's.
 *
 *     const service = new SessionManagerService({ region, accountId, credentials });
 *     await service.registerTarget({ id: 'mi-0123456789abcdef0' });
 *     const { url } = await serve(service); // hawser/node
 *
 * It is two functions of web standards, {@link fetch} and {@link upgrade}, which any HTTP server can host.
 */
export class SessionManagerService {
  readonly #nodes: Nodes;
  readonly #documents: Documents;
  readonly #sessions: Sessions;
  readonly #api: JsonApi;
  readonly #gateway: MessageGateway;
  #closed = false;

  /** @throws {DocumentError} for a session document that cannot be used @throws {HawserError} `ERR_DOCUMENT_NAME` */
  constructor(options: SessionManagerServiceOptions) {
    const context = serviceContext(options);
    const documents = new Documents(context, options.documents);
    const authenticator = new Authenticator(options.credentials, context);
    const authorization = new Authorization(context, options.authorize);
    const nodes = new Nodes(context);
    const sessions = new Sessions(context);
    const { streamUrl } = options;
    this.#nodes = nodes;
    this.#documents = documents;
    this.#sessions = sessions;
    this.#gateway = new MessageGateway({ context, authenticator, nodes, sessions });
    this.#api = new JsonApi(
      context,
      authenticator,
      operations({ context, authorization, nodes, sessions, documents, streamUrl }),
    );
  }

  /** Answers a request that is no WebSocket upgrade. Never throws. */
  async fetch(request: Request): Promise<Response> {
    if (this.#closed) return unavailable();
    const path = channelPath(new URL(request.url).pathname);
    if (!path) return this.#api.handle(request);
    if (request.method === 'POST') return this.#gateway.createChannel(request, path);
    return new Response('Channels are opened by WebSocket.\n', {
      status: 426,
      headers: { connection: 'Upgrade', upgrade: 'websocket' },
    });
  }

  /**
   * Answers a request to upgrade to WebSocket: a `Response` refuses it; a function accepts it, and is to be given the
   * socket in the turn in which it opens. Never throws.
   */
  async upgrade(request: Request): Promise<Response | ((socket: Socket) => void)> {
    if (this.#closed) return unavailable();
    const path = channelPath(new URL(request.url).pathname);
    return path ? this.#gateway.upgrade(request, path) : new Response('No such channel.\n', { status: 404 });
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
    return this.#nodes.list();
  }

  /**
   * Makes a session document known to every service on the same store. Again for a known name: replaces the document,
   * for sessions to come. One called `SSM-SessionManagerRunShell` is the account's preferences: what a session gets
   * that names no document, and where documents without `inputs` get theirs. At most `limits.documents`.
   *
   * @param name 3 to 128 of `a-z`, `A-Z`, `0-9`, `_`, `-` and `.`; not beginning with `aws`, `amazon` or `amzn`
   * @throws {DocumentError} for a document that cannot be used
   * @throws {HawserError} `ERR_DOCUMENT_NAME`, `ERR_DOCUMENT_LIMIT`
   */
  async registerDocument(name: string, document: SessionDocument): Promise<DocumentRegistration> {
    return this.#documents.register(name, document);
  }

  /**
   * Ends every session that was started here (`ServiceShutdown`), tells both ends, and closes all channels. Later
   * requests are answered 503.
   */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#sessions.shutDown();
    await this.#gateway.shutDown();
  }
}

function unavailable(): Response {
  return errorAnswer('ServiceUnavailableException', 'The service has been closed.', 503, '');
}
