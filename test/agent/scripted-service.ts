import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { NodeIdentity } from 'hawser/agent';
import { type NodeKey, NodeSignatureVerifier, SignatureError, SignatureVerifier } from 'hawser/crypto';
import type { MemoryService, VirtualClock } from 'hawser/testing';
import { ScriptedGateway } from './scripted-gateway.ts';

export const INSTANCE_ID = 'mi-0123456789abcdef0';
export const FINGERPRINT = '5f7c1b2e-6a1d-4f54-9b57-1f0a4a6f4b11';
export const REGION = 'eu-central-1';

export interface Call {
  readonly operation: string;
  readonly input: Record<string, unknown>;
  readonly headers: Headers;
  readonly at: number;
}

/** What answers a call: a result, a refusal, or the network breaking before or after the service did its part. */
export type Answer = object | Response | Error;

/**
 * The API of a service as a hybrid node sees it, and its message gateway: checks every signature by its own clock, and
 * does what a test says beyond that.
 */
export class ScriptedService implements MemoryService {
  readonly gateway: ScriptedGateway;
  readonly calls: Call[] = [];
  /** What the service knows of the node. */
  publicKey: string;
  /** Milliseconds that role credentials are good for. */
  life = 3_600_000;
  /** Whether the next role token asks for another key; done with when one has come. */
  updateKeyPair = false;
  /** Called before the service does what it does; what is answered is answered instead. */
  before: (call: Call) => Answer | Promise<Answer> | undefined = () => undefined;
  /** Called after it. */
  after: (call: Call) => Answer | undefined = () => undefined;
  /** Access keys that are good, with their end. */
  readonly issued = new Map<string, number>();
  /** Milliseconds by which the service's clock is ahead of the one that drives the test. */
  ahead = 0;
  readonly #clock: VirtualClock;
  readonly #nodes: NodeSignatureVerifier<{ readonly publicKey: string }>;
  readonly #roles: SignatureVerifier;

  constructor(clock: VirtualClock, publicKey: string) {
    this.#clock = clock;
    this.publicKey = publicKey;
    this.gateway = new ScriptedGateway(clock);
    this.#nodes = new NodeSignatureVerifier({
      lookup: (id) => (id === INSTANCE_ID ? { publicKey: this.publicKey } : undefined),
    });
    this.#roles = new SignatureVerifier({
      lookup: (id) => {
        const until = this.issued.get(id);
        return until === undefined
          ? undefined
          : { secretAccessKey: 'role-secret', sessionToken: 'role-token', expiration: new Date(until) };
      },
    });
  }

  get now(): number {
    return this.#clock.now() + this.ahead;
  }

  named(operation: string): Call[] {
    return this.calls.filter((call) => call.operation === operation);
  }

  async fetch(request: Request): Promise<Response> {
    const body = new Uint8Array(await request.clone().arrayBuffer());
    if (!request.headers.has('x-amz-target')) return this.#channel(request, body);
    const call: Call = {
      operation: request.headers.get('x-amz-target')!.replace('AmazonSSM.', ''),
      input: JSON.parse(new TextDecoder().decode(body)),
      headers: request.headers,
      at: this.#clock.now(),
    };
    this.calls.push(call);
    return (
      this.#given(await this.before(call)) ??
      this.#given(await this.#answer(call, request, body)) ??
      Response.json({})
    );
  }

  async upgrade(request: Request) {
    const refusal = await this.#checkRole(request, new Uint8Array(), 'ssmmessages');
    return refusal ?? this.gateway.upgrade(request);
  }

  /** The refusal of a call, with the service's own time. */
  refuse(type: string, message = '', status = 400): Response {
    const headers = { date: new Date(this.now).toUTCString() };
    return Response.json({ __type: type, message }, { status, headers });
  }

  async #answer(call: Call, request: Request, body: Uint8Array): Promise<Answer> {
    if (call.operation === 'RegisterManagedInstance') return this.after(call) ?? { InstanceId: INSTANCE_ID };
    const byNode = SIGNED_BY_NODE.has(call.operation);
    const refusal = await (byNode ? this.#checkNode(request, body) : this.#checkRole(request, body, 'ssm'));
    if (refusal) return refusal;
    const result = call.operation === 'RequestManagedInstanceRoleToken' ? this.#roleToken() : {};
    if (call.operation === 'UpdateManagedInstancePublicKey') {
      this.publicKey = String(call.input.NewPublicKey);
      this.updateKeyPair = false;
    }
    return this.after(call) ?? result;
  }

  #roleToken(): object {
    const AccessKeyId = `ASIAROLE${this.issued.size}`;
    const until = this.now + this.life;
    this.issued.set(AccessKeyId, until);
    return {
      AccessKeyId,
      SecretAccessKey: 'role-secret',
      SessionToken: 'role-token',
      TokenExpirationDate: until / 1000,
      UpdateKeyPair: this.updateKeyPair,
    };
  }

  async #channel(request: Request, body: Uint8Array): Promise<Response> {
    const refusal = await this.#checkRole(request, body, 'ssmmessages');
    if (!refusal) return this.gateway.fetch(request);
    const { __type } = (await refusal.json()) as { __type: string };
    return new Response(`<${__type}><Message>no</Message></${__type}>`, {
      status: 400,
      headers: refusal.headers,
    });
  }

  #checkNode(request: Request, body: Uint8Array): Promise<Response | undefined> {
    return this.#check(() => this.#nodes.verify(received(request, body), this.#scope('ssm')));
  }

  #checkRole(request: Request, body: Uint8Array, service: string): Promise<Response | undefined> {
    return this.#check(() => this.#roles.verify(received(request, body), this.#scope(service)));
  }

  #scope(service: string) {
    return { region: REGION, service, now: this.now };
  }

  async #check(verify: () => Promise<unknown>): Promise<Response | undefined> {
    try {
      await verify();
      return undefined;
    } catch (error) {
      if (error instanceof SignatureError) return this.refuse(error.awsCode, error.message);
      throw error;
    }
  }

  #given(answer: Answer | undefined): Response | undefined {
    if (answer instanceof Error) throw answer;
    return answer instanceof Response || answer === undefined ? answer : Response.json(answer);
  }
}

const SIGNED_BY_NODE = new Set(['RequestManagedInstanceRoleToken', 'UpdateManagedInstancePublicKey']);

function received(request: Request, body: Uint8Array) {
  const { method, headers } = request;
  return { method, url: new URL(request.url), headers, body };
}

/** Keys are slow to make, and every test may have the same. */
export const KEYS: readonly NodeKey[] = [1, 2, 3, 4, 5].map(() => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    sign: (message: Uint8Array) => pss(privateKey, message),
  };
});

function pss(key: KeyObject, message: Uint8Array): Uint8Array {
  return sign('sha256', message, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
}

/** An identity whose disk can fail, and which can be lost between any two steps. */
export class MemoryIdentity implements NodeIdentity {
  readonly instanceId: string = INSTANCE_ID;
  readonly fingerprint = FINGERPRINT;
  /** Of `KEYS`: which is the current one, which the pending one. */
  saved: { current: number; pending: number | undefined } = { current: 0, pending: undefined };
  /** Pending keys made. */
  created = 0;
  fault: ((step: 'create' | 'promote') => Error | undefined) | undefined;

  get key(): NodeKey {
    return KEYS[this.saved.current]!;
  }

  get pendingKey(): NodeKey | undefined {
    return this.saved.pending === undefined ? undefined : KEYS[this.saved.pending];
  }

  async createPendingKey(): Promise<NodeKey> {
    const fault = this.fault?.('create');
    if (fault) throw fault;
    this.created++;
    this.saved = { ...this.saved, pending: this.saved.current + 1 };
    return this.pendingKey!;
  }

  async promotePendingKey(): Promise<void> {
    const fault = this.fault?.('promote');
    if (fault) throw fault;
    this.saved = { current: this.saved.pending!, pending: undefined };
  }
}
