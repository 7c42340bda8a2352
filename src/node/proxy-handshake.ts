import type { Destination } from '../agent/port/dialer.ts';

/** What a proxy's client asks for, as far as it has said. */
export type ProxyRequest =
  /** Not all has come. `reply` is to be sent first. */
  | { readonly type: 'more'; readonly reply?: Uint8Array }
  | {
      readonly type: 'connect';
      readonly destination: Required<Destination> & { readonly host: string };
      /** What came behind the request. */
      readonly rest: Uint8Array;
      readonly accepted: Uint8Array;
      readonly refused: Uint8Array;
    }
  /** It cannot be served. */
  | { readonly type: 'refused'; readonly reply: Uint8Array };

/**
 * The beginning of a proxied connection: SOCKS5 without authentication (RFC 1928) or HTTP's CONNECT (RFC 9110, section
 * 9.3.6), told apart by the first byte. Bytes go in, what to do comes out.
 */
export class ProxyHandshake {
  #bytes: Uint8Array = new Uint8Array();
  #greeted = false;

  push(bytes: Uint8Array): ProxyRequest {
    const all = new Uint8Array(this.#bytes.length + bytes.length);
    all.set(this.#bytes);
    all.set(bytes, this.#bytes.length);
    this.#bytes = all;
    if (all.length === 0) return { type: 'more' };
    return this.#greeted || all[0] === SOCKS_VERSION ? this.#readSocks() : this.#readHttp();
  }

  #readSocks(): ProxyRequest {
    if (this.#greeted) return readSocksRequest(this.#bytes);
    const methods = this.#bytes[1];
    if (methods === undefined || this.#bytes.length < 2 + methods) return { type: 'more' };
    if (!this.#bytes.subarray(2, 2 + methods).includes(NO_AUTHENTICATION)) {
      return { type: 'refused', reply: Uint8Array.of(SOCKS_VERSION, NO_ACCEPTABLE_METHOD) };
    }
    this.#greeted = true;
    this.#bytes = this.#bytes.subarray(2 + methods);
    const next = this.#bytes.length > 0 ? readSocksRequest(this.#bytes) : ({ type: 'more' } as const);
    const reply = Uint8Array.of(SOCKS_VERSION, NO_AUTHENTICATION);
    // A client that does not wait for the answer to its greeting gets both answers at once.
    if (next.type === 'more') return { type: 'more', reply };
    if (next.type === 'refused') return { ...next, reply: concat(reply, next.reply) };
    return { ...next, accepted: concat(reply, next.accepted), refused: concat(reply, next.refused) };
  }

  #readHttp(): ProxyRequest {
    const text = latin1(this.#bytes);
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) {
      if (text.length <= MAX_HEAD) return { type: 'more' };
      return { type: 'refused', reply: http('431 Request Header Fields Too Large') };
    }
    const [method, target = '', version = ''] = text.slice(0, text.indexOf('\r\n')).split(' ');
    if (!/^HTTP\/1\.[01]$/.test(version)) return { type: 'refused', reply: http('400 Bad Request') };
    if (method !== 'CONNECT') {
      const hint = 'This proxy opens connections: use CONNECT, or SOCKS5.\n';
      return { type: 'refused', reply: http('405 Method Not Allowed', 'allow: CONNECT\r\n', hint) };
    }
    const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]/@]+)):(\d{1,5})$/.exec(target);
    const host = match?.[1] ?? match?.[2];
    const port = Number(match?.[3]);
    if (!host || port < 1 || port > 65_535) return { type: 'refused', reply: http('400 Bad Request') };
    return {
      type: 'connect',
      destination: { host, port },
      rest: this.#bytes.subarray(end + 4),
      accepted: utf8.encode('HTTP/1.1 200 Connection Established\r\n\r\n'),
      refused: http('502 Bad Gateway', '', 'The managed node did not connect to the destination.\n'),
    };
  }
}

function readSocksRequest(bytes: Uint8Array): ProxyRequest {
  if (bytes[0] !== SOCKS_VERSION) return socksRefused(GENERAL_FAILURE);
  if (bytes.length < 5) return { type: 'more' };
  const [, command, , addressType, first = 0] = bytes;
  if (command !== CONNECT) return socksRefused(COMMAND_NOT_SUPPORTED);
  const start = addressType === DOMAIN_NAME ? 5 : 4;
  const length =
    addressType === IPV4 ? 4 : addressType === IPV6 ? 16 : addressType === DOMAIN_NAME ? first : 0;
  if (length === 0) return socksRefused(ADDRESS_TYPE_NOT_SUPPORTED);
  const end = start + length + 2;
  if (bytes.length < end) return { type: 'more' };
  const address = bytes.subarray(start, start + length);
  const port = bytes[end - 2]! * 256 + bytes[end - 1]!;
  if (port === 0) return socksRefused(GENERAL_FAILURE);
  return {
    type: 'connect',
    destination: { host: addressText(addressType, address), port },
    rest: bytes.subarray(end),
    accepted: socksReply(SUCCEEDED),
    refused: socksReply(HOST_UNREACHABLE),
  };
}

function addressText(type: number | undefined, address: Uint8Array): string {
  if (type === DOMAIN_NAME) return new TextDecoder().decode(address);
  if (type === IPV4) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    (address[2 * i]! * 256 + address[2 * i + 1]!).toString(16),
  );
  return groups.join(':');
}

function socksRefused(code: number): ProxyRequest {
  return { type: 'refused', reply: socksReply(code) };
}

/** The bound address is nothing that a client needs. */
function socksReply(code: number): Uint8Array {
  return Uint8Array.of(SOCKS_VERSION, code, 0, IPV4, 0, 0, 0, 0, 0, 0);
}

function http(status: string, headers = '', body = ''): Uint8Array {
  return utf8.encode(
    `HTTP/1.1 ${status}\r\n${headers}connection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array {
  return Uint8Array.of(...one, ...other);
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, MAX_HEAD + 1));
}

const utf8 = new TextEncoder();
/** Bytes of an HTTP request's head. */
const MAX_HEAD = 8_192;

const SOCKS_VERSION = 5;
const NO_AUTHENTICATION = 0;
const NO_ACCEPTABLE_METHOD = 0xff;
const CONNECT = 1;
const IPV4 = 1;
const DOMAIN_NAME = 3;
const IPV6 = 4;
const SUCCEEDED = 0;
const GENERAL_FAILURE = 1;
const HOST_UNREACHABLE = 4;
const COMMAND_NOT_SUPPORTED = 7;
const ADDRESS_TYPE_NOT_SUPPORTED = 8;
