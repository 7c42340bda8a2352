import { HawserError } from '../base/error.ts';

export type TransportErrorCode =
  /** The request could not be sent, or its answer not be read. */
  | 'ERR_REQUEST_FAILED'
  | 'ERR_REQUEST_TIMEOUT'
  | 'ERR_RESPONSE_TOO_LARGE'
  /** The answer is not what AWS JSON 1.1 answers. */
  | 'ERR_RESPONSE_UNREADABLE'
  | 'ERR_CONNECT_FAILED'
  | 'ERR_CONNECT_TIMEOUT'
  /** The server answered the WebSocket upgrade with an HTTP status. */
  | 'ERR_UPGRADE_REFUSED';

/** The network, or whatever stands between, did not do its part. `cause` holds the runtime's own error. */
export class TransportError extends HawserError {
  declare readonly code: TransportErrorCode;

  constructor(code: TransportErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

export type EndpointErrorCode =
  | 'ERR_REGION_INVALID'
  | 'ERR_ENDPOINT_INVALID'
  /** `http:` or `ws:` to a host that is not this machine. */
  | 'ERR_ENDPOINT_INSECURE'
  /** A stream URL that leads to a host nobody vouched for. */
  | 'ERR_STREAM_URL_REFUSED';

/** An address that hawser will not send credentials or tokens to. */
export class EndpointError extends HawserError {
  declare readonly code: EndpointErrorCode;

  constructor(code: EndpointErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

export type SessionErrorCode =
  /** The session is over; nothing more can be written. */
  | 'ERR_SESSION_ENDED'
  /** The connection could not be resumed within the resume budget. */
  | 'ERR_SESSION_LOST'
  /** What was asked makes no sense for this session, for example a terminal of no size. */
  | 'ERR_SESSION_ARGUMENT'
  /** The socket below the session broke. Only seen as `error` of `reconnecting`, or as a cause. */
  | 'ERR_SOCKET_CLOSED'
  /** Nothing came through the socket for longer than a living peer is silent. Seen where `ERR_SOCKET_CLOSED` is. */
  | 'ERR_SOCKET_SILENT';

export class SessionError extends HawserError {
  declare readonly code: SessionErrorCode;

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
