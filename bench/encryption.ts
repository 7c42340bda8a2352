import crypto from 'node:crypto';
import type { Session } from 'hawser';
import { type AesGcm, syncAesGcm, webCryptoAesGcm } from 'hawser/crypto';
import { PayloadEncryption } from '../src/channel/encryption/payload-encryption.ts';
import { contest, type FigureSource, rate, rateOf } from './measure.ts';
import { ENCRYPTED_DOCUMENT, openStack } from './stack.ts';

const VOLUME = 64 * 1024 * 1024;
const PAYLOAD = 32_768;

/** What encryption costs: of the whole path, and of its stage beside the one call that it cannot do without. */
export const encryptionFigures: FigureSource[] = [
  { name: 'encrypted-throughput-32KB', measure: measureThroughput },
  ...[1_024, 65_536].flatMap((size) => {
    const label = size === 1_024 ? '1KB' : '64KB';
    return [
      stage(`aes-seal-${label}`, size, sealSync, 'node:crypto alone'),
      stage(`aes-open-${label}`, size, openSync, 'node:crypto alone'),
      stage(`aes-seal-webcrypto-${label}`, size, sealAsync, 'crypto.subtle alone'),
      stage(`aes-open-webcrypto-${label}`, size, openAsync, 'crypto.subtle alone'),
    ];
  }),
];

/** Client → service → agent and back, in MB/s of payload, beside the same in the clear. */
async function measureThroughput() {
  const stack = await openStack('echo', PAYLOAD);
  const open = async (documentName?: string) => {
    const start = { target: stack.target, payloadSize: PAYLOAD, ...(documentName && { documentName }) };
    const session = await stack.client.startSession(start);
    return roundTrips(session);
  };
  const [encrypted, clear] = [await open(ENCRYPTED_DOCUMENT), await open()];
  const figure = await contest({
    name: 'encrypted-throughput-32KB',
    unit: 'MB/s',
    beside: 'the same session in the clear',
    turns: 5,
    ours: encrypted.measure,
    yardstick: clear.measure,
  });
  for (const { session } of [encrypted, clear]) await session.terminate();
  await stack.close();
  return figure;
}

async function roundTrips(session: Session) {
  const reader = session.stdout.getReader();
  await reader.read(); // the greeting
  const writer = session.stdin.getWriter();
  const payload = new Uint8Array(PAYLOAD).fill(120);
  return {
    session,
    async measure() {
      const start = performance.now();
      const writing = (async () => {
        for (let sent = 0; sent < VOLUME; sent += PAYLOAD) await writer.write(payload);
      })();
      for (let back = 0; back < VOLUME; ) back += (await reader.read()).value!.length;
      await writing;
      return VOLUME / 1e3 / (performance.now() - start);
    },
  };
}

interface Race {
  ours(): Promise<number> | number;
  yardstick(): Promise<number> | number;
}

function stage(
  name: string,
  size: number,
  race: (payload: Uint8Array<ArrayBuffer>) => Promise<Race>,
  beside: string,
) {
  return {
    name,
    measure: async () =>
      contest({ name, unit: 'ops/s', beside, ...(await race(new Uint8Array(crypto.randomBytes(size)))) }),
  };
}

const DATA_KEY = new Uint8Array(crypto.randomBytes(64));

function ends(aesGcm: AesGcm) {
  const end = (role: 'client' | 'agent') =>
    new PayloadEncryption({
      role,
      dataKey: DATA_KEY,
      aesGcm,
      randomBytes: (length) => new Uint8Array(crypto.randomBytes(length)),
    });
  return { agent: end('agent'), client: end('client') };
}

async function sealSync(payload: Uint8Array): Promise<Race> {
  const { agent } = ends(syncAesGcm(crypto));
  const nonce = crypto.randomBytes(12);
  return {
    ours: () => rate(() => agent.seal(payload, () => {})),
    yardstick: () =>
      rate(() => {
        const cipher = crypto.createCipheriv('aes-256-gcm', DATA_KEY.subarray(0, 32), nonce);
        cipher.update(payload);
        cipher.final();
        cipher.getAuthTag();
      }),
  };
}

async function openSync(payload: Uint8Array): Promise<Race> {
  const aesGcm = syncAesGcm(crypto);
  const sealed = await batch(aesGcm, payload);
  let key = ends(aesGcm).client;
  return {
    ours: () =>
      rate((turn) => {
        // A payload that came before is refused, so each batch has an end of its own.
        if (turn % sealed.length === 0) key = ends(aesGcm).client;
        key.open(sealed[turn % sealed.length]!, () => {});
      }),
    yardstick: () =>
      rate((turn) => {
        const bytes = sealed[turn % sealed.length]!;
        const decipher = crypto.createDecipheriv(
          'aes-256-gcm',
          DATA_KEY.subarray(0, 32),
          bytes.subarray(0, 12),
        );
        decipher.setAuthTag(bytes.subarray(-16));
        decipher.update(bytes.subarray(12, -16));
        decipher.final();
      }),
  };
}

async function sealAsync(payload: Uint8Array<ArrayBuffer>): Promise<Race> {
  const { agent } = ends(webCryptoAesGcm(globalThis.crypto.subtle));
  const [key, iv] = [await imported(), crypto.randomBytes(12)];
  return {
    ours: () => rateOf(() => new Promise((resolve) => agent.seal(payload, resolve))),
    yardstick: () => rateOf(() => globalThis.crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, payload)),
  };
}

async function openAsync(payload: Uint8Array): Promise<Race> {
  const aesGcm = webCryptoAesGcm(globalThis.crypto.subtle);
  const sealed = await batch(aesGcm, payload);
  const key = await imported();
  let end = ends(aesGcm).client;
  let turn = 0;
  return {
    ours: () =>
      rateOf(() => {
        const bytes = sealed[turn++ % sealed.length]!;
        if (turn % sealed.length === 1) end = ends(aesGcm).client;
        return new Promise((resolve) => end.open(bytes, resolve));
      }),
    yardstick: () =>
      rateOf(() => {
        const bytes = sealed[turn++ % sealed.length]!;
        const iv = bytes.subarray(0, 12);
        return globalThis.crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, bytes.subarray(12));
      }),
  };
}

/** As many as fit the loops of the measurement. */
async function batch(aesGcm: AesGcm, payload: Uint8Array): Promise<Uint8Array<ArrayBuffer>[]> {
  const { agent } = ends(aesGcm);
  const sealed: Uint8Array<ArrayBuffer>[] = [];
  for (let i = 0; i < 256; i++) {
    sealed.push(
      await new Promise((resolve) =>
        agent.seal(payload, (bytes) => resolve(bytes as Uint8Array<ArrayBuffer>)),
      ),
    );
  }
  return sealed;
}

function imported(): Promise<CryptoKey> {
  const key = DATA_KEY.slice(0, 32);
  return globalThis.crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt']);
}
