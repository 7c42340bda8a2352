import { randomUUID } from 'node:crypto';
import { registerManagedInstance } from '../agent/register.ts';
import { createIdentity, defaultIdentityDirectory, type NodeLocation } from './identity.ts';

export interface RegisterNodeOptions {
  /** Of CreateActivation. */
  readonly activationId: string;
  /** Of CreateActivation, and a password. */
  readonly activationCode: string;
  /** Where the activation is. Kept with the identity. */
  readonly location: NodeLocation;
  /** Default {@link defaultIdentityDirectory}. Made with mode 0700 when there is none. */
  readonly directory?: string | undefined;
  /** Replaces an identity that is there. Default false. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Registers this machine as a hybrid node, and keeps its identity in a directory for `openIdentity`.
 *
 * @returns the id of the node, `mi-…`
 * @throws {NodeError} `ERR_IDENTITY_EXISTS`, `ERR_IDENTITY_LOCKED`, `ERR_IDENTITY_MODE`
 * @throws {InvalidActivationError} @throws {ServiceError} @throws {TransportError} @throws {EndpointError}
 */
export function registerNode(options: RegisterNodeOptions): Promise<string> {
  const { activationId, activationCode, location, signal, force = false } = options;
  const { directory = defaultIdentityDirectory() } = options;
  return createIdentity(directory, { location, force, fingerprint: randomUUID() }, (key, fingerprint) =>
    registerManagedInstance({ activationId, activationCode, key, fingerprint, signal, ...location }),
  );
}
