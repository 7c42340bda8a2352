import { incomplete } from './error.ts';

/** What a signature comes with, in the `Authorization` header as in the query. */
export interface Authorization {
  readonly accessKeyId: string;
  /** The scope, as far as the client says; none of it is checked yet. */
  readonly scope: CredentialScope;
  /** Lower-case, ascending, no name twice. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** What a signing key is good for. */
export interface CredentialScope {
  /** `yyyymmdd` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** Always `aws4_request` in a good request. */
  readonly terminator: string;
}

export const ALGORITHM = 'AWS4-HMAC-SHA256';
export const TERMINATOR = 'aws4_request';

/** Characters of an `Authorization` header at most. Real ones have about 300. */
export const MAX_AUTHORIZATION_LENGTH = 8192;
/** Signed headers at most. Real clients sign up to about 12. */
export const MAX_SIGNED_HEADERS = 64;

/**
 * Takes `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…` apart.
 *
 * @throws {SignatureError} `IncompleteSignatureException`
 */
export function parseAuthorization(header: string): Authorization {
  if (header.length > MAX_AUTHORIZATION_LENGTH) {
    throw incomplete(`Authorization header is longer than ${MAX_AUTHORIZATION_LENGTH} characters.`);
  }
  const [scheme, parameterText] = /^(\S+)[ \t]+(.*)$/.exec(header)?.slice(1) ?? [header, ''];
  checkAlgorithm(scheme!, 'in the Authorization header');
  const parameters = parseParameters(parameterText!);
  return {
    ...parseCredential(parameters.Credential),
    signedHeaders: parseSignedHeaders(parameters.SignedHeaders),
    signature: parameters.Signature,
  };
}

/**
 * @param where the place, for the message
 * @throws {SignatureError} `IncompleteSignatureException`
 */
export function checkAlgorithm(algorithm: string, where: string): void {
  if (algorithm === SIGV4A) {
    throw incomplete(
      `Signature Version 4A (${SIGV4A}) ${where} is not taken here: its keys are good for any region. Sign with ${ALGORITHM} for this one.`,
    );
  }
  if (algorithm !== ALGORITHM) throw incomplete(`Unsupported algorithm ${where}. Sign with ${ALGORITHM}.`);
}

const SIGV4A = 'AWS4-ECDSA-P256-SHA256';

type Parameters = Record<(typeof PARAMETERS)[number], string>;

const PARAMETERS = ['Credential', 'SignedHeaders', 'Signature'] as const;

function parseParameters(text: string): Parameters {
  const found = new Map<string, string>();
  for (const parameter of text.split(',')) {
    const at = parameter.indexOf('=');
    const name = parameter.slice(0, Math.max(at, 0)).trim();
    if (at < 0 || found.has(name)) {
      throw incomplete(
        `Authorization header must have ${PARAMETERS.join(', ')}, each once, separated by commas.`,
      );
    }
    found.set(name, parameter.slice(at + 1).trim());
  }
  const missing = PARAMETERS.filter((name) => !found.get(name));
  if (missing.length > 0) {
    throw incomplete(missing.map((name) => `Authorization header requires '${name}' parameter.`).join(' '));
  }
  if (found.size > PARAMETERS.length) {
    throw incomplete(`Authorization header has a parameter that is none of ${PARAMETERS.join(', ')}.`);
  }
  return Object.fromEntries(found) as Parameters;
}

/** @throws {SignatureError} `IncompleteSignatureException` */
export function parseCredential(text: string): Pick<Authorization, 'accessKeyId' | 'scope'> {
  const match = /^([\w-]{1,128})\/(\d{8})\/([\w-]{1,64})\/([\w.-]{1,64})\/(\w{1,64})$/.exec(text);
  if (!match) {
    throw incomplete(
      `Credential must have exactly 5 slash-delimited elements, <access-key-id>/<yyyymmdd>/<region>/<service>/${TERMINATOR}.`,
    );
  }
  const [accessKeyId, date, region, service, terminator] = match.slice(1) as [
    string,
    string,
    string,
    string,
    string,
  ];
  return { accessKeyId, scope: { date, region, service, terminator } };
}

/** @throws {SignatureError} `IncompleteSignatureException` */
export function parseSignedHeaders(text: string): string[] {
  const names = text.split(';');
  if (names.length > MAX_SIGNED_HEADERS) {
    throw incomplete(`SignedHeaders lists more than ${MAX_SIGNED_HEADERS} headers.`);
  }
  names.forEach((name, index) => {
    // One order and one spelling, so that one list has one meaning.
    if (!HEADER_NAME.test(name) || (index > 0 && names[index - 1]! >= name)) {
      throw incomplete(
        'SignedHeaders must be header names in lower case and in ascending order, no name twice, separated by semicolons.',
      );
    }
  });
  return names;
}

const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
