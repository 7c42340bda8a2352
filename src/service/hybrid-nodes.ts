import { HawserError } from '../base/error.ts';
import type { Activations } from './activations.ts';
import type { ServiceContext } from './context.ts';
import type { NodeRegistration } from './node-record.ts';
import type { Nodes } from './nodes.ts';
import type { RoleCredentials } from './role-credentials.ts';
import type { Sessions } from './sessions.ts';
import { change } from './store.ts';
import { sha256Text } from './token.ts';

/** A machine that wants to be a managed node. */
export interface Machine {
  readonly activationId: string;
  readonly activationCode: string;
  readonly publicKey: string;
  readonly fingerprint: string;
}

export interface HybridNodesParts {
  readonly context: ServiceContext;
  readonly nodes: Nodes;
  readonly sessions: Sessions;
  readonly activations: Activations;
  readonly roleCredentials: RoleCredentials;
}

/** The nodes that register themselves: every change of a node's registration is made here. */
export class HybridNodes {
  readonly #parts: HybridNodesParts;

  constructor(parts: HybridNodesParts) {
    this.#parts = parts;
  }

  /**
   * Makes a node of a machine. A machine that asks again, since it missed the answer, gets the id that it has.
   *
   * @returns the id of the node
   * @throws {ApiError} `InvalidActivation`, `TooManyUpdates`
   */
  async register({ activationId, activationCode, publicKey, fingerprint }: Machine): Promise<string> {
    const { context, nodes, activations } = this.#parts;
    const { store, clock, digest, emit } = context;
    const machine = sha256Text(JSON.stringify([publicKey, fingerprint]), digest);
    const proof = { activationId, code: activationCode, machine };
    const { activation, instanceId } = await activations.use(proof);
    const { iamRole, defaultInstanceName: name, tags, registrations, registrationLimit } = activation;
    const date = clock.now();
    const registration: NodeRegistration = {
      activationId,
      iamRole,
      ...(name && { name }),
      date,
      fingerprint,
      publicKey,
      keyDate: date,
    };
    if (await store.nodes.create(instanceId, { id: instanceId, tags, registration })) {
      await activations.confirm(proof).catch(async (error: unknown) => {
        await nodes.remove(instanceId);
        throw error;
      });
      const used = { activationId, registrations: registrations.length, registrationLimit };
      emit({ type: 'activation', time: date, id: instanceId, ...used });
      emit({ type: 'registration', time: date, id: instanceId, registered: true });
    }
    return instanceId;
  }

  /** Ends its sessions, its credentials and its control channel. Whether there was such a node. */
  async deregister(id: string): Promise<boolean> {
    const { context, nodes, sessions, activations, roleCredentials } = this.#parts;
    const node = await nodes.get(id);
    if (!node) return false;
    if (node.registration) await activations.forget(node.registration.activationId, id);
    // Before the control channel goes, over which the agent is told; and those that were started meanwhile.
    await sessions.cancelAll(id, 'TargetDisconnected');
    await nodes.remove(id);
    await sessions.cancelAll(id, 'TargetDisconnected');
    await roleCredentials.revoke(id);
    context.emit({ type: 'registration', time: context.clock.now(), id, registered: false });
    return true;
  }

  /** For the credentials to come. Whether there was such a node. */
  setRole(id: string, iamRole: string): Promise<boolean> {
    return this.#change(id, (registration) => ({ ...registration, iamRole }));
  }

  /** @throws {HawserError} `ERR_UNKNOWN_NODE` */
  async requestRotation(id: string): Promise<void> {
    if (await this.#change(id, (registration) => ({ ...registration, rotate: true }))) return;
    throw new HawserError('ERR_UNKNOWN_NODE', `${id} did not register itself with an activation.`);
  }

  /** Whether the node shall make itself another key. It is asked until it has used one. */
  isRotationDue({ rotate, keyDate }: NodeRegistration): boolean {
    const { clock, timers } = this.#parts.context;
    return rotate === true || clock.now() >= keyDate + timers.nodeKey;
  }

  /**
   * The next key of a node. It takes the place of the one before when it is used: an agent that ends before it has
   * saved the new one goes on with the old one.
   */
  async replaceKey(id: string, publicKey: string): Promise<boolean> {
    return this.#change(id, (registration) => ({
      ...registration,
      nextPublicKey: publicKey === registration.publicKey ? undefined : publicKey,
    }));
  }

  /** The node signed with this key. */
  async keyUsed(id: string, publicKey: string): Promise<void> {
    const { clock, emit } = this.#parts.context;
    const isNew = await this.#change(id, (registration) =>
      registration.nextPublicKey === publicKey
        ? {
            ...registration,
            publicKey,
            nextPublicKey: undefined,
            keyDate: clock.now(),
            rotate: undefined,
          }
        : undefined,
    );
    if (isNew) emit({ type: 'nodeKey', time: clock.now(), id });
  }

  async #change(
    id: string,
    next: (registration: NodeRegistration) => NodeRegistration | undefined,
  ): Promise<boolean> {
    const made = await change(this.#parts.context.store.nodes, id, (node) => {
      const registration = node.registration && next(node.registration);
      return registration && { ...node, registration };
    });
    return made !== undefined && made.after !== made.before;
  }
}
