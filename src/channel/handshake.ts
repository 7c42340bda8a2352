import type { HawserError } from '../base/error.ts';
import type { DataKey } from '../crypto/kms/key-service.ts';
import type { DataChannelOptions } from './data-channel-options.ts';
import { EncryptionError } from './encryption/error.ts';
import { PayloadEncryption } from './encryption/payload-encryption.ts';
import type { EncryptionStage } from './encryption/stage.ts';
import { MessageError } from './error.ts';
import type { DataKeyEvent, ReadyEvent } from './events.ts';
import type { SendQueue } from './send-queue.ts';

/** The handshake of one end, and the start of the encryption that it may lead to (PROTOCOL.md sections 7 and 8). */
export interface Handshake {
  /** Whether it has begun: data waits until it is complete. */
  readonly begun: boolean;
  /** Whether the session is to be encrypted. */
  readonly encrypts: boolean;
  /** When {@link handleTimeout} has something to do. */
  readonly deadline: number | undefined;
  handleTimeout(now: number): void;
  /** @returns whether the payload was one of the handshake @throws {MessageError} */
  handlePayload(payloadType: number, payload: Uint8Array, now: number): boolean;
  /** The data key that was asked for. Its plaintext is not used afterwards. */
  handleDataKey(dataKey: Pick<DataKey, 'plaintext'> & Partial<DataKey>, now: number): void;
  /** There is none. */
  handleDataKeyError(error: Error): void;
}

/** What a handshake needs of its channel. */
export interface HandshakeParts {
  readonly options: DataChannelOptions;
  readonly queue: SendQueue;
  readonly stage: EncryptionStage;
  /** Whether application data flows. */
  readonly isReady: () => boolean;
  readonly complete: (event: ReadyEvent) => void;
  /** Asks the driver for a data key. */
  readonly request: (event: DataKeyEvent) => void;
  readonly fail: (error: HawserError) => void;
}

/** Encrypts from now on. @throws {EncryptionError} @throws {HawserError} `ERR_NO_AES_GCM` */
export function startEncryption({ options, stage }: HandshakeParts, dataKey: Uint8Array): void {
  const { role, encryption } = options;
  if (!encryption) throw noKeyService(role);
  const { aesGcm, randomBytes } = encryption;
  stage.start(new PayloadEncryption({ role, dataKey, aesGcm, randomBytes }));
}

export function noKeyService(who: 'client' | 'agent'): EncryptionError {
  return new EncryptionError(
    'ERR_ENCRYPTION_NO_KEY_SERVICE',
    `The session must be encrypted with AWS KMS, and this ${who} was given no key service: it ends rather than go on in the clear.`,
  );
}

/** Of a challenge that could not be decrypted. Whoever has the halves mixed up shows it here first. */
export function spoiltChallenge(error?: EncryptionError): EncryptionError {
  if (error && error.code !== 'ERR_ENCRYPTION_PAYLOAD') return error;
  return new EncryptionError(
    'ERR_ENCRYPTION_CHALLENGE',
    'The encryption challenge was cut short or changed on its way, or the other end has another data key.',
    { cause: error },
  );
}

export function unexpected(what: string): MessageError {
  return new MessageError('ERR_MESSAGE_PAYLOAD', `${what} has no place here.`);
}

/** Bytes of the challenge in the clear. */
export const CHALLENGE_LENGTH = 64;
