/**
 * `hawser/kms`: key services, which give the two ends of an encrypted session their data key.
 *
 * @module
 */
export type { DataKey, DecryptCall, EncryptionContext, KeyService, KeyServiceCall } from '../crypto/index.ts';
export { KeyServiceError, type KeyServiceErrorCode } from '../crypto/index.ts';
export { callbackKeyService, type KeyServiceCallbacks } from './callback-key-service.ts';
export { LocalKeyError, type LocalKeyErrorCode } from './error.ts';
export type { KeyAction, KeyCaller } from './key-authorization.ts';
export type { KeyPolicy, KeyPolicyDocument } from './key-policy.ts';
export { type KmsKeyServiceOptions, kmsKeyService } from './kms-key-service.ts';
export type { LocalKey, LocalKeyRecord } from './local-key.ts';
export {
  type CreateKeyOptions,
  type LocalDataKey,
  LocalKeyService,
  type LocalKeyServiceOptions,
} from './local-key-service.ts';
export { type LocalKeyStore, memoryKeyStore } from './local-key-store.ts';
export { type KmsSdk, type KmsSdkClient, type KmsSdkCommands, sdkKeyService } from './sdk-key-service.ts';
