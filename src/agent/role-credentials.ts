import { AwsJson, type JsonObject } from '../core/aws-json.ts';
import { backoff } from '../core/backoff.ts';
import { TransportError } from '../core/errors.ts';
import type { Platform } from '../core/platform.ts';
import type { RequestSigner } from '../core/request-signer.ts';
import { platformWith } from '../core/runtime.ts';
import { ServiceClock } from '../core/service-clock.ts';
import { ServiceError, ThrottledError } from '../core/service-error.ts';
import type { CredentialProvider, CredentialProviderOptions, Credentials } from '../crypto/credentials.ts';
import { type NodeKey, signWithNodeKey } from '../crypto/sigv4/node-signature.ts';
import type { NodeIdentity } from './identity.ts';
import { type NodeEndpointOptions, nodeEndpoint } from './node-endpoint.ts';

export interface RoleCredentialsOptions extends NodeEndpointOptions {
  readonly identity: NodeIdentity;
  /** The service has asked for another key: it has it now, or `error` says why not, and the old one is still good. */
  readonly onKeyRotation?: ((error: Error | undefined) => void) | undefined;
  readonly platform?: Partial<Platform> | undefined;
}

/**
 * The credentials of a hybrid node's role, for `AgentOptions.credentials`: RequestManagedInstanceRoleToken, signed with
 * the node's own key (CONTROL-PLANE.md section 2.8).
 *
 * They are kept, and asked for anew when half their life is over; when that fails, the old ones are used to their end,
 * and the next try follows within a minute. A key that the service wants replaced is replaced. The provider throws
 * `ServiceError` for what the service refuses and `TransportError` when it cannot be reached.
 *
 * @throws {EndpointError} for an endpoint or region that cannot be used
 */
export function roleCredentials(options: RoleCredentialsOptions): CredentialProvider {
  const role = new RoleCredentials(options);
  return (request) => role.get(request);
}

class RoleCredentials {
  readonly #options: RoleCredentialsOptions;
  readonly #platform: Platform;
  readonly #endpoint: URL;
  readonly #serviceClock: ServiceClock;
  #held: Held | undefined;
  #refreshing: Promise<Credentials> | undefined;
  #rotating: Promise<void> | undefined;
  #failure: Failure | undefined;

  constructor(options: RoleCredentialsOptions) {
    this.#options = options;
    this.#platform = platformWith(options.platform);
    this.#endpoint = nodeEndpoint('ssm', options);
    this.#serviceClock = new ServiceClock(this.#platform.clock);
  }

  async get({ forceRefresh = false }: CredentialProviderOptions = {}): Promise<Credentials> {
    const held = this.#held;
    const now = this.#serviceClock.now();
    const refused = forceRefresh && held !== undefined && now >= held.since + MIN_AGE;
    if (!held || now >= held.until || refused) return this.#refresh();
    if (now >= held.refreshAt) this.#refresh().catch(() => {}); // these are good for now
    return held.credentials;
  }

  #refresh(): Promise<Credentials> {
    // By the clock that never goes back: the service's may, when it is found to be another.
    const { clock } = this.#platform;
    if (this.#failure && clock.now() < this.#failure.retryAt) return Promise.reject(this.#failure.error);
    this.#refreshing ??= this.#request().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #request(): Promise<Credentials> {
    await this.#rotating;
    try {
      const { answer, pending } = await this.#askWithEitherKey();
      const credentials = this.#hold(answer);
      this.#failure = undefined;
      if (pending || answer.UpdateKeyPair === true) this.#rotating = this.#rotate(pending);
      return credentials;
    } catch (error) {
      const { clock, random } = this.#platform;
      const count = (this.#failure?.count ?? 0) + 1;
      this.#failure = { error, count, retryAt: clock.now() + backoff(random, count, RETRY_BASE, RETRY_CAP) };
      throw error;
    }
  }

  /** A rotation that was cut short may have reached the service: then it knows the pending key only. */
  async #askWithEitherKey(): Promise<{ readonly answer: JsonObject; readonly pending: boolean }> {
    const { key, pendingKey } = this.#options.identity;
    try {
      return { answer: await this.#ask(key), pending: false };
    } catch (error) {
      if (!pendingKey || !isRefusal(error)) throw error;
      try {
        return { answer: await this.#ask(pendingKey), pending: true };
      } catch {
        throw error;
      }
    }
  }

  #ask(key: NodeKey): Promise<JsonObject> {
    const { fingerprint } = this.#options.identity;
    return this.#call('RequestManagedInstanceRoleToken', { Fingerprint: fingerprint }, key);
  }

  #hold(answer: JsonObject): Credentials {
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = answer;
    const stated = timeOf(answer.TokenExpirationDate);
    if (!isText(accessKeyId) || !isText(secretAccessKey) || !isText(sessionToken) || Number.isNaN(stated)) {
      throw new TransportError(
        'ERR_RESPONSE_UNREADABLE',
        `${this.#endpoint.host} answered RequestManagedInstanceRoleToken without credentials and their expiration.`,
      );
    }
    const since = this.#serviceClock.now();
    const until = Math.min(Math.max(stated, since + MIN_AGE), since + MAX_AGE);
    const credentials = { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(until) };
    this.#held = { credentials, since, refreshAt: since + (until - since) / 2, until };
    return credentials;
  }

  /** @param known the service has the pending key already. Never rejects. */
  async #rotate(known: boolean): Promise<void> {
    const { identity, onKeyRotation } = this.#options;
    let failure: Error | undefined;
    try {
      if (!known) {
        const { publicKey } = identity.pendingKey ?? (await identity.createPendingKey());
        const input = { NewPublicKey: publicKey, NewPublicKeyType: 'Rsa' };
        await this.#call('UpdateManagedInstancePublicKey', input, identity.key);
      }
      await identity.promotePendingKey();
    } catch (error) {
      failure = error as Error; // the next refresh finds out which key the service has
    }
    queueMicrotask(() => onKeyRotation?.(failure));
  }

  #call(operation: string, input: JsonObject, key: NodeKey): Promise<JsonObject> {
    const { region, identity } = this.#options;
    const { instanceId } = identity;
    const { digest } = this.#platform;
    const signer: RequestSigner = {
      sign: (request, now) =>
        signWithNodeKey(request, { instanceId, key, region, service: 'ssm', now: now(), digest }),
    };
    const api = new AwsJson({
      platform: this.#platform,
      endpoint: this.#endpoint,
      serviceClock: this.#serviceClock,
      signer,
    });
    return api.call(operation, input);
  }
}

/** Times are the service's, in milliseconds since the epoch. */
interface Held {
  readonly credentials: Credentials;
  readonly since: number;
  readonly refreshAt: number;
  readonly until: number;
}

interface Failure {
  readonly error: unknown;
  /** Failures in a row. */
  readonly count: number;
  readonly retryAt: number;
}

/** Milliseconds. Credentials are not asked for again sooner, though they are refused or said to be expired. */
const MIN_AGE = 60_000;
/** However long a service says that they are good. */
const MAX_AGE = 24 * 3_600_000;
const RETRY_BASE = 2_000;
const RETRY_CAP = 60_000;

/** Whether the service has looked at the call, and would say the same again. */
function isRefusal(error: unknown): boolean {
  return error instanceof ServiceError && !(error instanceof ThrottledError) && error.statusCode < 500;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Epoch seconds, which AWS JSON has, or ISO 8601. NaN for what is neither. */
function timeOf(value: unknown): number {
  return typeof value === 'number' ? value * 1000 : Date.parse(String(value));
}
