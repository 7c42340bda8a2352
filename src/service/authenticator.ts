import { NodeSignatureVerifier, type ReceivedRequest, SignatureVerifier } from '../crypto/index.ts';
import { type Credentialed, credentialed } from './caller.ts';
import type { ServiceContext } from './context.ts';
import type { HybridNodes } from './hybrid-nodes.ts';
import type { KnownKey, KnownKeys } from './known-keys.ts';
import { nodePrincipal } from './node-principal.ts';
import type { Nodes } from './nodes.ts';
import { notRegistered } from './role-credentials.ts';

/** The service names that requests are signed for (CONTROL-PLANE.md section 1.1). */
export type SignedService = 'ssm' | 'ssmmessages' | 'ec2messages' | 'kms';

export interface AuthenticatorParts {
  readonly context: ServiceContext;
  readonly nodes: Nodes;
  readonly hybridNodes: HybridNodes;
  readonly keys: KnownKeys;
}

interface NodeKeyRecord {
  readonly publicKey: string;
  readonly id: string;
  readonly iamRole: string;
}

/** Finds out who sent a request, by its signature. */
export class Authenticator {
  readonly #parts: AuthenticatorParts;
  readonly #verifier: SignatureVerifier<KnownKey>;
  readonly #nodeKeys: NodeSignatureVerifier<NodeKeyRecord>;

  constructor(parts: AuthenticatorParts) {
    const { context, keys } = parts;
    const { digest } = context;
    this.#parts = parts;
    this.#verifier = new SignatureVerifier({
      lookup: (id) => keys.find(id),
      digest,
    });
    this.#nodeKeys = new NodeSignatureVerifier({ lookup: (id) => this.#keysOf(id), digest });
  }

  /** @throws {SignatureError} */
  async authenticate(request: Request, body: Uint8Array, service: SignedService): Promise<Credentialed> {
    const { caller } = await this.#verifier.verify(received(request, body), {
      ...this.#expected(service),
      forms: OF_AGENTS.includes(service) ? ['header'] : ['header', 'query'],
    });
    return caller;
  }

  /**
   * Of a request that a hybrid node signed with its own key (CONTROL-PLANE.md section 2.8), the one it has or the one
   * it has just announced.
   *
   * @throws {SignatureError} @throws {ApiError} `InvalidInstanceId` for a node that is not registered
   */
  async authenticateNode(request: Request, body: Uint8Array): Promise<Credentialed> {
    const { context, hybridNodes } = this.#parts;
    const signed = received(request, body);
    const { publicKey, id, iamRole } = await this.#nodeKeys.verify(signed, this.#expected('ssm'));
    await hybridNodes.keyUsed(id, publicKey);
    return credentialed(undefined, { principal: nodePrincipal(iamRole, id, context), targetId: id });
  }

  async #keysOf(id: string): Promise<readonly NodeKeyRecord[]> {
    const registration = (await this.#parts.nodes.get(id))?.registration;
    if (!registration) throw notRegistered(id);
    const { publicKey, nextPublicKey, iamRole } = registration;
    const keys = nextPublicKey === undefined ? [publicKey] : [publicKey, nextPublicKey];
    return keys.map((key) => ({ publicKey: key, id, iamRole }));
  }

  #expected(service: SignedService) {
    const { region, wallClock } = this.#parts.context;
    return { region, service, now: wallClock.now() };
  }
}

/** Agents sign in the header, and clients come with a token: a presigned URL there would only be one more secret. */
const OF_AGENTS: readonly SignedService[] = ['ssmmessages', 'ec2messages'];

function received({ method, url, headers }: Request, body: Uint8Array): ReceivedRequest {
  return { method, url: new URL(url), headers, body };
}
