import { HawserError } from '../../base/error.ts';
import { EndpointError } from '../../core/errors.ts';
import {
  AccessDeniedError,
  CredentialsRefusedError,
  FingerprintError,
  InvalidActivationError,
  ServiceError,
} from '../../core/service-error.ts';
import { CredentialsError } from '../../crypto/credentials.ts';
import { isUntrusted } from '../certificates.ts';

/** Ends the program with a line and a status. */
export class ProgramError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Exit status: 78 (`EX_CONFIG`) for what a restart cannot help, so that a service manager can leave it be. */
export function statusOf(error: unknown): number {
  if (error instanceof ProgramError) return error.status;
  const cause = error instanceof CredentialsError ? error.cause : error;
  if (HOPELESS.some((type) => cause instanceof type)) return 78;
  if (cause instanceof ServiceError) return cause.type === 'InvalidInstanceId' ? 78 : 1;
  return cause instanceof HawserError && HOPELESS_CODES.has(cause.code) ? 78 : 1;
}

/** An error and what it came from, in one line. */
export function explain(error: unknown): string {
  const texts: string[] = [];
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const text = cause.message || ((cause as NodeJS.ErrnoException).code ?? cause.name);
    if (!texts.some((other) => other.includes(text))) texts.push(text);
    if (isUntrusted(cause)) texts.push(TRUST);
  }
  return oneLine(texts.join(' ← '));
}

/** Whatever came from elsewhere makes no line, and no terminal sequence, of its own. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

const HOPELESS = [
  AccessDeniedError,
  CredentialsRefusedError,
  EndpointError,
  FingerprintError,
  InvalidActivationError,
];

const HOPELESS_CODES: ReadonlySet<string> = new Set([
  'ERR_AGENT_REFUSED',
  'ERR_IDENTITY_MISSING',
  'ERR_IDENTITY_MODE',
  'ERR_IDENTITY_UNREADABLE',
]);

const TRUST = 'A CA of your own is trusted with NODE_EXTRA_CA_CERTS=/path/to/ca.pem';
