import { base64, fromBase64 } from '../../base/encoding.ts';
import { MAX_CIPHERTEXT_LENGTH } from '../../crypto/kms/key-service.ts';
import { MessageError } from '../error.ts';
import {
  asObject,
  type JsonObject,
  own,
  readJson,
  readOptionalString,
  readString,
  writeJson,
} from './json.ts';

/** Parameters of the `KMSEncryption` action (PROTOCOL.md section 7). */
export interface KmsEncryptionRequest {
  readonly keyId: string;
  /** 16 random bytes in base64 that belong into the encryption context; older agents send none. */
  readonly challenge?: string | undefined;
}

/** Result of the `KMSEncryption` action. */
export interface KmsEncryptionResponse {
  readonly ciphertextKey: Uint8Array;
  /** Whether the challenge is in the encryption context. */
  readonly challengeAcknowledgement: boolean;
}

/** @throws {MessageError} also for what is too long for KMS */
export function parseKmsEncryptionRequest(actionParameters: unknown): KmsEncryptionRequest {
  const json = asObject(actionParameters, WHAT_IS_ASKED);
  const challenge = readOptionalString(json, 'Challenge', WHAT_IS_ASKED);
  const keyId = readString(json, 'KMSKeyId', WHAT_IS_ASKED);
  if (keyId.length > MAX_KEY_ID || challenge.length > MAX_CHALLENGE) {
    throw new MessageError('ERR_MESSAGE_PAYLOAD', `${WHAT_IS_ASKED} are longer than KMS takes.`);
  }
  return { keyId, ...(challenge !== '' && { challenge }) };
}

export function kmsEncryptionRequest({ keyId, challenge }: KmsEncryptionRequest): object {
  return { KMSKeyId: keyId, ...(challenge !== undefined && { Challenge: challenge }) };
}

/** @returns undefined for what holds no data key */
export function parseKmsEncryptionResponse(actionResult: unknown): KmsEncryptionResponse | undefined {
  if (typeof actionResult !== 'object' || actionResult === null) return undefined;
  const json = actionResult as JsonObject;
  const text = own(json, 'KMSCipherTextKey');
  const ciphertextKey = typeof text === 'string' ? fromBase64(text) : undefined;
  if (!ciphertextKey || ciphertextKey.length === 0 || ciphertextKey.length > MAX_CIPHERTEXT_LENGTH)
    return undefined;
  return { ciphertextKey, challengeAcknowledgement: own(json, 'ChallengeAcknowledgement') === true };
}

export function kmsEncryptionResponse(response: KmsEncryptionResponse): object {
  return {
    KMSCipherTextKey: base64(response.ciphertextKey),
    KMSCipherTextHash: null,
    ...(response.challengeAcknowledgement && { ChallengeAcknowledgement: true }),
  };
}

/** Payload of `EncChallengeRequest` and `EncChallengeResponse`: the encrypted challenge. @throws {MessageError} */
export function parseEncryptionChallenge(payload: Uint8Array): Uint8Array {
  const challenge = readString(readJson(payload, CHALLENGE), 'Challenge', CHALLENGE);
  return fromBase64(challenge) ?? new Uint8Array(0);
}

export function formatEncryptionChallenge(sealed: Uint8Array): Uint8Array {
  return writeJson({ Challenge: base64(sealed) });
}

/** Characters: what KMS takes (API reference, GenerateDataKey). */
const MAX_KEY_ID = 2_048;
/** Characters, of which real ones have 24. An encryption context may have 8,192 in all. */
const MAX_CHALLENGE = 1_024;

const WHAT_IS_ASKED = 'the parameters of KMSEncryption';
const CHALLENGE = 'the encryption challenge';
