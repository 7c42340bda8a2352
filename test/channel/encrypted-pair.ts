import crypto from 'node:crypto';
import {
  type AgentMessage,
  type ChannelEncryption,
  type DataChannelOptions,
  decodeMessage,
} from 'hawser/channel';
import { type AesGcmKey, sha256Digest, syncAesGcm } from 'hawser/crypto';
import { Pair } from './pair.ts';

export const SESSION = { sessionType: 'Standard_Stream', properties: null };
export const DATA_KEY = Uint8Array.from({ length: 64 }, (_, i) => i);

/**
 * Both ends, encrypted; the stream messages on the wire, each as often as it was sent.
 *
 * @param prepare what is to be done before they begin
 */
export function encryptedPair(
  slow: boolean,
  prepare: (pair: Pair) => void = () => {},
  options: Partial<DataChannelOptions> = {},
) {
  const keys: ReturnType<typeof spied>[] = [];
  const encryption = (): ChannelEncryption => ({
    aesGcm: { importKey: (key) => keys[keys.push(spied(slow ? later(key) : real.importKey(key))) - 1]! },
    randomBytes: (length) => new Uint8Array(crypto.randomBytes(length)),
    targetId: 'mi-1',
    wake: () => {}, // the pair polls by itself
  });
  const pair = new Pair({
    client: { encryption: encryption(), ...options },
    agent: { encryption: encryption(), ...options },
  });
  const wire: { to: string; message: AgentMessage; frame: Uint8Array }[] = [];
  pair.deliver = (frame, to) => {
    wire.push({ to, message: decodeMessage(frame, sha256Digest), frame });
    return [frame];
  };
  /** Answers the later the earlier it was asked: the order is turned round, four at a time. */
  let asked = 0;
  function later(key: Uint8Array): AesGcmKey {
    const imported = real.importKey(key);
    const delayed =
      <T>(done: (result: T) => void) =>
      (result: T) =>
        pair.schedule(10 - 2 * (asked++ % 4), () => done(result));
    return {
      seal: (nonce, plaintext, done) => imported.seal(nonce, plaintext, delayed(done)),
      open: (sealed, done) => imported.open(sealed, delayed(done)),
      destroy: () => imported.destroy(),
    };
  }
  prepare(pair);
  pair.connect();
  pair.agent.channel.startHandshake(SESSION, pair.now, { encryption: { keyId: 'key' } });
  pair.run(200);
  pair.client.channel.handleDataKey({ plaintext: DATA_KEY.slice(), ciphertext: Uint8Array.of(1) }, pair.now);
  pair.run(200);
  pair.agent.channel.handleDataKey({ plaintext: DATA_KEY.slice() }, pair.now);
  pair.run(500);
  return { pair, wire, keys };
}

export function plainPair(): Pair {
  const encryption: ChannelEncryption = {
    aesGcm: real,
    randomBytes: (length) => new Uint8Array(crypto.randomBytes(length)),
    targetId: 'mi-1',
    wake: () => {},
  };
  return new Pair({ client: { encryption }, agent: { encryption } }).connect();
}

const real = syncAesGcm(crypto);

/** Counts how often it is destroyed, and cannot be used afterwards. */
function spied(key: AesGcmKey) {
  const check = () => {
    if (spy.destroyed > 0) throw new Error('a key was used after it was destroyed');
  };
  const spy = {
    destroyed: 0,
    seal(...call: Parameters<AesGcmKey['seal']>) {
      check();
      key.seal(...call);
    },
    open(...call: Parameters<AesGcmKey['open']>) {
      check();
      key.open(...call);
    },
    destroy() {
      spy.destroyed++;
      key.destroy();
    },
  };
  return spy;
}
