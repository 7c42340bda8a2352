import { base64, fromBase64 } from '../base/encoding.ts';
import { HawserError } from '../base/error.ts';
import { AwsJson, type CallOptions, type JsonObject } from '../core/aws-json.ts';
import { type EndpointVariant, endpointOf, parseEndpoint } from '../core/endpoints.ts';
import type { Platform } from '../core/platform.ts';
import { CredentialsSigner } from '../core/request-signer.ts';
import { platformWith } from '../core/runtime.ts';
import { ServiceError } from '../core/service-error.ts';
import {
  type CredentialProvider,
  type Credentials,
  type KeyService,
  KeyServiceError,
} from '../crypto/index.ts';
import { DATA_KEY_LENGTH } from '../crypto/kms/key-service.ts';
import { callbackKeyService } from './callback-key-service.ts';
import { kmsError } from './kms-error.ts';

export interface KmsKeyServiceOptions extends EndpointVariant {
  readonly region: string;
  /** A provider is asked before every try of every call. */
  readonly credentials: Credentials | CredentialProvider;
  /** A key service other than AWS's own in the region: a VPC endpoint, a service of hawser with `keys`. */
  readonly endpoint?: string | URL | undefined;
  /** Lets `http:` lead to other machines. Default false. */
  readonly allowInsecure?: boolean | undefined;
  /**
   * Milliseconds for one try of one call; a call is tried three times. Default 4,000: a session waits 15 s for its data key.
   */
  readonly requestTimeout?: number | undefined;
  /** Parts of the world to replace. */
  readonly platform?: Partial<Platform> | undefined;
}

/**
 * AWS KMS by its JSON API, without an SDK.
 *
 *     const keyService = kmsKeyService({ region: 'eu-central-1', credentials });
 *
 * Whoever starts a session needs `kms:GenerateDataKey` on its key, the node `kms:Decrypt`.
 *
 * @throws {EndpointError} for a region or an endpoint that cannot be, or would send secrets in the clear
 */
export function kmsKeyService(options: KmsKeyServiceOptions): KeyService {
  const { region, credentials, endpoint, allowInsecure, requestTimeout = 4_000 } = options;
  const regional = endpointOf('kms', region, options);
  const platform = platformWith(options.platform);
  const api = new AwsJson({
    platform,
    endpoint: endpoint === undefined ? regional : parseEndpoint(endpoint, allowInsecure),
    signer: new CredentialsSigner(credentials, region, 'kms', platform.digest),
    targetPrefix: 'TrentService',
    requestTimeout,
  });

  async function call(
    operation: 'GenerateDataKey' | 'Decrypt',
    input: JsonObject,
    { signal }: CallOptions,
  ): Promise<JsonObject> {
    try {
      return await api.call(operation, input, { signal });
    } catch (error) {
      if (!(error instanceof HawserError)) throw error;
      throw kmsError(error instanceof ServiceError ? error.type : undefined, error.message, error);
    }
  }

  return callbackKeyService({
    async generateDataKey(keyId, context, options = {}) {
      const input = { KeyId: keyId, NumberOfBytes: DATA_KEY_LENGTH, EncryptionContext: context };
      const answer = await call('GenerateDataKey', input, options);
      return { plaintext: blob(answer, 'Plaintext'), ciphertext: blob(answer, 'CiphertextBlob') };
    },
    async decrypt(ciphertext, context, { keyId, ...options } = {}) {
      const input = { CiphertextBlob: base64(ciphertext), EncryptionContext: context, KeyId: keyId };
      return blob(await call('Decrypt', input, options), 'Plaintext');
    },
  });
}

function blob(answer: JsonObject, member: string): Uint8Array {
  const text = answer[member];
  const bytes = typeof text === 'string' ? fromBase64(text) : undefined;
  if (bytes) return bytes;
  throw new KeyServiceError('ERR_KEY_SERVICE', `KMS answered without ${member}. Is it the right endpoint?`);
}
