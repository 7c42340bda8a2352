import { type Deferred, deferred } from '../base/deferred.ts';
import type { ServiceContext } from './context.ts';
import type { NodeInformation, NodeRecord, NodeRegistration, SourceType } from './node-record.ts';
import { change, remove } from './store.ts';
import { isTokenOf, newToken, tokenRecord } from './token.ts';

/** A managed node for the service to know. */
export interface TargetRegistration {
  /** 1 to 400 characters: `mi-…`, `i-…`, or any other form (CONTROL-PLANE.md section 5.1). */
  readonly id: string;
  /** For policies: `ssm:resourceTag/<key>`. Default none. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Where the machine comes from, when its id does not say: `AWS::IoT::Thing` of an edge device. */
  readonly sourceType?: SourceType;
}

/** A managed node as the service knows it. */
export interface Target {
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Its agent has an open control channel: sessions can be started. */
  readonly connected: boolean;
  /** As the agent said when it connected last. */
  readonly agentVersion?: string;
  readonly platformType?: string;
  /** What the agent says of the machine, every 5 minutes (UpdateInstanceInformation). */
  readonly information?: NodeInformation;
  /** When it said so last, in milliseconds since the epoch. */
  readonly lastPing?: number;
  /** Of a node that registered itself with an activation. */
  readonly registration?: Pick<NodeRegistration, 'activationId' | 'iamRole' | 'name' | 'date'>;
}

/** The managed nodes: every change of a node record is made here, but for its registration (`HybridNodes`). */
export class Nodes {
  readonly #context: ServiceContext;
  /** Control channels whose sockets are open, and whose tokens are yet to come or being checked, by node. */
  readonly #openings = new Map<string, Set<Deferred<void>>>();

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  async register({ id, tags = {}, sourceType }: TargetRegistration): Promise<void> {
    if (id.length < 1 || id.length > 400) throw new RangeError('A target id has 1 to 400 characters.');
    const { nodes } = this.#context.store;
    const given = { tags, ...(sourceType && { sourceType }) };
    if (await nodes.create(id, { id, ...given })) return;
    await change(nodes, id, (node) => ({ ...node, ...given }));
  }

  async get(id: string): Promise<NodeRecord | undefined> {
    return (await this.#context.store.nodes.get(id))?.value;
  }

  async list(): Promise<readonly NodeRecord[]> {
    return (await this.#context.store.nodes.list()).map(({ value }) => value);
  }

  /** @param next without side effects; may throw */
  async changeTags(id: string, next: (tags: NodeRecord['tags']) => NodeRecord['tags']): Promise<void> {
    await change(this.#context.store.nodes, id, (node) => ({ ...node, tags: next(node.tags) }));
  }

  /** UpdateInstanceInformation came: what it does not say stays as it was. Whether the node is registered. */
  async report(id: string, information: NodeInformation): Promise<boolean> {
    const { store, wallClock } = this.#context;
    const made = await change(store.nodes, id, (node) => ({
      ...node,
      information: { ...node.information, ...information },
      lastPing: wallClock.now(),
    }));
    return made !== undefined;
  }

  /** Its control channel closes. */
  async remove(id: string): Promise<void> {
    const node = await remove(this.#context.store.nodes, id);
    if (node?.channel !== undefined) this.#emit(id, false);
  }

  /** A fresh token for the control channel; `undefined` for a node that is not registered. */
  async mintToken(id: string): Promise<string | undefined> {
    const { random, digest, wallClock, timers, store } = this.#context;
    const value = newToken(random);
    const token = tokenRecord(value, wallClock.now() + timers.token, digest);
    return (await change(store.nodes, id, (node) => ({ ...node, token }))) && value;
  }

  /** A control channel of this node is being opened, until the returned function is called. */
  opening(id: string): () => void {
    const opening = deferred();
    const openings = this.#openings.get(id) ?? new Set();
    this.#openings.set(id, openings.add(opening));
    return () => {
      openings.delete(opening);
      if (openings.size === 0) this.#openings.delete(id);
      opening.resolve();
    };
  }

  /**
   * The node, after a short wait while a control channel of it is being opened: an agent is not told when its token
   * has been taken, and a session started right after its `start()` must not fail for that.
   */
  async getSettled(id: string): Promise<NodeRecord | undefined> {
    const node = await this.get(id);
    const openings = this.#openings.get(id);
    if (!node || node.channel !== undefined || !openings) return node;
    const late = deferred();
    const cancel = this.#context.clock.schedule(OPENING_WAIT, () => late.resolve());
    await Promise.race([late.promise, ...[...openings].map(({ promise }) => promise)]);
    cancel();
    return this.get(id);
  }

  /** Uses the token up, and makes `channel` the node's control channel. Whether the token was good. */
  async openChannel(
    id: string,
    token: string,
    channel: string,
    about: Pick<NodeRecord, 'agentVersion' | 'platformType'>,
  ): Promise<boolean> {
    const { wallClock, digest, store } = this.#context;
    const made = await change(store.nodes, id, (node) =>
      isTokenOf(node.token, token, wallClock.now(), digest)
        ? { ...node, ...about, token: undefined, channel }
        : undefined,
    );
    if (!made || made.after === made.before) return false;
    this.#emit(id, true);
    return true;
  }

  async channelClosed(id: string, channel: string): Promise<void> {
    const made = await change(this.#context.store.nodes, id, (node) =>
      node.channel === channel ? { ...node, channel: undefined } : undefined,
    );
    if (made && made.after !== made.before) this.#emit(id, false);
  }

  /** The process that had the control channels has ended. */
  async resume(): Promise<void> {
    for (const { channel, id } of await this.list())
      if (channel !== undefined) await this.channelClosed(id, channel);
  }

  #emit(id: string, connected: boolean): void {
    this.#context.emit({ type: 'node', time: this.#context.clock.now(), id, connected });
  }
}

/** For the host: without what the service alone needs. */
export function targetOf(node: NodeRecord): Target {
  const { id, tags, channel, agentVersion, platformType, information, lastPing, registration } = node;
  return {
    id,
    tags,
    connected: channel !== undefined,
    ...(agentVersion !== undefined && { agentVersion }),
    ...(platformType !== undefined && { platformType }),
    ...(information && { information }),
    ...(lastPing !== undefined && { lastPing }),
    ...(registration && { registration: registrationOf(registration) }),
  };
}

function registrationOf({ activationId, iamRole, name, date }: NodeRegistration) {
  return { activationId, iamRole, date, ...(name !== undefined && { name }) };
}

/** Milliseconds. */
const OPENING_WAIT = 2_000;
