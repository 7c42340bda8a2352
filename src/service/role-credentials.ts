import { base64 } from '../base/encoding.ts';
import { ApiError } from './api-error.ts';
import type { ServiceContext } from './context.ts';
import { isIssuedKey, newAccessKeyId } from './issued-key.ts';
import { nodePrincipal } from './node-principal.ts';
import type { NodeRecord, NodeRegistration } from './node-record.ts';
import type { CallerRecord } from './options.ts';
import type { RoleCredentialsRecord } from './role-credentials-record.ts';
import { change } from './store.ts';
import { newToken } from './token.ts';

/** The temporary credentials of hybrid nodes: issued, known again, and thrown away. */
export class RoleCredentials {
  readonly #context: ServiceContext;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /**
   * Credentials for a node. Those before stay good until they expire. A node that asks again at once, as each of its
   * processes may, gets the same, so that it has {@link SHARE} at most.
   *
   * @throws {ApiError} `InvalidInstanceId` when the node has just been deregistered
   */
  async issue(id: string): Promise<RoleCredentialsRecord> {
    const { store, wallClock, timers } = this.#context;
    const now = wallClock.now();
    await this.#sweep();
    const registration = (await store.nodes.get(id))?.value.registration;
    if (!registration) throw notRegistered(id);
    const last = registration.accessKeyId && (await store.roleCredentials.get(registration.accessKeyId));
    if (
      last &&
      last.value.iamRole === registration.iamRole &&
      // Not those of a time that has not come yet: the clock has been set back since.
      last.value.issued <= now &&
      now < last.value.issued + timers.roleToken / SHARE
    ) {
      return last.value;
    }
    return (await this.#create(id, registration)) ?? this.issue(id);
  }

  /** Who an access key of {@link isIssuedKey} belongs to, while its node is registered. */
  async find(accessKeyId: string): Promise<CallerRecord | undefined> {
    const { store } = this.#context;
    const record = isIssuedKey(accessKeyId) && (await store.roleCredentials.get(accessKeyId))?.value;
    if (!record || !(await isRegistered(record.instanceId, store))) return undefined;
    const { secretAccessKey, sessionToken, instanceId, iamRole, issued, expires } = record;
    return {
      secretAccessKey,
      sessionToken,
      expiration: new Date(expires),
      issued: new Date(issued),
      principal: nodePrincipal(iamRole, instanceId, this.#context),
      targetId: instanceId,
    };
  }

  /** Throws away all of a node's. */
  async revoke(id: string): Promise<void> {
    await this.#deleteWhere(({ instanceId }) => instanceId === id);
  }

  /** `undefined` when the node has been given others meanwhile, or is gone. */
  async #create(
    instanceId: string,
    { iamRole, accessKeyId: last }: NodeRegistration,
  ): Promise<RoleCredentialsRecord | undefined> {
    const { store, random, clock, wallClock, timers } = this.#context;
    const now = wallClock.now();
    const accessKeyId = newAccessKeyId(random);
    const record: RoleCredentialsRecord = {
      accessKeyId,
      secretAccessKey: base64(random.bytes(30)),
      sessionToken: newToken(random),
      instanceId,
      iamRole,
      issued: now,
      // Whole seconds, as they are told to the node.
      expires: Math.floor((now + timers.roleToken) / 1000) * 1000,
    };
    const entry = await store.roleCredentials.create(accessKeyId, record);
    if (!entry) throw new Error(`The access key id ${accessKeyId} is taken.`);
    const made = await change(store.nodes, instanceId, (node) =>
      node.registration?.accessKeyId === last ? withAccessKey(node, accessKeyId) : undefined,
    );
    if (made?.after.registration?.accessKeyId !== accessKeyId) {
      await store.roleCredentials.delete(entry);
      return undefined;
    }
    this.#context.emit({
      type: 'roleToken',
      time: clock.now(),
      id: instanceId,
      accessKeyId,
      expires: record.expires,
    });
    return record;
  }

  /**
   * Throws expired ones away, once in their life at most. They are kept as long again, to be told as expired: agents
   * then ask for others, where for unknown ones they do not.
   */
  async #sweep(): Promise<void> {
    const { clock, wallClock, timers } = this.#context;
    if (clock.now() < this.#sweptAt + timers.roleToken) return;
    this.#sweptAt = clock.now();
    const now = wallClock.now();
    await this.#deleteWhere(({ expires }) => expires + timers.roleToken <= now);
  }

  async #deleteWhere(isOver: (record: RoleCredentialsRecord) => boolean): Promise<void> {
    const { roleCredentials } = this.#context.store;
    const over = (await roleCredentials.list()).filter(({ value }) => isOver(value));
    await Promise.all(over.map((entry) => roleCredentials.delete(entry)));
  }
}

/** Of `timers.roleToken`: the part for which the same credentials are given again. */
const SHARE = 12;

async function isRegistered(id: string, { nodes }: ServiceContext['store']): Promise<boolean> {
  return (await nodes.get(id))?.value.registration !== undefined;
}

function withAccessKey(node: NodeRecord, accessKeyId: string): NodeRecord | undefined {
  return node.registration && { ...node, registration: { ...node.registration, accessKeyId } };
}

export function notRegistered(id: string): ApiError {
  return new ApiError('InvalidInstanceId', `${id} is not a hybrid node that is registered here.`);
}
