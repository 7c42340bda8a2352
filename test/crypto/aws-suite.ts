import { readFileSync } from 'node:fs';

/** AWS's own SigV4 cases, `test/vectors/sigv4.json`, read into what the tests need. */
export interface SuiteCase {
  readonly name: string;
  readonly context: {
    readonly credentials: {
      readonly access_key_id: string;
      readonly secret_access_key: string;
      readonly token?: string;
    };
    readonly normalize: boolean;
    readonly omit_session_token?: boolean;
    readonly region: string;
    readonly service: string;
    readonly timestamp: string;
  };
  readonly 'header-canonical-request': string;
  readonly 'header-signature': string;
  readonly 'header-signed-request': string;
  readonly 'header-string-to-sign': string;
}

export const suite: readonly SuiteCase[] = JSON.parse(
  readFileSync(new URL('../vectors/sigv4.json', import.meta.url), 'utf8'),
).cases;

/** The lines of a header section, kept apart as they were sent, and joined as SigV4 joins them. */
export class HeaderLines {
  readonly lines: readonly (readonly [string, string])[];

  constructor(lines: readonly (readonly [string, string])[]) {
    this.lines = lines;
  }

  get(name: string): string | null {
    const values = this.lines.filter((line) => line[0].toLowerCase() === name).map((line) => line[1]);
    return values.length > 0 ? values.join(',') : null;
  }
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
      host: headers.get('host')!,
      pathname: at < 0 ? target! : target!.slice(0, at),
      search: at < 0 ? '' : target!.slice(at),
    },
    headers,
    body: new TextEncoder().encode(body),
  };
}
