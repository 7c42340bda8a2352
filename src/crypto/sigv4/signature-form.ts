import {
  type Authorization,
  checkAlgorithm,
  parseAuthorization,
  parseCredential,
  parseSignedHeaders,
} from './authorization.ts';
import { incomplete, invalidSignature, SignatureError } from './error.ts';
import { parseQuery, plainText, type QueryParameter } from './query.ts';
import type { ReceivedRequest } from './signed-request.ts';

/** Where a signature stands: in the `Authorization` header, or in the query of a presigned URL. */
export type SignatureForm = 'header' | 'query';

/** A signature and what belongs to it, wherever it stood. */
export interface FoundSignature {
  readonly authorization: Authorization;
  /** As the client wrote it; `null` for none. */
  readonly amzDate: string | null;
  /** Seconds, of the query form only. */
  readonly expires?: number;
  readonly sessionToken: string | null;
  /** What the client says the body's hash is, unchecked. */
  readonly payloadHash: string | null;
  /** The query as it was signed. */
  readonly parameters: readonly QueryParameter[];
  /** Headers that must be signed in this form. */
  readonly requiredHeaders: readonly string[];
}

/** Whether somebody has put a signature on it, however bad. */
export function isSigned({ headers, url }: Pick<ReceivedRequest, 'headers' | 'url'>): boolean {
  return headers.get('authorization') !== null || isPresigned(parseQuery(url.search));
}

/** @throws {SignatureError} when there is none, more than one, or one that cannot be read */
export function findSignature(
  { headers }: ReceivedRequest,
  parameters: readonly QueryParameter[],
  { forms, signedSessionToken }: { forms: readonly SignatureForm[]; signedSessionToken: boolean },
): FoundSignature {
  const header = headers.get('authorization');
  const presigned = isPresigned(parameters);
  if (header !== null && presigned) {
    throw invalidSignature(
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    );
  }
  if (header && forms.includes('header')) {
    return {
      authorization: parseAuthorization(header),
      amzDate: headers.get('x-amz-date'),
      sessionToken: headers.get('x-amz-security-token'),
      payloadHash: headers.get('x-amz-content-sha256'),
      parameters,
      requiredHeaders: ['host', 'x-amz-date'],
    };
  }
  if (presigned && forms.includes('query')) return readQuery(headers, parameters, signedSessionToken);
  if (header || presigned) {
    const place = header ? 'query' : 'Authorization header';
    throw new SignatureError(
      'MissingAuthenticationTokenException',
      `Missing Authentication Token: this endpoint takes signatures in the ${place} only.`,
    );
  }
  throw new SignatureError('MissingAuthenticationTokenException', 'Missing Authentication Token');
}

function isPresigned(parameters: readonly QueryParameter[]): boolean {
  return parameters.some(([name]) => name === ALGORITHM_NAME || name === SIGNATURE_NAME);
}

function readQuery(
  headers: ReceivedRequest['headers'],
  parameters: readonly QueryParameter[],
  signedSessionToken: boolean,
): FoundSignature {
  const given = readParameters(parameters);
  const missing = REQUIRED.filter((name) => !given.get(name));
  if (missing.length > 0) {
    throw incomplete(
      `${missing.map((name) => `AWS query-string parameters must include '${name}'.`).join(' ')} Re-examine the query-string parameters.`,
    );
  }
  const [algorithm, credential, date, expires, signedHeaders, signature] = REQUIRED.map(
    (name) => given.get(name)!,
  ) as [string, string, string, string, string, string];
  checkAlgorithm(algorithm, 'in the query');
  if (headers.get('x-amz-security-token') !== null) {
    throw incomplete(`A presigned request has its session token in '${TOKEN_NAME}' of the query alone.`);
  }
  const token = given.get(TOKEN_NAME) ?? null;
  const unsigned = signedSessionToken ? [SIGNATURE_NAME] : [SIGNATURE_NAME, TOKEN_NAME];
  return {
    authorization: {
      ...parseCredential(credential),
      signedHeaders: parseSignedHeaders(signedHeaders),
      signature,
    },
    amzDate: date,
    expires: parseExpires(expires),
    sessionToken: token,
    payloadHash: readPayloadHash(headers, given),
    parameters: parameters.filter(([name]) => !unsigned.includes(name)),
    requiredHeaders: ['host'],
  };
}

/** Those of the signature, by their names. In one spelling and once: every reader then reads the same. */
function readParameters(parameters: readonly QueryParameter[]): Map<string, string> {
  const given = new Map<string, string>();
  for (const [name, value] of parameters) {
    const known = PARAMETERS.find((parameter) => parameter.toLowerCase() === name.toLowerCase());
    if (known === undefined) continue;
    const text = plainText(value);
    if (known !== name || given.has(name) || text === undefined) {
      throw incomplete(
        `The query must have '${known}' once, so spelled, and in UTF-8. Re-examine the query-string parameters.`,
      );
    }
    given.set(name, text);
  }
  return given;
}

function parseExpires(text: string): number {
  const seconds = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > MAX_EXPIRES) {
    throw incomplete(
      `'${EXPIRES_NAME}' must be a whole number of seconds from 1 to ${MAX_EXPIRES} (a week).`,
    );
  }
  return seconds;
}

function readPayloadHash(headers: ReceivedRequest['headers'], given: Map<string, string>): string | null {
  const header = headers.get('x-amz-content-sha256');
  const parameter = given.get(PAYLOAD_HASH_NAME);
  if (header !== null && parameter !== undefined && header !== parameter) {
    throw incomplete(`The header and the query do not have the same '${PAYLOAD_HASH_NAME}'. Send one.`);
  }
  return parameter ?? header;
}

/** Seconds: a week, as AWS documents. */
export const MAX_EXPIRES = 604_800;

export const ALGORITHM_NAME = 'X-Amz-Algorithm';
export const EXPIRES_NAME = 'X-Amz-Expires';
export const SIGNATURE_NAME = 'X-Amz-Signature';
export const TOKEN_NAME = 'X-Amz-Security-Token';
export const PAYLOAD_HASH_NAME = 'X-Amz-Content-Sha256';
const REQUIRED = [
  ALGORITHM_NAME,
  'X-Amz-Credential',
  'X-Amz-Date',
  EXPIRES_NAME,
  'X-Amz-SignedHeaders',
  SIGNATURE_NAME,
];
/** The parameters that a presigned URL has for its signature. */
export const PARAMETERS: readonly string[] = [...REQUIRED, TOKEN_NAME, PAYLOAD_HASH_NAME];
