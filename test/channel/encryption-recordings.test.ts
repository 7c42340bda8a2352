import crypto from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type AgentMessage, PayloadType } from '../../src/channel/index.ts';
import { syncAesGcm } from '../../src/crypto/index.ts';
import { recordedEncryption } from '../support/recorded-encryption.ts';
import { essence, replay } from './replay.ts';

const NAME = '07-kms-shell';
const recorded = recordedEncryption(NAME);
const keys = { recorded, aesGcm: syncAesGcm(crypto) };

describe('07-kms-shell, in the place of the real plugin', () => {
  test('asks for the data key with the context of the recording', () => {
    const { events } = replay(NAME, 'client', { keys });
    const { keyId, context } = recorded;
    expect(events[0]).toMatchObject({ type: 'generateDataKey', keyId });
    expect(events[0]).toMatchObject({ context });
  });

  test('decrypts every byte that the real agent sent', () => {
    const { events, received } = replay(NAME, 'client', { keys });
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'ready',
        handshake: expect.objectContaining({
          encrypted: true,
          customerMessage: 'This session is encrypted using AWS KMS.',
        }),
      }),
    );
    expect(received()).toContain('echo');
    expect(received()).toBe(plaintextTo('client'));
    expect(events.filter(({ type }) => type === 'failed' || type === 'dropped')).toEqual([]);
  });

  test('sends what the real plugin sent, under nonces of its own', () => {
    const { streamed, recorded: real } = replay(NAME, 'client', { keys });
    expect(streamed.map(inTheClear)).toEqual(real.map(inTheClear).map(withChallenge));
  });
});

describe('07-kms-shell, in the place of the real agent', () => {
  test('sends what the real agent sent, byte for byte, ciphertext included', () => {
    const { streamed, recorded: real } = replay(NAME, 'agent', { keys });
    expect(streamed.map(essence)).toEqual(real.map(essence));
  });

  test('has the data key decrypted in the context that the plugin has named, which leaves the challenge out', () => {
    const { events } = replay(NAME, 'agent', { keys });
    const { keyId, context, ciphertextKey: ciphertext } = recorded;
    expect(events[0]).toEqual({ type: 'decryptDataKey', keyId, context, ciphertext });
  });

  test('decrypts every key that was pressed', () => {
    const { received } = replay(NAME, 'agent', { keys });
    expect(received()).toBe(plaintextTo('agent'));
    expect(received()).not.toBe('');
  });
});

test('07c: a port session is never encrypted, whatever kmsKeyId says', () => {
  const { streamed, recorded: real } = replay('07c-kms-port-not-encrypted', 'agent');
  expect(streamed.map(essence)).toEqual(real.map(essence));
  expect(JSON.stringify(streamed.map(essence))).not.toContain('KMSEncryption');
});

function plaintextTo(role: 'client' | 'agent'): string {
  const real = replay(NAME, role === 'client' ? 'agent' : 'client', { keys }).recorded;
  const bytes = real
    .filter(({ payloadType }) => payloadType === PayloadType.Output)
    .map((message) => recorded.decrypt(message));
  return Buffer.concat(bytes).toString();
}

/** A stream message without what its sender draws: nonces, and the challenge under one. */
function inTheClear(message: AgentMessage) {
  if (message.payloadType === PayloadType.EncChallengeResponse) return { payloadType: message.payloadType };
  return essence({ ...message, payload: recorded.decrypt(message) });
}

/** Newer clients say that they know the challenge; the recorded one did not. */
function withChallenge(message: object): object {
  const text = JSON.stringify(message);
  return JSON.parse(
    text.replace(
      '"KMSCipherTextHash\\":null',
      '"KMSCipherTextHash\\":null,\\"ChallengeAcknowledgement\\":true',
    ),
  );
}
