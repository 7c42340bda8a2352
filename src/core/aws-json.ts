import { concat, fromUtf8, utf8 } from '../base/encoding.ts';
import { backoff } from './backoff.ts';
import { orAborted, sleep, withDeadline } from './deadline.ts';
import { TransportError } from './errors.ts';
import type { Platform } from './platform.ts';
import type { RequestSigner } from './request-signer.ts';
import { ServiceClock } from './service-clock.ts';
import { CredentialsRefusedError, ServiceError, serviceError, ThrottledError } from './service-error.ts';

export interface AwsJsonOptions {
  readonly platform: Platform;
  readonly endpoint: URL;
  readonly signer: RequestSigner;
  /** Before the name of an operation in `X-Amz-Target`. Default `AmazonSSM`. */
  readonly targetPrefix?: string | undefined;
  /** One that is shared corrects for all that sign by it. Default: one of its own. */
  readonly serviceClock?: ServiceClock | undefined;
  /** Milliseconds for one try. Default 15,000. */
  readonly requestTimeout?: number | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Tries in all. Default 3. */
  readonly attempts?: number;
  /**
   * Whether a call that may have been carried out can be made again without harm. When false, only refusals
   * and requests that never left are tried again, and a request under way is not cut short by `signal`.
   * Default true.
   */
  readonly idempotent?: boolean;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Calls of an API of AWS JSON 1.1 (CONTROL-PLANE.md section 1), by default `ssm`. Throttling, server errors and
 * network errors are tried again with full jitter, with credentials asked for afresh.
 */
export class AwsJson {
  readonly #options: AwsJsonOptions;
  readonly #serviceClock: ServiceClock;
  /** Refusals that came of a clock which has been corrected since. */
  readonly #cured = new WeakSet<Error>();

  constructor(options: AwsJsonOptions) {
    this.#options = options;
    this.#serviceClock = options.serviceClock ?? new ServiceClock(options.platform.clock);
  }

  /**
   * @throws {ServiceError} what the service answered
   * @throws {TransportError} when there is no answer, or none that can be read
   * @throws {CredentialsError} when there are no credentials to sign with
   */
  async call(operation: string, input: JsonObject, options: CallOptions = {}): Promise<JsonObject> {
    const { signal, attempts = 3, idempotent = true } = options;
    const { clock, random } = this.#options.platform;
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        return await this.#try(operation, input, idempotent ? signal : undefined);
      } catch (error) {
        if (attempt >= attempts || !this.#isRetryable(error, idempotent)) throw error;
      }
      await sleep(clock, backoff(random, attempt, RETRY_BASE, RETRY_CAP), signal);
    }
  }

  async #try(operation: string, input: JsonObject, signal: AbortSignal | undefined): Promise<JsonObject> {
    const { platform, requestTimeout = 15_000 } = this.#options;
    const timedOut = () =>
      new TransportError(
        'ERR_REQUEST_TIMEOUT',
        `${this.#options.endpoint.host} did not answer ${operation} within ${requestTimeout} ms.`,
      );
    return withDeadline(platform.clock, requestTimeout, signal, timedOut, async (signal) => {
      const request = await this.#request(operation, input, signal);
      const response = await this.#fetch(request, operation);
      const text = await this.#read(response, operation);
      if (response.status !== 200) throw this.#refusal(response, text, operation);
      const json = parse(text);
      if (json) return json;
      throw new TransportError(
        'ERR_RESPONSE_UNREADABLE',
        `${this.#options.endpoint.host} answered ${operation} with something that is not a JSON object. Is it the right endpoint, or a proxy?`,
      );
    });
  }

  async #request(operation: string, input: JsonObject, signal: AbortSignal): Promise<Request> {
    const { endpoint, signer, targetPrefix = 'AmazonSSM' } = this.#options;
    const body = utf8(JSON.stringify(input));
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `${targetPrefix}.${operation}`,
    };
    const signed = await orAborted(
      signer.sign({ method: 'POST', url: endpoint, headers, body }, () => this.#serviceClock.now()),
      signal,
    );
    const { host: _, ...sent } = signed; // which the HTTP client writes itself
    // A redirect would carry the signature elsewhere. `manual`, since not every runtime knows `error`.
    return new Request(endpoint, {
      method: 'POST',
      headers: sent,
      body: body as Uint8Array<ArrayBuffer>,
      redirect: 'manual',
      signal,
    });
  }

  async #fetch(request: Request, operation: string): Promise<Response> {
    try {
      return await this.#options.platform.transport.fetch(request);
    } catch (cause) {
      throw new TransportError(
        'ERR_REQUEST_FAILED',
        `${operation} could not be sent to ${this.#options.endpoint.host}, or the answer was lost.`,
        { cause },
      );
    }
  }

  async #read(response: Response, operation: string): Promise<string> {
    const { host } = this.#options.endpoint;
    const tooLarge = () =>
      new TransportError(
        'ERR_RESPONSE_TOO_LARGE',
        `${host} answered ${operation} with more than ${MAX_RESPONSE} bytes.`,
      );
    try {
      return await readText(response, tooLarge);
    } catch (cause) {
      if (cause instanceof TransportError) throw cause;
      throw new TransportError('ERR_REQUEST_FAILED', `The answer of ${host} to ${operation} broke off.`, {
        cause,
      });
    }
  }

  #refusal(response: Response, body: string, operation: string): ServiceError {
    const json = parse(body) ?? {};
    const error = serviceError({
      operation,
      type: errorType(response.headers.get('x-amzn-errortype') ?? json.__type),
      statusCode: response.status,
      requestId: response.headers.get('x-amzn-requestid') ?? undefined,
      text: firstLine(json.message ?? json.Message),
    });
    if (error instanceof CredentialsRefusedError) {
      // A signature made at another time than the service's is refused; the answer says what time that is.
      if (this.#serviceClock.correct(response)) this.#cured.add(error);
      else this.#options.signer.refused?.();
    }
    return error;
  }

  #isRetryable(error: unknown, idempotent: boolean): boolean {
    if (error instanceof ThrottledError) return true;
    if (error instanceof ServiceError) {
      return error.statusCode === 503 || (idempotent && error.statusCode >= 500) || this.#cured.has(error);
    }
    if (!(error instanceof TransportError)) return false;
    if (error.code === 'ERR_REQUEST_FAILED') {
      return idempotent ? !hasCode(error, CERTIFICATE) : hasCode(error, NO_CONNECTION);
    }
    return error.code === 'ERR_REQUEST_TIMEOUT' && idempotent;
  }
}

const RETRY_BASE = 200;
const RETRY_CAP = 5_000;
/** Bytes; 200 session descriptions, the largest answer there is, stay well below. */
const MAX_RESPONSE = 4 * 1024 * 1024;

/** `com.amazonaws.ssm#X` and `X:http://internal.amazon.com/` both mean `X`. */
function errorType(text: unknown): string {
  const type = typeof text === 'string' ? text.replace(/:.*$/s, '').replace(/^.*#/s, '') : '';
  return /^[\w.-]{1,128}$/.test(type) ? type : 'UnknownError';
}

/** The lines after the first can quote the signed request, and with it the session token. */
function firstLine(text: unknown): string | undefined {
  return typeof text === 'string'
    ? text
        .trim()
        .split(/[\r\n]/, 1)[0]
        ?.slice(0, 1000)
    : undefined;
}

function parse(text: string): JsonObject | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}

async function readText(response: Response, tooLarge: () => Error): Promise<string> {
  if (!response.body) return '';
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > MAX_RESPONSE) {
      reader.cancel().catch(() => {});
      throw tooLarge();
    }
    parts.push(value);
  }
  return parts.length === 1 ? fromUtf8(parts[0]!) : fromUtf8(concat(parts));
}

/** Whether the runtime gave one of these as the reason. Browsers give none. */
function hasCode(error: unknown, codes: RegExp): boolean {
  for (let depth = 0; error instanceof Error && depth < 5; depth++) {
    if ('code' in error && codes.test(String(error.code))) return true;
    error = error.cause;
  }
  return false;
}

/** There was not even a connection. */
const NO_CONNECTION =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused)$/;
/** The service's certificate is not trusted, which does not pass. */
const CERTIFICATE = /SELF_SIGNED_CERT|^UNABLE_TO_(VERIFY_LEAF|GET_ISSUER)|^ERR_TLS_CERT_ALTNAME_INVALID$/;
