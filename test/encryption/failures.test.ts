import { PayloadType } from 'hawser/channel';
import { describe, expect, test } from 'vitest';
import {
  AGENT_FAILURES,
  allBut,
  attempt,
  CLIENT_FAILURES,
  changing,
  inserting,
  withoutEncryption,
} from './attempts.ts';
import { INSTANCE_ID, node } from './world.ts';

test('nothing wrong, as the control case', async () => {
  const { end, stdout } = await attempt({});
  expect(end).toBeUndefined();
  expect(stdout).toBe('hello first second ');
});

describe('the client ends the session', () => {
  test.each(CLIENT_FAILURES)('%s: %s', async (_, code, options) => {
    const { end, sessionId } = await attempt(options);
    expect(end?.reason).toBe('EncryptionFailed');
    expect(end?.error).toMatchObject({ name: 'EncryptionError', code });
    if (!OF_PAYLOADS.has(code) && code !== 'ERR_ENCRYPTION_NO_KEY_SERVICE') {
      expect(end?.message).toContain(`aws:ssm:SessionId=${sessionId}, aws:ssm:TargetId=${INSTANCE_ID}`);
    }
  });
});

describe('the agent ends the session', () => {
  test.each(AGENT_FAILURES)('%s: %s', async (_, code, options) => {
    const { outcome, sessionId } = await attempt(options);
    expect(outcome.status).toBe('Failed');
    expect(outcome.error).toMatchObject({ name: 'EncryptionError', code });
    if (!OF_PAYLOADS.has(code)) {
      expect(outcome.output).toMatch(/^Encountered error while initiating handshake\. /);
      expect(outcome.output).toContain(`aws:ssm:SessionId=${sessionId}, aws:ssm:TargetId=${INSTANCE_ID}`);
    }
  });

  test('and the client is told why', async () => {
    const { end } = await attempt({ keyPolicy: allBut(node.arn) });
    expect(end).toMatchObject({ reason: 'AgentFailure' });
    expect(end?.message).toContain('kms:Decrypt');
  });
});

describe('nothing is said in the clear', () => {
  test('by an agent without a key service: it refuses the session', async () => {
    const { end, stdout } = await attempt({ agentKeys: () => undefined });
    expect(stdout).toBe('');
    expect(end).toMatchObject({ reason: 'AgentFailure' });
    expect(end?.message).toContain('no key service');
  });

  test('to a client that demands encryption, by an agent that does not offer it', async () => {
    const options = { encrypted: false, start: { requireEncryption: true } };
    const { end, stdout } = await attempt(options);
    expect(stdout).toBe('');
    expect(end).toMatchObject({ reason: 'EncryptionFailed', error: { code: 'ERR_ENCRYPTION_REQUIRED' } });
  });

  test('by an agent that demands encryption', async () => {
    const { end, stdout } = await attempt({ encrypted: false, agent: { requireEncryption: true } });
    expect(stdout).toBe('');
    expect(end?.message).toContain('runs encrypted sessions only');
  });

  test('when the service takes the encryption out of the handshake', async () => {
    const { end, outcome, stdout } = await attempt({
      ...changing('agent', withoutEncryption),
      start: { requireEncryption: true },
    });
    expect(stdout).toBe('');
    expect(end).toMatchObject({ error: { code: 'ERR_ENCRYPTION_REQUIRED' } });
    expect(outcome.status).toBe('Failed');
  });

  test('when the service answers for the client that it encrypts', async () => {
    const { outcome, stdout } = await attempt(changing('client', withoutEncryption));
    expect(outcome).toMatchObject({ status: 'Failed', error: { code: 'ERR_ENCRYPTION_REFUSED' } });
    expect(stdout).toBe('');
  });

  test('by somebody else before the data key is there', async () => {
    const { stdout } = await attempt({ change: inserting(PayloadType.HandshakeRequest) });
    expect(stdout).not.toContain('injected');
  });

  test('by somebody else as an error, which agents never encrypt', async () => {
    const { stderr, end } = await attempt({
      change: inserting(PayloadType.HandshakeComplete, PayloadType.Error),
    });
    expect(stderr).toBe('');
    expect(end).toBeUndefined();
  });
});

/** Those errors that come of data, when the handshake is long over. */
const OF_PAYLOADS = new Set(['ERR_ENCRYPTION_PAYLOAD', 'ERR_ENCRYPTION_REPLAY']);
