import type { NodeKey } from '../crypto/sigv4/node-signature.ts';

/**
 * What makes a machine the hybrid node that it is registered as. Whoever implements it keeps it: what a promise of it
 * says is done must survive the machine's next moment.
 */
export interface NodeIdentity {
  /** `mi-…` */
  readonly instanceId: string;
  /** As registered. */
  readonly fingerprint: string;
  /** The key that the service knows, or knew before {@link pendingKey}. */
  readonly key: NodeKey;
  /** The key that is to take its place. Whether the service has it already is not known. */
  readonly pendingKey: NodeKey | undefined;
  /** Makes and saves a pending key. */
  createPendingKey(): Promise<NodeKey>;
  /** The service has the pending key: it becomes {@link key}, and the old one is forgotten. */
  promotePendingKey(): Promise<void>;
}
