import { AwsJson } from '../core/aws-json.ts';
import { TransportError } from '../core/errors.ts';
import type { Platform } from '../core/platform.ts';
import type { RequestSigner } from '../core/request-signer.ts';
import { platformWith } from '../core/runtime.ts';
import type { NodeKey } from '../crypto/sigv4/node-signature.ts';
import { type NodeEndpointOptions, nodeEndpoint } from './node-endpoint.ts';

export interface RegisterOptions extends NodeEndpointOptions {
  /** Of CreateActivation. */
  readonly activationId: string;
  /** Of CreateActivation, and a password. */
  readonly activationCode: string;
  /** RSA, of 2048 bits. The node asks for its credentials with it, so it must be kept. */
  readonly key: Pick<NodeKey, 'publicKey'>;
  /** A UUID that stands for the machine. The node must show it again, so it must be kept. */
  readonly fingerprint: string;
  readonly signal?: AbortSignal | undefined;
  readonly platform?: Partial<Platform> | undefined;
}

/**
 * Makes a machine a managed node of an activation (CONTROL-PLANE.md section 2.8): RegisterManagedInstance, unsigned. The
 * service being busy and network trouble are waited out, for six tries; when an answer is lost on the way, one try
 * too many may be counted against the activation.
 *
 * @returns the id of the node, `mi-…`
 * @throws {InvalidActivationError} @throws {ServiceError} whatever else the service refuses
 * @throws {TransportError} when there is no answer, or none that can be read
 * @throws {EndpointError} for an endpoint or region that cannot be used
 */
export async function registerManagedInstance(options: RegisterOptions): Promise<string> {
  const { activationId, activationCode, key, fingerprint, signal } = options;
  const endpoint = nodeEndpoint('ssm', options);
  const api = new AwsJson({ endpoint, signer: UNSIGNED, platform: platformWith(options.platform) });
  // In the order of the real agent.
  const { InstanceId } = await api.call(
    'RegisterManagedInstance',
    {
      ActivationCode: activationCode,
      ActivationId: activationId,
      Fingerprint: fingerprint,
      PublicKey: key.publicKey,
      PublicKeyType: 'Rsa',
    },
    { attempts: 6, signal },
  );
  // It becomes part of paths and of file names.
  if (typeof InstanceId === 'string' && /^[\w-]{1,128}$/.test(InstanceId)) return InstanceId;
  throw new TransportError(
    'ERR_RESPONSE_UNREADABLE',
    `${endpoint.host} answered RegisterManagedInstance without the id of a node.`,
  );
}

const UNSIGNED: RequestSigner = { sign: async ({ headers }) => ({ ...headers }) };
