/**
 * The runtime's own clock, chance, SHA-256 and network: the one file of the lower floors that touches the
 * world. Runs in Node.js, Deno, Bun, browsers and workers.
 */
import IsomorphicWebSocket from 'isomorphic-ws';
import { type Clock, steadyClock } from '../base/clock.ts';
import { concat, hex } from '../base/encoding.ts';
import type { RandomSource } from '../base/random.ts';
import { type AesGcm, type SyncCiphers, syncAesGcm, TAG_LENGTH, webCryptoAesGcm } from '../crypto/aes-gcm.ts';
import { type PayloadDigest, payloadDigest, sha256Digest } from '../crypto/digest.ts';
import type { KeyCipher } from '../crypto/kms/key-cipher.ts';
import { TransportError } from './errors.ts';
import type { Platform } from './platform.ts';
import type { ConnectOptions, Socket, Transport } from './socket.ts';
import { type CorkableStream, type WebSocketLike, webSocketSocket } from './web-socket.ts';

export { webSocketSocket } from './web-socket.ts';

/** What the runtime has. */
export function defaultPlatform(): Platform {
  return platformWith({});
}

/** What the runtime has, with some parts replaced. A clock that can be set back stays ahead instead. */
export function platformWith(parts: Partial<Platform> = {}): Platform {
  return {
    clock: steadyClock(parts.clock ?? systemClock),
    random: parts.random ?? systemRandom,
    digest: parts.digest ?? systemDigest(),
    aesGcm: parts.aesGcm ?? systemAesGcm(),
    transport: parts.transport ?? systemTransport,
  };
}

/** `setTimeout` fires at once for delays that do not fit its 32 bits. */
const MAX_DELAY = 0x7fff_ffff;

/** Wall-clock time, so that a machine's sleep counts. Timers keep the process alive, as the sessions they serve must. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delay, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(delay, 0), MAX_DELAY));
    return () => clearTimeout(timer);
  },
};

const systemRandom: RandomSource = {
  random: () => Math.random(),
  bytes: (length) => globalThis.crypto.getRandomValues(new Uint8Array(length)),
  uuid: () => {
    // Browsers have randomUUID only on pages from https: or localhost.
    if (typeof globalThis.crypto.randomUUID === 'function') return globalThis.crypto.randomUUID();
    return uuid4(systemRandom.bytes(16));
  },
};

/** RFC 9562, version 4. */
function uuid4(bytes: Uint8Array): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The parts of `node:crypto` used here. */
interface NodeCrypto extends SyncCiphers {
  /** Node.js 20.12 and later. */
  hash?(algorithm: 'sha256', data: Uint8Array, encoding: 'binary'): string;
  createHash(algorithm: 'sha256'): { update(data: Uint8Array): { digest(): Uint8Array } };
}

function nodeCrypto(): NodeCrypto | undefined {
  return globalThis.process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined;
}

/** OpenSSL's where the runtime has it, else WebCrypto's, which takes its time. */
function systemAesGcm(): AesGcm {
  const crypto = nodeCrypto();
  return crypto ? syncAesGcm(crypto) : webCryptoAesGcm(globalThis.crypto.subtle);
}

/** OpenSSL's SHA-256 where the runtime has it (Node.js 20.16 and later, Deno, Bun), else pure JavaScript. */
function systemDigest(): PayloadDigest {
  const crypto = nodeCrypto();
  if (!crypto) return sha256Digest;
  if (crypto.hash) return oneShotDigest(crypto.hash);
  return payloadDigest((bytes) => crypto.createHash('sha256').update(bytes).digest());
}

/** A string of one character per byte costs a third less than a buffer: at 1 KB 1.3 against 2.1 microseconds. */
function oneShotDigest(hash: NonNullable<NodeCrypto['hash']>): PayloadDigest {
  return {
    write(payload, target, offset) {
      const digest = hash('sha256', payload, 'binary');
      for (let i = 0; i < 32; i++) target[offset + i] = digest.charCodeAt(i);
    },
    matches(payload, source, offset) {
      const digest = hash('sha256', payload, 'binary');
      for (let i = 0; i < 32; i++) if (source[offset + i] !== digest.charCodeAt(i)) return false;
      return true;
    },
  };
}

/** OpenSSL's AES-256-GCM where the runtime has it (Node.js 20.16 and later, Deno, Bun), else WebCrypto's. */
export function systemKeyCipher(): KeyCipher {
  const crypto = globalThis.process?.getBuiltinModule?.('node:crypto');
  return crypto ? nodeKeyCipher(crypto) : webKeyCipher(globalThis.crypto.subtle);
}

function nodeKeyCipher(crypto: typeof import('node:crypto')): KeyCipher {
  return {
    async encrypt(key, nonce, plaintext, additionalData) {
      const cipher = crypto.createCipheriv('aes-256-gcm', key, nonce).setAAD(additionalData);
      return concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    },
    async decrypt(key, nonce, ciphertext, additionalData) {
      const end = ciphertext.length - TAG_LENGTH;
      const options = { authTagLength: TAG_LENGTH };
      const decipher = crypto.createDecipheriv('aes-256-gcm', key, nonce, options).setAAD(additionalData);
      decipher.setAuthTag(ciphertext.subarray(end));
      const unchecked = decipher.update(ciphertext.subarray(0, end));
      const plaintext = Uint8Array.from(unchecked);
      unchecked.fill(0);
      try {
        decipher.final();
        return plaintext;
      } catch {
        plaintext.fill(0);
        return undefined;
      }
    },
  };
}

/** Browsers have it only on pages from https: or localhost. */
export function webKeyCipher(subtle: SubtleCrypto): KeyCipher {
  const imported = (key: Uint8Array, use: 'encrypt' | 'decrypt') =>
    subtle.importKey('raw', key as BufferSource, 'AES-GCM', false, [use]);
  const algorithm = (iv: Uint8Array, additionalData: Uint8Array) =>
    ({ name: 'AES-GCM', iv, additionalData }) as AesGcmParams;
  return {
    async encrypt(key, nonce, plaintext, additionalData) {
      const secret = await imported(key, 'encrypt');
      return new Uint8Array(
        await subtle.encrypt(algorithm(nonce, additionalData), secret, plaintext as BufferSource),
      );
    },
    async decrypt(key, nonce, ciphertext, additionalData) {
      const secret = await imported(key, 'decrypt');
      return subtle
        .decrypt(algorithm(nonce, additionalData), secret, ciphertext as BufferSource)
        .then((plaintext) => new Uint8Array(plaintext))
        .catch(() => undefined);
    },
  };
}

const systemTransport: Transport = { fetch: (request) => globalThis.fetch(request), connect, watchOnline };

/** For the `ws` package; browsers choose for themselves. */
const WS_OPTIONS = {
  /** The real programs offer no compression. */
  perMessageDeflate: false,
  /** Bytes of a message at most: a longer one closes the connection. The real programs send about 1 KB. */
  maxPayload: 1024 * 1024,
  /** Milliseconds for the peer to answer a close frame. AWS's own programs never do. */
  closeTimeout: 2000,
};

/** Drawn by the hundred: one at a time they would cost more than masking with them. */
export function maskingKeys(): () => number {
  const keys = new Uint32Array(256);
  let next = keys.length;
  return () => {
    if (next === keys.length) {
      globalThis.crypto.getRandomValues(keys);
      next = 0;
    }
    return keys[next++]!;
  };
}

type WebSocketConstructor = new (url: string, protocols?: string[], options?: object) => Connecting;

/** A WebSocket of either kind before it is open. */
interface Connecting extends Omit<WebSocketLike, 'on'> {
  /** Of the `ws` package: the answer to the upgrade, and with it the connection. */
  on?(event: 'upgrade', listener: (response: { readonly socket: CorkableStream }) => void): unknown;
  addEventListener(type: string, listener: (event: { message?: string; error?: unknown }) => void): void;
}

function connect(url: string, { headers, signal }: ConnectOptions = {}): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw signal.reason;
    const ws = newWebSocket(url, headers);
    const fail = (error: unknown) => {
      signal?.removeEventListener('abort', abort);
      reject(error);
    };
    const abort = () => {
      ws.close();
      fail(signal?.reason);
    };
    signal?.addEventListener('abort', abort);
    let stream: CorkableStream | undefined;
    ws.on?.('upgrade', (response) => {
      stream = response.socket;
    });
    ws.addEventListener('open', () => {
      signal?.removeEventListener('abort', abort);
      resolve(webSocketSocket(ws, stream, maskingKeys()));
    });
    // After `open` both find the promise settled.
    ws.addEventListener('error', ({ message, error }) => fail(connectError(url, message, error)));
    ws.addEventListener('close', () => fail(connectError(url)));
  });
}

function newWebSocket(url: string, headers?: Readonly<Record<string, string>>): Connecting {
  const Constructor = IsomorphicWebSocket as unknown as WebSocketConstructor;
  try {
    if (isWs(Constructor)) return new Constructor(url, [], { ...WS_OPTIONS, headers });
    return new Constructor(url);
  } catch (cause) {
    throw connectError(url, (cause as Error).message, cause);
  }
}

/** Whether this is the class of the `ws` package, or of its twins in Deno and Bun, and takes options. */
function isWs(Constructor: WebSocketConstructor): boolean {
  return typeof Constructor.prototype.on === 'function';
}

/** The host alone is named: the rest of a stream URL is nobody's business. */
export function connectError(url: string, message?: string, cause?: unknown): TransportError {
  const host = /^wss?:\/\/([^/?#]*)/.exec(url)?.[1] ?? 'the given address';
  const status = /^Unexpected server response: (\d+)/.exec(message ?? '')?.[1];
  if (status) {
    return new TransportError(
      'ERR_UPGRADE_REFUSED',
      `${host} answered the WebSocket upgrade with ${status}.`,
      {
        cause,
      },
    );
  }
  return new TransportError(
    'ERR_CONNECT_FAILED',
    `No WebSocket connection to ${host}${message ? `: ${message}` : '.'}`,
    { cause },
  );
}

/** Browsers and their workers tell; elsewhere the event never comes. */
function watchOnline(online: () => void): () => void {
  globalThis.addEventListener?.('online', online);
  return () => globalThis.removeEventListener?.('online', online);
}
