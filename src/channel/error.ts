import { HawserError } from '../base/error.ts';

export type MessageErrorCode =
  /** Shorter than its header, or a length field that disagrees with the bytes there. */
  | 'ERR_MESSAGE_LENGTH'
  /** HeaderLength other than 112 or 116. */
  | 'ERR_MESSAGE_HEADER'
  /** A header field outside its range. */
  | 'ERR_MESSAGE_FIELD'
  /** The payload is not what its SHA-256 digest says. */
  | 'ERR_MESSAGE_DIGEST'
  /** The payload cannot be read as what its type promises. */
  | 'ERR_MESSAGE_PAYLOAD';

/** An AgentMessage, or the payload of one, that cannot be read or written. The only error of the codec. */
export class MessageError extends HawserError {
  declare readonly code: MessageErrorCode;

  constructor(code: MessageErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
