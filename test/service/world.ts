/**
 * A service on a virtual clock, with clients and nodes that speak the wire themselves: tests see every frame.
 */
import { decodeMessage, encodeMessage, type MessageFields } from '../../src/channel/index.ts';
import type { Socket } from '../../src/core/socket.ts';
import { type Credentials, sha256Digest, signRequest } from '../../src/crypto/index.ts';
import type { Principal } from '../../src/policy/index.ts';
import {
  type CallerRecord,
  type ServiceEvent,
  SessionManagerService,
  type SessionManagerServiceOptions,
} from '../../src/service/index.ts';
import {
  type MemoryService,
  type MemoryTransport,
  memoryTransport,
  seededRandom,
  VirtualClock,
} from '../../src/testing/index.ts';

export const REGION = 'eu-central-1';
export const ACCOUNT = '111122223333';
export const NODE = 'mi-0123456789abcdef0';
export const ENDPOINT = 'http://service.test';

export const jane: Principal = {
  arn: `arn:aws:iam::${ACCOUNT}:user/jane`,
  userId: 'AIDAJANE',
  accountId: ACCOUNT,
  userName: 'jane',
};

export const JANE: Credentials = { accessKeyId: 'AKIAJANE', secretAccessKey: 'jane-secret' };

export function nodeCredentials(id: string): Credentials {
  return {
    accessKeyId: `ASIA${id.replaceAll(/\W/g, '')}`,
    secretAccessKey: `${id}-secret`,
    sessionToken: `${id}-session`,
  };
}

function nodeRecord(id: string): CallerRecord {
  const principal = {
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Node/${id}`,
    userId: `AROANODE:${id}`,
    accountId: ACCOUNT,
  };
  return { ...nodeCredentials(id), principal, targetId: id };
}

/** What a test has at hand. */
export interface World {
  readonly clock: VirtualClock;
  readonly service: SessionManagerService;
  readonly transport: MemoryTransport;
  readonly events: ServiceEvent[];
  /** Calls an operation and lets everything settle. */
  call(operation: string, input: object, credentials?: Credentials): Promise<Answer>;
  /** The same, for calls that must succeed. */
  ok(operation: string, input: object): Promise<Record<string, unknown>>;
  /** Registers a node and opens its control channel. */
  node(id?: string): Promise<WireNode>;
  start(input?: object): Promise<Started>;
  /** Opens a client's data channel. */
  client(stream: Started): Promise<Peer>;
  status(sessionId: string): Promise<Record<string, unknown> | undefined>;
  settle(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface Started {
  readonly SessionId: string;
  readonly TokenValue: string;
  readonly StreamUrl: string;
}

export interface WorldOptions extends Partial<SessionManagerServiceOptions> {
  /** Of each connection; see `SocketPairOptions`. */
  readonly capacity?: number;
  /** One way, in milliseconds. Default 0. */
  readonly latency?: number;
  /** Default a clock of its own. */
  readonly clock?: VirtualClock;
  readonly seed?: number;
  /** Who there is beside jane and the nodes. */
  readonly callers?: readonly (Credentials & CallerRecord)[];
  /** Whether the service's sockets have `pause`. Default true. */
  readonly pausable?: boolean;
  /** Binary messages reach the service as parts of so many bytes, as those of `ws` do. Default: alone. */
  readonly readSize?: number;
  /** Told of every binary message that the service sends. */
  readonly onSend?: (frame: Uint8Array) => void;
}

export function world(given: WorldOptions = {}): World {
  const { capacity, latency = 0, clock = new VirtualClock(), seed = 7, pausable = true, ...rest } = given;
  const { readSize, onSend, callers = [], ...options } = rest;
  const random = seededRandom(seed);
  const events: ServiceEvent[] = [];
  const keys = new Map<string, CallerRecord>([[JANE.accessKeyId, { ...JANE, principal: jane }]]);
  const nodes = [NODE, 'mi-0fedcba9876543210'];
  for (const caller of callers) keys.set(caller.accessKeyId, caller);
  for (const id of nodes) keys.set(nodeCredentials(id).accessKeyId, nodeRecord(id));
  const service = new SessionManagerService({
    region: REGION,
    accountId: ACCOUNT,
    credentials: (accessKeyId) => keys.get(accessKeyId),
    platform: { clock, random, digest: sha256Digest },
    onEvent: (event) => events.push(event),
    ...options,
  });
  const transport = memoryTransport(
    readSize === undefined ? (pausable ? service : unpausable(service)) : reading(service, readSize, onSend),
    {
      clock,
      latency,
      ...(capacity !== undefined && { capacity }),
    },
  );

  const settle = () => clock.advance(0);
  const fetch = (request: Request) => clock.runUntil(transport.fetch(request));

  const call = async (operation: string, input: object, credentials = JANE): Promise<Answer> => {
    const request = await signedCall(operation, JSON.stringify(input), credentials, clock.now());
    const response = await fetch(request);
    await settle();
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    };
  };

  const ok = async (operation: string, input: object) => {
    const answer = await call(operation, input);
    if (answer.status !== 200) throw new Error(`${operation}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };

  const status = async (sessionId: string) => {
    for (const State of ['Active', 'History']) {
      const { Sessions } = await ok('DescribeSessions', {
        State,
        Filters: [{ key: 'SessionId', value: sessionId }],
      });
      const [found] = Sessions as Record<string, unknown>[];
      if (found) return found;
    }
    return undefined;
  };

  return {
    clock,
    service,
    transport,
    events,
    call,
    ok,
    settle,
    status,
    async node(id = NODE) {
      await clock.runUntil(service.registerTarget({ id }));
      const node = new WireNode(id, clock, transport);
      await node.connect();
      return node;
    },
    async start(input = {}) {
      return (await ok('StartSession', { Target: NODE, ...input })) as unknown as Started;
    },
    async client({ StreamUrl, TokenValue }) {
      const socket = await clock.runUntil(transport.connect(StreamUrl));
      const peer = new Peer(socket, clock);
      socket.send(JSON.stringify({ MessageSchemaVersion: '1.0', RequestId: 'r', TokenValue, ClientId: 'c' }));
      await settle();
      return peer;
    },
  };
}

export async function signedCall(
  operation: string,
  body: string,
  credentials: Credentials,
  now: number,
): Promise<Request> {
  const url = new URL('/', ENDPOINT);
  const bytes = new TextEncoder().encode(body);
  const headers = await signRequest(
    {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AmazonSSM.${operation}` },
      body: bytes,
    },
    { credentials, region: REGION, service: 'ssm', now },
  );
  return new Request(url, { method: 'POST', headers, body: bytes });
}

/** The service on sockets of a runtime that cannot stop reading. */
function unpausable(service: SessionManagerService): MemoryService {
  const strip = (socket: Socket): Socket => ({
    get handler() {
      return socket.handler;
    },
    set handler(handler) {
      socket.handler = handler;
    },
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (data) => socket.send(data),
    close: (code, reason) => socket.close(code, reason),
  });
  return {
    fetch: (request) => service.fetch(request),
    async upgrade(request) {
      const answer = await service.upgrade(request);
      return answer instanceof Response ? answer : (socket) => answer(strip(socket));
    },
  };
}

function reading(
  service: SessionManagerService,
  readSize: number,
  onSend: (frame: Uint8Array) => void = () => {},
): MemoryService {
  const within = (data: Uint8Array | string) => {
    if (typeof data === 'string') return data;
    const read = new Uint8Array(readSize);
    read.set(data);
    return read.subarray(0, data.length);
  };
  const wrap = (socket: Socket): Socket => ({
    get handler() {
      return socket.handler;
    },
    set handler(handler) {
      socket.handler = handler && {
        message: (data) => handler.message(within(data)),
        drained: () => handler.drained?.(),
        pong: () => handler.pong?.(),
        closed: (code, reason) => handler.closed(code, reason),
      };
    },
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (data) => {
      if (typeof data !== 'string') onSend(data);
      socket.send(data);
    },
    close: (code, reason) => socket.close(code, reason),
    pause: () => socket.pause?.(),
    resume: () => socket.resume?.(),
  });
  return {
    fetch: (request) => service.fetch(request),
    async upgrade(request) {
      const answer = await service.upgrade(request);
      return answer instanceof Response ? answer : (socket) => answer(wrap(socket));
    },
  };
}

let messages = 0;

/** Every message needs an id of its own; which one does not matter here. */
export function messageId(): string {
  return `00000000-0000-4000-8000-${String(++messages).padStart(12, '0')}`;
}

/** A frame as a real program would send it. */
export function frame(
  clock: VirtualClock,
  messageType: string,
  payload: string | Uint8Array | object,
  fields: Partial<MessageFields> = {},
): Uint8Array {
  const bytes =
    payload instanceof Uint8Array
      ? payload
      : new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return encodeMessage(
    { messageType, messageId: messageId(), createdDate: clock.now(), payload: bytes, ...fields },
    sha256Digest,
  );
}

/** The far end of a channel: what it received, and what it sends. */
export class Peer {
  readonly socket: Socket;
  readonly frames: Uint8Array[] = [];
  closed: { code: number; reason: string } | undefined;
  readonly #clock: VirtualClock;
  #sequence = 0;

  constructor(socket: Socket, clock: VirtualClock) {
    this.socket = socket;
    this.#clock = clock;
    socket.handler = {
      message: (data) => this.frames.push(data as Uint8Array),
      closed: (code, reason) => {
        this.closed = { code, reason };
      },
    };
  }

  /** The message types received, in order. */
  get types(): string[] {
    return this.frames.map((bytes) => decodeMessage(bytes, sha256Digest).messageType);
  }

  /** The payloads of all frames of a type, as text. */
  payloads(type: string): string[] {
    return this.frames
      .map((bytes) => decodeMessage(bytes, sha256Digest))
      .filter(({ messageType }) => messageType === type)
      .map(({ payload }) => new TextDecoder().decode(payload));
  }

  json(type: string): Record<string, unknown>[] {
    return this.payloads(type).map((text) => JSON.parse(text));
  }

  async send(data: Uint8Array | string): Promise<void> {
    this.socket.send(data);
    await this.#clock.advance(0);
  }

  async sendMessage(
    type: string,
    payload: string | Uint8Array | object,
    fields: Partial<MessageFields> = {},
  ): Promise<Uint8Array> {
    const bytes = frame(this.#clock, type, payload, fields);
    await this.send(bytes);
    return bytes;
  }

  /** The next message of this end's stream. */
  async stream(
    type: 'input_stream_data' | 'output_stream_data',
    payload: string | Uint8Array,
    payloadType = 1,
  ): Promise<Uint8Array> {
    return this.sendMessage(type, payload, { sequenceNumber: this.#sequence++, payloadType });
  }
}

/** A managed node on the wire. */
export class WireNode {
  readonly id: string;
  readonly #clock: VirtualClock;
  readonly #transport: MemoryTransport;
  readonly #credentials: Credentials;
  control!: Peer;

  constructor(
    id: string,
    clock: VirtualClock,
    transport: MemoryTransport,
    credentials: Credentials = nodeCredentials(id),
  ) {
    this.id = id;
    this.#clock = clock;
    this.#transport = transport;
    this.#credentials = credentials;
  }

  /** Opens a control channel, another one if there is one. */
  async connect(agentVersion?: string): Promise<Peer> {
    const showToken = await this.dial(agentVersion);
    await showToken();
    return this.control;
  }

  /** Opens the socket of a control channel, and returns what sends the token. */
  async dial(agentVersion = '3.3.0.0'): Promise<() => Promise<void>> {
    const path = `/v1/control-channel/${this.id}`;
    const { token } = await this.createChannel(path);
    const socket = await this.#connect(`${path}?role=subscribe&stream=input`);
    this.control = new Peer(socket, this.#clock);
    return () =>
      this.control.send(
        JSON.stringify({
          Cookie: null,
          MessageSchemaVersion: '1.0',
          RequestId: 'r',
          TokenValue: token,
          AgentVersion: agentVersion,
          PlatformType: 'linux',
        }),
      );
  }

  /** Opens the data channel of a session. */
  async join(sessionId: string): Promise<Peer> {
    const path = `/v1/data-channel/${encodeURIComponent(sessionId)}`;
    const { token } = await this.createChannel(path);
    const agent = new Peer(await this.dialData(sessionId), this.#clock);
    await agent.send(
      JSON.stringify({
        MessageSchemaVersion: '1.0',
        RequestId: 'r',
        TokenValue: token,
        ClientInstanceId: this.id,
        ClientId: '',
      }),
    );
    return agent;
  }

  /** Opens the socket of a data channel, and says nothing. */
  dialData(sessionId: string): Promise<Socket> {
    return this.#connect(`/v1/data-channel/${encodeURIComponent(sessionId)}?role=publish_subscribe`);
  }

  /** Joins and says so. */
  async joinReady(sessionId: string): Promise<Peer> {
    const agent = await this.join(sessionId);
    await agent.sendMessage('agent_session_state', {
      SchemaVersion: 1,
      SessionState: 'Connected',
      SessionId: sessionId,
    });
    return agent;
  }

  async complete(sessionId: string, members: object = {}): Promise<void> {
    await this.control.sendMessage('agent_task_complete', {
      SchemaVersion: 1,
      TaskId: sessionId,
      Topic: 'agent_task_complete',
      FinalTaskStatus: 'Success',
      InstanceId: this.id,
      Output: '',
      RetryNumber: 1,
      ...members,
    });
  }

  /** The REST call before a channel. */
  async createChannel(path: string): Promise<{ status: number; text: string; token: string }> {
    const body = new TextEncoder().encode('{"MessageSchemaVersion":"1.0","RequestId":"r"}');
    const url = new URL(path, ENDPOINT);
    const headers = await this.sign('POST', url, body);
    const response = await this.#clock.runUntil(
      this.#transport.fetch(new Request(url, { method: 'POST', headers, body })),
    );
    const text = await response.text();
    return {
      status: response.status,
      text,
      token: /<TokenValue>(.*)<\/TokenValue>/.exec(text)?.[1] ?? '',
    };
  }

  sign(method: string, url: URL, body = new Uint8Array()): Promise<Record<string, string>> {
    return signRequest(
      { method, url, headers: {}, body },
      {
        credentials: this.#credentials,
        region: REGION,
        service: 'ssmmessages',
        now: this.#clock.now(),
      },
    );
  }

  async #connect(path: string): Promise<Socket> {
    const url = new URL(path, ENDPOINT);
    const headers = await this.sign('GET', url);
    return this.#clock.runUntil(this.#transport.connect(url.href.replace('http', 'ws'), { headers }));
  }
}

/** A session with both ends connected. */
export async function connected(
  w: World,
  input: object = {},
): Promise<{ node: WireNode; agent: Peer; client: Peer; session: Started }> {
  const node = await w.node();
  const session = await w.start(input);
  const agent = await node.joinReady(session.SessionId);
  const client = await w.client(session);
  return { node, agent, client, session };
}
