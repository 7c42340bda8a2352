import { readFileSync } from 'node:fs';
import { HeaderLines } from '../../src/crypto/index.ts';

/** AWS's own SigV4 cases, `test/vectors/sigv4.json`, read into what the tests need. */
export interface SuiteCase {
  readonly name: string;
  readonly context: {
    readonly credentials: {
      readonly access_key_id: string;
      readonly secret_access_key: string;
      readonly token?: string;
    };
    readonly expiration_in_seconds: number;
    readonly normalize: boolean;
    readonly omit_session_token?: boolean;
    readonly region: string;
    readonly service: string;
    readonly timestamp: string;
  };
  /** Before it is signed. */
  readonly request: string;
  readonly header: SuiteForm;
  readonly query: SuiteForm;
}

/** What AWS states for one form of a case. */
export interface SuiteForm {
  readonly canonicalRequest: string;
  readonly stringToSign: string;
  readonly signature: string;
  readonly signedRequest: string;
}

export const suite: readonly SuiteCase[] = JSON.parse(
  readFileSync(new URL('../vectors/sigv4.json', import.meta.url), 'utf8'),
).cases.map((entry: Record<string, string>) => ({
  ...entry,
  header: formOf(entry, 'header'),
  query: formOf(entry, 'query'),
}));

function formOf(entry: Record<string, string>, form: string): SuiteForm {
  return {
    canonicalRequest: entry[`${form}-canonical-request`]!,
    stringToSign: entry[`${form}-string-to-sign`]!,
    signature: entry[`${form}-signature`]!,
    signedRequest: entry[`${form}-signed-request`]!,
  };
}

/** Reads the text of an HTTP/1.1 request, folded header lines included. */
export function parseHttp(text: string) {
  const end = text.indexOf('\n\n');
  const [head, body] = end < 0 ? [text.trimEnd(), ''] : [text.slice(0, end), text.slice(end + 2)];
  const [requestLine, ...rest] = head.split(/\n(?! )/);
  const [, method, target] = /^(\S+) (.*) HTTP\/1\.1$/.exec(requestLine!)!;
  const at = target!.indexOf('?');
  const lines = rest.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1)];
  });
  const headers = new HeaderLines(lines);
  return {
    method: method!,
    // As it was sent: a `URL` would already have resolved `..` and encoded spaces.
    url: {
      protocol: 'https:',
      host: headers.get('host')!,
      pathname: at < 0 ? target! : target!.slice(0, at),
      search: at < 0 ? '' : target!.slice(at),
    },
    lines,
    headers,
    body: new TextEncoder().encode(body),
  };
}
