import { fromUtf8Strict } from '../base/encoding.ts';
import { MessageError } from '../channel/error.ts';
import { parseOpenControlChannel, parseOpenDataChannel } from '../channel/payload/open-channel.ts';
import type { Socket } from '../core/socket.ts';
import { ApiError, toApiError } from './api-error.ts';
import type { Authenticator } from './authenticator.ts';
import type { AgentAction, Authorization } from './authorization.ts';
import type { Side } from './bus.ts';
import type { Caller, Credentialed } from './caller.ts';
import { CloseCode } from './close-code.ts';
import { ClosedNotices } from './closed-notices.ts';
import type { ConnectionInfo } from './connection.ts';
import type { ServiceContext } from './context.ts';
import { ControlChannel } from './control-channel.ts';
import type { KnownKeys } from './known-keys.ts';
import type { Nodes } from './nodes.ts';
import { type OpenedChannel, Opening } from './opening.ts';
import { readBody } from './read-body.ts';
import { RelayEnd } from './relay-end.ts';
import { RelayMemory } from './relay-memory.ts';
import type { SessionRecord } from './session-record.ts';
import type { Sessions } from './sessions.ts';
import { errorXml, tokenXml, XML_TYPE } from './xml.ts';

export interface MessageGatewayParts {
  readonly context: ServiceContext;
  readonly authenticator: Authenticator;
  readonly authorization: Authorization;
  readonly keys: KnownKeys;
  readonly nodes: Nodes;
  readonly sessions: Sessions;
}

type Accept = (socket: Socket) => void;

/** A channel's path: what it is a channel of. */
interface ChannelPath {
  readonly kind: 'control-channel' | 'data-channel';
  /** Of the managed node, or of the session. */
  readonly id: string;
}

/** The path of a channel on the message gateway; `undefined` for any other. */
export function channelPath(pathname: string): ChannelPath | undefined {
  const match = /^\/v1\/(control-channel|data-channel)\/([^/]+)$/.exec(pathname);
  if (!match) return undefined;
  try {
    return { kind: match[1] as ChannelPath['kind'], id: decodeURIComponent(match[2]!) };
  } catch {
    return undefined;
  }
}

/**
 * `ssmmessages`: gives agents the tokens for their channels, and takes the channels of agents and clients (PROTOCOL.md
 * section 5). Agents sign every request with the credentials of their node. Clients come with the token of
 * StartSession or ResumeSession alone.
 */
export class MessageGateway {
  readonly #parts: MessageGatewayParts;
  readonly #closedNotices: ClosedNotices;
  /** And what each is the end of. */
  readonly #openings = new Map<Opening, string>();
  readonly #controlChannels = new Set<ControlChannel>();
  readonly #relayEnds = new Set<RelayEnd>();
  readonly #memory: RelayMemory;
  #closed = false;

  constructor(parts: MessageGatewayParts) {
    this.#parts = parts;
    this.#closedNotices = new ClosedNotices(parts.context);
    this.#memory = new RelayMemory(parts.context);
  }

  /** CreateControlChannel and CreateDataChannel: a token, as XML, with status 201. Never throws. */
  async createChannel(request: Request, path: ChannelPath, connection: ConnectionInfo): Promise<Response> {
    const { context, authenticator } = this.#parts;
    try {
      const body = await readBody(request, context.limits.requestBody);
      const caller = await authenticator.authenticate(request, body, 'ssmmessages');
      checkBody(body);
      await this.#checkAgent(caller, 'Create', path, connection);
      const token = await this.#mintToken(path, caller.targetId);
      return new Response(tokenXml(path.kind, token), { status: 201, headers: { 'content-type': XML_TYPE } });
    } catch (error) {
      return this.#refuse(error);
    }
  }

  /** Never throws. */
  async upgrade(request: Request, path: ChannelPath, connection: ConnectionInfo): Promise<Response | Accept> {
    const { authenticator, nodes, sessions } = this.#parts;
    try {
      const signed = request.headers.has('authorization');
      const caller = signed
        ? await authenticator.authenticate(request, new Uint8Array(), 'ssmmessages')
        : undefined;
      if (caller) await this.#checkAgent(caller, 'Open', path, connection);
      if (path.kind === 'control-channel') {
        if (caller?.targetId !== path.id) throw notThisNode(path.id);
        return this.#accept(
          `node ${path.id}`,
          (text, socket) => this.#openControlChannel(path.id, text, socket),
          () => nodes.opening(path.id),
        );
      }
      // Clients may sign, too (CONTROL-PLANE.md section 9.1); what makes an agent is whose credentials they are.
      const side = caller?.targetId === undefined ? 'client' : 'agent';
      const session = await sessions.get(path.id);
      // Nobody can take the places of `limits.openingChannels` who does not know a session.
      if (!session) throw this.#terminated(path.id, caller?.targetId);
      if (side === 'agent' && session.target !== caller?.targetId) throw notThisNode(session.target);
      return this.#accept(`${side} ${path.id}`, (text, socket) =>
        this.#openDataChannel(path.id, side, text, socket, connection),
      );
    } catch (error) {
      return this.#refuse(error);
    }
  }

  /** Closes every channel; those of sessions that have ended are told so. */
  async shutDown(): Promise<void> {
    this.#closed = true;
    for (const opening of [...this.#openings.keys()]) opening.close(CloseCode.GoingAway, SHUTTING_DOWN);
    await Promise.all([...this.#relayEnds].map((end) => end.shutDown()));
    this.#memory.clear();
    await Promise.all([...this.#controlChannels].map((channel) => channel.shutDown()));
  }

  /** @throws {ApiError} */
  async #checkAgent(
    caller: Credentialed,
    verb: 'Create' | 'Open',
    { kind }: ChannelPath,
    connection: ConnectionInfo,
  ): Promise<void> {
    if (caller.targetId === undefined) return;
    const channel = kind === 'control-channel' ? 'ControlChannel' : 'DataChannel';
    const action: AgentAction = `ssmmessages:${verb}${channel}`;
    await this.#parts.authorization.agent({ ...caller, connection }, action);
  }

  async #mintToken({ kind, id }: ChannelPath, targetId: string | undefined): Promise<string> {
    const { nodes, sessions } = this.#parts;
    if (kind === 'control-channel') {
      const token = targetId === id ? await nodes.mintToken(id) : undefined;
      if (token === undefined) throw notThisNode(id);
      return token;
    }
    const session = await sessions.get(id);
    if (session && session.target !== targetId) throw notThisNode(session.target);
    const token = session && (await sessions.mintToken(id, 'agent'));
    if (token === undefined) throw this.#terminated(id, targetId, session);
    return token;
  }

  /** The words after which agents stop trying; and what ends their session workers (PROTOCOL.md section 1.8). */
  #terminated(sessionId: string, targetId?: string, session?: SessionRecord): ApiError {
    if (targetId !== undefined) this.#closedNotices.tell(session ?? { sessionId, target: targetId });
    return new ApiError('BadRequest', 'Session is already terminated');
  }

  /** @param begin called when there is a socket; what it returns, when that is handed over or gone */
  #accept(
    whose: string,
    open: (text: string, socket: Socket) => Promise<(() => OpenedChannel) | string>,
    begin: () => () => void = () => () => {},
  ): Accept {
    const { context } = this.#parts;
    if (this.#isFull(whose)) throw new ApiError('ServiceUnavailableException', TOO_MANY, 503);
    return (socket) => {
      if (this.#closed) {
        socket.close(CloseCode.GoingAway, SHUTTING_DOWN);
        return;
      }
      // Again: the places may have been taken by upgrades that were under way at the same time.
      if (this.#isFull(whose)) {
        socket.close(CloseCode.TryAgainLater, TOO_MANY);
        return;
      }
      const end = begin();
      const opening: Opening = new Opening({
        socket,
        context,
        open: (text) => open(text, socket).catch(refuseUnreadable),
        finished: () => {
          this.#openings.delete(opening);
          end();
        },
      });
      this.#openings.set(opening, whose);
    };
  }

  #isFull(whose: string): boolean {
    let count = 0;
    for (const other of this.#openings.values()) if (other === whose) count++;
    return count >= MAX_OPENINGS || this.#openings.size >= this.#parts.context.limits.openingChannels;
  }

  async #openControlChannel(id: string, text: string, socket: Socket) {
    const { context, nodes, sessions } = this.#parts;
    const { tokenValue, agentVersion, platformType } = parseOpenControlChannel(text);
    const channelId = context.random.uuid();
    const about = {
      agentVersion: agentVersion.slice(0, MAX_ABOUT),
      platformType: platformType.slice(0, MAX_ABOUT),
    };
    if (!(await nodes.openChannel(id, tokenValue, channelId, about))) return BAD_TOKEN;
    return () => {
      const closed = () => this.#controlChannels.delete(channel);
      const channel: ControlChannel = new ControlChannel({
        id,
        channelId,
        socket,
        context,
        nodes,
        sessions,
        closed,
      });
      this.#controlChannels.add(channel);
      return channel;
    };
  }

  async #openDataChannel(
    sessionId: string,
    side: Side,
    text: string,
    socket: Socket,
    connection: ConnectionInfo,
  ) {
    const { context, sessions } = this.#parts;
    const { tokenValue } = parseOpenDataChannel(text);
    const channelId = context.random.uuid();
    if (side === 'client' && !(await this.#mayOpen(sessionId, tokenValue, connection))) return NOT_ALLOWED;
    if (!(await sessions.openChannel(sessionId, side, tokenValue, channelId))) return BAD_TOKEN;
    return () => {
      const closed = () => this.#relayEnds.delete(end);
      const end: RelayEnd = new RelayEnd({
        sessionId,
        side,
        channelId,
        socket,
        context,
        sessions,
        session: this.#memory.session(sessionId),
        closed,
      });
      this.#relayEnds.add(end);
      return end;
    };
  }

  /**
   * Whether those who were given the token may still open a channel with it (POLICY.md section 6). Their credentials may
   * have expired since, but must not be gone.
   */
  async #mayOpen(sessionId: string, token: string, connection: ConnectionInfo): Promise<boolean> {
    const { context, sessions, keys, authorization } = this.#parts;
    const given = await sessions.byToken(sessionId, token);
    if (given?.accessKeyId === undefined) return true; // not good, or of a service that did not write that down
    const key = await keys.find(given.accessKeyId);
    const caller: Caller | undefined = key && { ...key.caller, connection };
    try {
      if (caller) {
        await authorization.session(caller, 'ssmmessages:OpenDataChannel', sessionId, given.session);
        return true;
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
    context.emit({
      type: 'call',
      time: context.clock.now(),
      requestId: context.random.uuid(),
      operation: 'OpenDataChannel',
      caller: caller?.principal.arn ?? given.session.owner.arn,
      errorCode: 'AccessDeniedException',
    });
    return false;
  }

  #refuse(error: unknown): Response {
    const { awsCode, message, status: asked } = toApiError(error, this.#parts.context);
    const status = awsCode === 'AccessDeniedException' ? 403 : asked;
    return new Response(errorXml(awsCode, message), { status, headers: { 'content-type': XML_TYPE } });
  }
}

/** Of one side of a session, or of one node: a single one cannot take all the places of `limits.openingChannels`. */
const MAX_OPENINGS = 16;

const TOO_MANY = 'Too many channels are being opened. Try again.';
const BAD_TOKEN = 'The token is not valid. Ask for a new one.';
const NOT_ALLOWED = 'Access to this session is denied.';
const SHUTTING_DOWN = 'The service is shutting down.';

/** Characters kept of what an agent says of itself. */
const MAX_ABOUT = 64;

function notThisNode(id: string): ApiError {
  return new ApiError(
    'AccessDeniedException',
    `These are not the credentials of ${id}, or it is not registered.`,
  );
}

/** The members that agents send are of no use here, but what is no JSON was meant for somebody else. */
function checkBody(body: Uint8Array): void {
  try {
    JSON.parse(fromUtf8Strict(body));
  } catch {
    throw new ApiError('SerializationException', 'The request body is not JSON.');
  }
}

function refuseUnreadable(error: unknown): string {
  if (!(error instanceof MessageError)) throw error;
  return BAD_TOKEN;
}
