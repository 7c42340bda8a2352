import { base64, hex } from '../base/encoding.ts';
import type { ActivationRecord } from './activation-record.ts';
import { ApiError } from './api-error.ts';
import type { ServiceContext } from './context.ts';
import { change, remove } from './store.ts';
import { isTokenOf, tokenRecord } from './token.ts';
import { WrongCodes } from './wrong-codes.ts';

/** What an activation is made of; the rest of its record follows. */
export type NewActivation = Omit<
  ActivationRecord,
  'activationId' | 'code' | 'registrations' | 'createdDate'
> & {
  /** Milliseconds since the epoch. */
  readonly expires: number;
};

/** The pair that CreateActivation gave, and whose it is. */
export interface Proof {
  readonly activationId: string;
  readonly code: string;
  /** SHA-256 of what there is of the machine. Again the same is one registration. */
  readonly machine: string;
}

/** The activations: every change of an activation record is made here. */
export class Activations {
  readonly #context: ServiceContext;
  readonly #wrongCodes: WrongCodes;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#wrongCodes = new WrongCodes(context.limits.wrongCodes, context.clock);
  }

  /**
   * The code is given out here, and never again.
   *
   * @throws {ApiError} `ServiceQuotaExceededException` beyond `limits.activations`
   */
  async create({ expires, ...members }: NewActivation): Promise<{ activationId: string; code: string }> {
    const { store, random, digest, wallClock } = this.#context;
    await this.#makeRoom();
    const activationId = random.uuid();
    // 20 characters of A-Z, a-z, 0-9, + and /: 120 bits (CONTROL-PLANE.md section 2.8).
    const code = base64(random.bytes(15));
    const record = {
      ...members,
      activationId,
      code: tokenRecord(code, expires, digest),
      registrations: [],
      createdDate: wallClock.now(),
    };
    if (!(await store.activations.create(activationId, record)))
      throw new Error(`The activation id ${activationId} is taken.`);
    return { activationId, code };
  }

  /** In no order. */
  async list(): Promise<readonly ActivationRecord[]> {
    return (await this.#context.store.activations.list()).map(({ value }) => value);
  }

  /** Its nodes stay. Whether there was one. */
  async delete(activationId: string): Promise<boolean> {
    return (await remove(this.#context.store.activations, activationId)) !== undefined;
  }

  /**
   * Uses an activation for a machine.
   *
   * @returns the activation, and the id of the machine's node, which is the same when it asks again
   * @throws {ApiError} `InvalidActivation` for one that is deleted, expired, used up, or not of this code;
   *   `TooManyUpdates` after too many wrong codes, which agents try again
   */
  async use({ activationId, code, machine }: Proof): Promise<{
    readonly activation: ActivationRecord;
    readonly instanceId: string;
  }> {
    const { store, wallClock, digest, random } = this.#context;
    this.#wrongCodes.check(activationId);
    const isCode = (activation: ActivationRecord) =>
      isTokenOf(activation.code, code, wallClock.now(), digest);
    const instanceId = newInstanceId(random);
    const made = await change(store.activations, activationId, (activation) =>
      isCode(activation) && !registrationOf(activation, machine) && !isUsedUp(activation)
        ? { ...activation, registrations: [...activation.registrations, { instanceId, machine }] }
        : undefined,
    );
    if (!made) throw invalidActivation();
    const activation = made.after;
    if (!isCode(activation)) {
      if (wallClock.now() < activation.code.expires) this.#wrongCodes.note(activationId);
      throw invalidActivation();
    }
    const registration = registrationOf(activation, machine);
    if (!registration) throw invalidActivation();
    return { activation, instanceId: registration.instanceId };
  }

  /**
   * Between {@link use} and the making of the node, that may have been deregistered, or the activation deleted.
   *
   * @throws {ApiError} `InvalidActivation`
   */
  async confirm({ activationId, machine }: Proof): Promise<void> {
    const activation = (await this.#context.store.activations.get(activationId))?.value;
    if (!activation || !registrationOf(activation, machine)) throw invalidActivation();
  }

  /** The node is there no more: its machine would be a new one. The use of the activation stays counted. */
  async forget(activationId: string, instanceId: string): Promise<void> {
    await change(this.#context.store.activations, activationId, (activation) => ({
      ...activation,
      registrations: activation.registrations.map((registration) =>
        registration.instanceId === instanceId ? { instanceId } : registration,
      ),
    }));
  }

  async #makeRoom(): Promise<void> {
    const { store, limits, timers, wallClock } = this.#context;
    const entries = await store.activations.list();
    const old = entries.filter(({ value }) => value.code.expires + timers.history <= wallClock.now());
    await Promise.all(old.map((entry) => store.activations.delete(entry)));
    if (entries.length - old.length < limits.activations) return;
    throw new ApiError(
      'ServiceQuotaExceededException',
      `There are ${limits.activations} activations, which is the limit. Delete one and try again.`,
    );
  }
}

function isUsedUp({ registrations, registrationLimit }: ActivationRecord): boolean {
  return registrations.length >= registrationLimit;
}

function registrationOf({ registrations }: ActivationRecord, machine: string) {
  return registrations.find((registration) => registration.machine === machine);
}

/** `mi-` and 17 hex digits: 68 random bits. */
function newInstanceId(random: ServiceContext['random']): string {
  return `mi-${hex(random.bytes(9)).slice(0, 17)}`;
}

/** The words of the API model, which do not tell what was wrong. */
function invalidActivation(): ApiError {
  return new ApiError(
    'InvalidActivation',
    'The activation is not valid. The activation might have been deleted, have expired or been used up, or the ActivationId and the ActivationCode do not match.',
  );
}
