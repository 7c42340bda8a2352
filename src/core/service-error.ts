import { HawserError } from '../base/error.ts';

/** What the service said, and to which call. */
export interface ServiceErrorDetails {
  /** The API call, for example `StartSession`. */
  readonly operation: string;
  /** The service's own name of the error, for example `TargetNotConnected`. */
  readonly type: string;
  readonly statusCode: number;
  /** What AWS support asks for. */
  readonly requestId?: string | undefined;
  /** The service's text. Often empty. */
  readonly text?: string | undefined;
}

/**
 * An error that the service answered (CONTROL-PLANE.md sections 1.3 and 1.4). The errors that programs tell
 * apart have classes of their own; for the others look at `type`.
 */
export class ServiceError extends HawserError {
  readonly operation: string;
  /** The service's own name of the error, for example `TargetNotConnected`: the `name` that AWS's SDK gives it. */
  readonly type: string;
  readonly statusCode: number;
  readonly requestId: string | undefined;

  constructor(details: ServiceErrorDetails, code = 'ERR_SERVICE', advice = '') {
    super(code, describe(details, advice));
    this.operation = details.operation;
    this.type = details.type;
    this.statusCode = details.statusCode;
    this.requestId = details.requestId;
  }
}

/** The node's agent has no connection to the service, or there is no such node in this account and region. */
export class TargetNotConnectedError extends ServiceError {
  constructor(details: ServiceErrorDetails) {
    super(
      details,
      'ERR_TARGET_NOT_CONNECTED',
      'Check the target, the region, and that the agent on the node is running and can reach the service.',
    );
  }
}

/** The caller is known, and not allowed to do this. */
export class AccessDeniedError extends ServiceError {
  constructor(details: ServiceErrorDetails) {
    super(details, 'ERR_ACCESS_DENIED');
  }
}

/** The service does not accept the credentials: unknown, expired, or not those of the signature. */
export class CredentialsRefusedError extends ServiceError {
  constructor(details: ServiceErrorDetails) {
    super(
      details,
      'ERR_CREDENTIALS_REFUSED',
      "Check the credentials, their expiry and this machine's clock.",
    );
  }
}

/** There is no such session, or there is none any more. */
export class SessionNotFoundError extends ServiceError {
  constructor(details: ServiceErrorDetails) {
    super(details, 'ERR_SESSION_NOT_FOUND');
  }
}

/** There is no such session document, or it is of another type. */
export class InvalidDocumentError extends ServiceError {
  constructor(details: ServiceErrorDetails) {
    super(details, 'ERR_DOCUMENT_INVALID');
  }
}

/** The session document declares other parameters, or does not allow these values. */
export class InvalidParametersError extends ServiceError {
  constructor(details: ServiceErrorDetails) {
    super(details, 'ERR_PARAMETERS_INVALID');
  }
}

/** Too many calls, also after the retries. */
export class ThrottledError extends ServiceError {
  constructor(details: ServiceErrorDetails) {
    super(details, 'ERR_THROTTLED', 'Call less often.');
  }
}

/** The activation cannot be used: id and code do not belong together, it has expired, or it is used up. */
export class InvalidActivationError extends ServiceError {
  constructor(details: ServiceErrorDetails) {
    super(
      details,
      'ERR_ACTIVATION_INVALID',
      'Check its id, its code and the region. An activation expires, and registers only so many nodes: create another one if need be.',
    );
  }
}

/** The node is registered as another machine than the one that calls. */
export class FingerprintError extends ServiceError {
  constructor(details: ServiceErrorDetails) {
    super(
      details,
      'ERR_FINGERPRINT',
      'The identity of a node is good for one machine: was it copied? Register this machine with an activation of its own.',
    );
  }
}

type ServiceErrorClass = new (details: ServiceErrorDetails) => ServiceError;

const CLASSES: ReadonlyMap<string, ServiceErrorClass> = new Map<string, ServiceErrorClass>([
  ['TargetNotConnected', TargetNotConnectedError],
  ['TargetNotConnectedException', TargetNotConnectedError],
  ['AccessDeniedException', AccessDeniedError],
  ['AccessDenied', AccessDeniedError],
  ['UnrecognizedClientException', CredentialsRefusedError],
  ['InvalidSignatureException', CredentialsRefusedError],
  ['MissingAuthenticationTokenException', CredentialsRefusedError],
  ['IncompleteSignatureException', CredentialsRefusedError],
  ['InvalidClientTokenId', CredentialsRefusedError],
  ['ExpiredTokenException', CredentialsRefusedError],
  ['ExpiredToken', CredentialsRefusedError],
  ['RequestExpired', CredentialsRefusedError],
  ['RequestTimeTooSkewed', CredentialsRefusedError],
  ['SignatureDoesNotMatch', CredentialsRefusedError],
  ['DoesNotExistException', SessionNotFoundError],
  ['InvalidDocument', InvalidDocumentError],
  ['InvalidParameters', InvalidParametersError],
  ['InvalidActivation', InvalidActivationError],
  ['InvalidActivationId', InvalidActivationError],
  ['MachineFingerprintDoesNotMatch', FingerprintError],
  ['Throttling', ThrottledError],
  ['ThrottlingException', ThrottledError],
  ['ThrottledException', ThrottledError],
  ['RequestThrottledException', ThrottledError],
  ['TooManyRequestsException', ThrottledError],
  ['TooManyUpdates', ThrottledError],
]);

export function serviceError(details: ServiceErrorDetails): ServiceError {
  return new (CLASSES.get(details.type) ?? ServiceError)(details);
}

function describe(
  { operation, type, statusCode, requestId, text }: ServiceErrorDetails,
  advice: string,
): string {
  const said = text ? `${type}: ${text}` : type;
  const sentence = /[.!?]$/.test(said) ? said : `${said}.`;
  const reference = requestId ? ` Request ${requestId}.` : '';
  return `${operation} was refused with ${sentence}${advice && ` ${advice}`} (Status ${statusCode}.${reference})`;
}
