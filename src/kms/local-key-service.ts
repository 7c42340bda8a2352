import { concat } from '../base/encoding.ts';
import type { Platform } from '../core/platform.ts';
import { platformWith, systemKeyCipher } from '../core/runtime.ts';
import { NONCE_LENGTH } from '../crypto/aes-gcm.ts';
import { type DataKey, type EncryptionContext, type KeyService, KeyServiceError } from '../crypto/index.ts';
import type { KeyCipher } from '../crypto/kms/key-cipher.ts';
import { DATA_KEY_LENGTH } from '../crypto/kms/key-service.ts';
import type { Authorizer, Principal } from '../policy/index.ts';
import { callbackKeyService } from './callback-key-service.ts';
import { canonicalContext } from './canonical-context.ts';
import { blobHeader, decodeBlob, encodeBlob } from './ciphertext-blob.ts';
import { LocalKeyError } from './error.ts';
import { authorizeKey, type KeyAction, type KeyCaller, type KeyQuestion } from './key-authorization.ts';
import { type KeyName, keyArn, keyName } from './key-name.ts';
import {
  accountPolicy,
  authorizerPolicy,
  documentPolicy,
  type KeyPolicy,
  type KeyPolicyJudge,
} from './key-policy.ts';
import type { LocalKey, LocalKeyRecord } from './local-key.ts';
import { type LocalKeyStore, memoryKeyStore } from './local-key-store.ts';

export interface LocalKeyServiceOptions {
  /** Stands in the ARN of every key. */
  readonly region: string;
  /** 12 digits. Stands in the ARN of every key. */
  readonly accountId: string;
  /** Default: in memory, gone with the process. `localKeyFile` of `hawser/node` keeps them in a file. */
  readonly store?: LocalKeyStore;
  /** Time and chance. Default: the runtime's. */
  readonly platform?: Partial<Pick<Platform, 'clock' | 'random'>>;
  /** Default: the runtime's. */
  readonly cipher?: KeyCipher;
}

export interface CreateKeyOptions {
  /** `alias/…`, each of one key only. Default none. */
  readonly aliases?: readonly string[];
  /** Default none. */
  readonly description?: string;
  /** Default: delegates to the account, so that every principal of it may use the key as far as its own side goes. */
  readonly policy?: KeyPolicy;
}

/** A data key, and the KMS key it is under. */
export interface LocalDataKey extends DataKey {
  /** ARN of the KMS key. */
  readonly keyArn: string;
}

/**
 * Keys of one's own, in the place of AWS KMS: for development and tests, and for a service that has no AWS account
 * beside it. Whoever has the process, or the file of the keys, has the keys.
 *
 *     const keys = new LocalKeyService({ region: 'eu-central-1', accountId: '111122223333' });
 *     const { arn } = await keys.createKey({ aliases: ['alias/sessions'] });
 *     const { plaintext, ciphertext } = await keys.as(jane).generateDataKey(arn, { purpose: 'test' });
 *
 * As KMS does, it binds every data key to its encryption context, asks the policy of the key, and says with each
 * ciphertext under which key it is.
 */
export class LocalKeyService {
  readonly region: string;
  readonly accountId: string;
  readonly #store: LocalKeyStore;
  readonly #platform: Pick<Platform, 'clock' | 'random'>;
  readonly #cipher: KeyCipher;
  readonly #accountPolicy: KeyPolicyJudge;
  /** Of key policies by their text, which is compiled once. */
  readonly #documents = new Map<string, KeyPolicyJudge>();

  constructor(options: LocalKeyServiceOptions) {
    const { region, accountId, store = memoryKeyStore(), platform, cipher = systemKeyCipher() } = options;
    this.region = region;
    this.accountId = accountId;
    this.#store = store;
    this.#platform = platformWith(platform);
    this.#cipher = cipher;
    this.#accountPolicy = accountPolicy(accountId);
  }

  /** @throws {LocalKeyError} `ERR_KEY_ALIAS` @throws {PolicyError} for a document that is no key policy */
  async createKey({ aliases = [], description = '', policy }: CreateKeyOptions = {}): Promise<LocalKey> {
    const { random, clock } = this.#platform;
    for (const alias of aliases) assertAlias(alias);
    const kept = typeof policy === 'object' ? JSON.stringify(policy) : policy;
    this.#judgeOf(kept); // throws for what is no policy
    const key: LocalKeyRecord = {
      id: random.uuid(),
      aliases: [...aliases],
      description,
      enabled: true,
      created: clock.now(),
      material: random.bytes(32),
      ...(kept !== undefined && { policy: kept }),
    };
    await this.#store.change((keys) => {
      const taken = aliases.find((alias) => keys.some((other) => other.aliases.includes(alias)));
      if (taken === undefined) return [...keys, key];
      throw new LocalKeyError('ERR_KEY_ALIAS', `${taken} is an alias of another key.`);
    });
    return this.#describe(key);
  }

  /** Every key, in the order in which they were created. */
  async listKeys(): Promise<readonly LocalKey[]> {
    return (await this.#store.list()).map((key) => this.#describe(key));
  }

  /** @throws {KeyServiceError} `ERR_KEY_NOT_FOUND` */
  async enableKey(keyId: string): Promise<void> {
    await this.#setEnabled(keyId, true);
  }

  /** Until it is enabled again the key encrypts and decrypts nothing. @throws {KeyServiceError} `ERR_KEY_NOT_FOUND` */
  async disableKey(keyId: string): Promise<void> {
    await this.#setEnabled(keyId, false);
  }

  /**
   * The key service of one caller.
   *
   * @param authorize what is said of the principal elsewhere than in the policy of the key: both must say yes. Default:
   * it may do everything.
   */
  as(principal: Principal, authorize?: Authorizer): KeyService {
    const caller: KeyCaller = { principal, authorize };
    return callbackKeyService({
      generateDataKey: (keyId, context) => this.generateDataKey(caller, keyId, context),
      decrypt: async (ciphertext, context, { keyId } = {}) =>
        (await this.decrypt(caller, ciphertext, context, keyId)).plaintext,
    });
  }

  /**
   * A fresh data key of any length, for services that host KMS.
   *
   * @throws {KeyServiceError} `ERR_KEY_ACCESS_DENIED`, `ERR_KEY_NOT_FOUND`, `ERR_KEY_UNUSABLE`
   */
  async generateDataKey(
    caller: KeyCaller,
    keyId: string,
    context: EncryptionContext,
    {
      length = DATA_KEY_LENGTH,
      action = 'kms:GenerateDataKey',
    }: { length?: number; action?: KeyAction } = {},
  ): Promise<LocalDataKey> {
    const key = await this.#authorized(caller, keyId, { action, encryptionContext: context });
    this.#assertEnabled(key);
    const { random } = this.#platform;
    const [plaintext, nonce] = [random.bytes(length), random.bytes(NONCE_LENGTH)];
    const additionalData = additionalDataOf(key.id, context);
    const ciphertext = await this.#cipher.encrypt(key.material, nonce, plaintext, additionalData);
    return {
      keyArn: keyArn(key.id, this),
      plaintext,
      ciphertext: encodeBlob({ keyId: key.id, nonce, ciphertext }),
    };
  }

  /**
   * What {@link generateDataKey} encrypted. A ciphertext of a key that is not here cannot be told from one whose bytes
   * were changed.
   *
   * @param keyId the key that it must be under. Default: any
   * @throws {KeyServiceError} `ERR_KEY_ACCESS_DENIED`, `ERR_KEY_NOT_FOUND`, `ERR_KEY_UNUSABLE`, `ERR_KEY_MISMATCH`,
   * `ERR_KEY_CIPHERTEXT`
   */
  async decrypt(
    caller: KeyCaller,
    ciphertext: Uint8Array,
    context: EncryptionContext,
    keyId?: string,
  ): Promise<Omit<LocalDataKey, 'ciphertext'>> {
    const call = { action: 'kms:Decrypt', encryptionContext: context } as const;
    const named = keyId === undefined ? undefined : await this.#authorized(caller, keyId, call);
    const blob = decodeBlob(ciphertext);
    const used = blob && (await this.#store.list()).find(({ id }) => id === blob.keyId);
    if (!used) throw invalidCiphertext();
    if (named && named.id !== used.id) throw incorrectKey();
    const key = named ?? (await this.#authorized(caller, used.id, call));
    this.#assertEnabled(key);
    const additionalData = additionalDataOf(key.id, context);
    const plaintext = await this.#cipher.decrypt(key.material, blob.nonce, blob.ciphertext, additionalData);
    if (!plaintext) throw invalidCiphertext();
    return { keyArn: keyArn(key.id, this), plaintext };
  }

  /** @throws {KeyServiceError} `ERR_KEY_ACCESS_DENIED`, `ERR_KEY_NOT_FOUND` */
  async describeKey(caller: KeyCaller, keyId: string): Promise<LocalKey> {
    return this.#describe(
      await this.#authorized(caller, keyId, { action: 'kms:DescribeKey', encryptionContext: {} }),
    );
  }

  async #authorized(
    caller: KeyCaller,
    keyId: string,
    call: Pick<KeyQuestion, 'action' | 'encryptionContext'>,
  ): Promise<LocalKeyRecord> {
    const name = keyName(keyId, this);
    const key = find(await this.#store.list(), name);
    const judge = key && this.#judgeOf(key.policy);
    const requestAlias = name.resource.startsWith('alias/') ? name.resource : undefined;
    const resource = key ? keyArn(key.id, this) : name.arn;
    await authorizeKey(caller, { ...call, resource, requestAlias }, judge);
    if (key) return key;
    throw notFound(name);
  }

  async #setEnabled(keyId: string, enabled: boolean): Promise<void> {
    const name = keyName(keyId, this);
    await this.#store.change((keys) => {
      const key = find(keys, name);
      if (!key) throw notFound(name);
      return keys.map((other) => (other === key ? { ...key, enabled } : other));
    });
  }

  #judgeOf(policy: LocalKeyRecord['policy']): KeyPolicyJudge {
    if (policy === undefined) return this.#accountPolicy;
    if (typeof policy === 'function') return authorizerPolicy(policy);
    const known = this.#documents.get(policy);
    if (known) return known;
    const judge = documentPolicy(policy);
    if (this.#documents.size >= MAX_DOCUMENTS) this.#documents.clear();
    this.#documents.set(policy, judge);
    return judge;
  }

  #assertEnabled({ id, enabled }: LocalKeyRecord): void {
    if (!enabled) throw new KeyServiceError('ERR_KEY_UNUSABLE', `${keyArn(id, this)} is disabled.`);
  }

  #describe({ id, aliases, description, enabled, created }: LocalKeyRecord): LocalKey {
    return { id, arn: keyArn(id, this), aliases, description, enabled, created };
  }
}

/** Compiled key policies that are kept; then it starts afresh. */
const MAX_DOCUMENTS = 1000;

function find(keys: readonly LocalKeyRecord[], { resource }: KeyName): LocalKeyRecord | undefined {
  return keys.find(({ id, aliases }) => resource === `key/${id}` || aliases.includes(resource));
}

function additionalDataOf(keyId: string, context: EncryptionContext): Uint8Array {
  return concat([blobHeader(keyId), canonicalContext(context)]);
}

function assertAlias(alias: string): void {
  if (/^alias\/(?!aws\/)[\w/-]{1,250}$/.test(alias)) return;
  throw new LocalKeyError(
    'ERR_KEY_ALIAS',
    `${JSON.stringify(alias.slice(0, 300))} is no alias: "alias/" and then 1 to 250 of a-z, A-Z, 0-9, "/", "_" and "-"; those of "alias/aws/" are AWS's.`,
  );
}

/** In the words of KMS, as in the other errors here: callers of a hosted key service get them. */
function notFound({ resource, arn }: KeyName): KeyServiceError {
  const message = resource.startsWith('alias/')
    ? `Alias ${arn} is not found.`
    : `Key '${arn}' does not exist`;
  return new KeyServiceError('ERR_KEY_NOT_FOUND', message);
}

function incorrectKey(): KeyServiceError {
  return new KeyServiceError(
    'ERR_KEY_MISMATCH',
    'The key ID in the request does not identify a CMK that can perform this operation.',
  );
}

function invalidCiphertext(): KeyServiceError {
  return new KeyServiceError(
    'ERR_KEY_CIPHERTEXT',
    'The data key cannot be decrypted: it was made with another encryption context or by another key service, or its bytes were changed.',
  );
}
