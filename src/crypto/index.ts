/** Credentials, SHA-256 of payloads, and AWS Signature Version 4 on both ends, of users and of hybrid nodes. */

export type { AesGcm, AesGcmKey, SyncCiphers } from './aes-gcm.ts';
export { syncAesGcm, webCryptoAesGcm } from './aes-gcm.ts';
export type { CredentialProvider, CredentialProviderOptions, Credentials } from './credentials.ts';
export { CredentialsError, resolveCredentials } from './credentials.ts';
export type { PayloadDigest } from './digest.ts';
export { payloadDigest, sha256Digest } from './digest.ts';
export type {
  DataKey,
  DecryptCall,
  EncryptionContext,
  KeyService,
  KeyServiceCall,
  KeyServiceErrorCode,
} from './kms/key-service.ts';
export { KeyServiceError } from './kms/key-service.ts';
export type { RsaPublicKey } from './rsa/public-key.ts';
export { parseRsaPublicKey } from './rsa/public-key.ts';
export type { PathEncoding } from './sigv4/canonical-request.ts';
export type { SignatureErrorCode } from './sigv4/error.ts';
export { SignatureError } from './sigv4/error.ts';
export { HeaderLines } from './sigv4/header-lines.ts';
export type { NodeKey, NodeSignatureVerifierOptions, NodeSignOptions } from './sigv4/node-signature.ts';
export { NodeSignatureVerifier, signWithNodeKey } from './sigv4/node-signature.ts';
export type { PresignOptions } from './sigv4/presign.ts';
export { presignRequest } from './sigv4/presign.ts';
export { signRequest } from './sigv4/sign.ts';
export type { SignableRequest, SignOptions } from './sigv4/signable-request.ts';
export type { SignatureForm } from './sigv4/signature-form.ts';
export { isSigned } from './sigv4/signature-form.ts';
export type { ExpectedScope, ReceivedRequest } from './sigv4/signed-request.ts';
export type { KeyRecord, SignatureVerifierOptions } from './sigv4/verify.ts';
export { SignatureVerifier } from './sigv4/verify.ts';
