import { HawserError } from '../../base/error.ts';
import {
  type EncryptionContext,
  KeyServiceError,
  type KeyServiceErrorCode,
} from '../../crypto/kms/key-service.ts';
import { contextText } from './context.ts';

export type EncryptionErrorCode =
  /** The key service gave no key; its `KeyServiceError` is the cause. */
  | KeyServiceErrorCode
  /** The key service, or the client, gave a data key that cannot be one. */
  | 'ERR_ENCRYPTION_KEY'
  /** The session must be encrypted, and this end was given no key service. */
  | 'ERR_ENCRYPTION_NO_KEY_SERVICE'
  /** The same, and this client was not told the target, which belongs into the encryption context. */
  | 'ERR_ENCRYPTION_NO_TARGET'
  /** This end demands encryption, and the other does not offer it. */
  | 'ERR_ENCRYPTION_REQUIRED'
  /** Agent: the client could not encrypt; the message has what it said. */
  | 'ERR_ENCRYPTION_REFUSED'
  /** The agent demands its random challenge in the encryption context, and the client did not put it there. */
  | 'ERR_ENCRYPTION_NO_CHALLENGE'
  /** The encryption challenge was cut short, could not be decrypted, or came back as another one. */
  | 'ERR_ENCRYPTION_CHALLENGE'
  /** The other end encrypts with the half of the data key that is this end's own. */
  | 'ERR_ENCRYPTION_HALVES'
  /** A payload was changed on its way, or is not encrypted at all. */
  | 'ERR_ENCRYPTION_PAYLOAD'
  /** This end's own platform cannot encrypt. */
  | 'ERR_ENCRYPTION_CIPHER'
  /** A payload came a second time, as another message. */
  | 'ERR_ENCRYPTION_REPLAY';

/** A session that must be encrypted cannot be, or is no longer safe. It ends. Carries no key and no session data. */
export class EncryptionError extends HawserError {
  declare readonly code: EncryptionErrorCode;

  constructor(code: EncryptionErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** What a step of the handshake failed with, naming the encryption context, as the policies of KMS keys do. */
export function inContext(error: Error, context: EncryptionContext): EncryptionError {
  const known = error instanceof KeyServiceError || error instanceof EncryptionError;
  const code = known ? error.code : 'ERR_KEY_SERVICE';
  return new EncryptionError(code, `${error.message} (${contextText(context)})`, { cause: error });
}
