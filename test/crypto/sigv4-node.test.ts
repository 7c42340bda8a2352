import { constants, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type NodeKey,
  NodeSignatureVerifier,
  type ReceivedRequest,
  signRequest,
  signWithNodeKey,
} from '../../src/crypto/index.ts';

const now = Date.UTC(2026, 10, 24, 12);
const [region, service, instanceId] = ['eu-central-1', 'ssm', 'mi-0123456789abcdef0'];
const url = new URL('https://ssm.eu-central-1.amazonaws.com/');
const body = new TextEncoder().encode('{"Fingerprint":"0a1b"}');
const headers = {
  'Content-Type': 'application/x-amz-json-1.1',
  'X-Amz-Target': 'AmazonSSM.RequestManagedInstanceRoleToken',
};
const key = nodeKey();
const nodes = new Map([[instanceId, { publicKey: key.publicKey, name: 'web-1' }]]);
const verifier = new NodeSignatureVerifier({ lookup: (id) => nodes.get(id) });

function nodeKey(): NodeKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    sign: (message) =>
      sign('sha256', message, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
  };
}

async function signed(changes: Partial<Parameters<typeof signWithNodeKey>[1]> = {}) {
  return signWithNodeKey(
    { method: 'POST', url, headers, body },
    { instanceId, key, region, service, now, ...changes },
  );
}

const received = (sent: Record<string, string>, changes: Partial<ReceivedRequest> = {}) => ({
  method: 'POST',
  url,
  headers: new Headers(sent),
  body,
  ...changes,
});

describe('the signature of a hybrid node', () => {
  it('has the form of the one that AWS’s agent makes', async () => {
    const { authorization, ...others } = await signed();
    expect(authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=mi-0123456789abcdef0\/20261124\/eu-central-1\/ssm\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=[A-Za-z0-9+/]{342}==$/,
    );
    expect(others).toMatchObject({
      host: url.host,
      'x-amz-date': '20261124T120000Z',
      'x-amz-content-sha256': expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('is taken, and answered with the record of the node', async () => {
    await expect(verifier.verify(received(await signed()), { region, service, now })).resolves.toBe(
      nodes.get(instanceId),
    );
  });

  it('of any of several keys is taken, and answered with the record of the key', async () => {
    const next = nodeKey();
    const records = [key, next].map(({ publicKey }) => ({ publicKey }));
    const changing = new NodeSignatureVerifier({ lookup: () => records });
    const scope = { region, service, now };
    await expect(changing.verify(received(await signed()), scope)).resolves.toBe(records[0]);
    await expect(changing.verify(received(await signed({ key: next })), scope)).resolves.toBe(records[1]);
    await expect(changing.verify(received(await signed({ key: nodeKey() })), scope)).rejects.toMatchObject({
      awsCode: 'InvalidSignatureException',
    });
    const none = new NodeSignatureVerifier({ lookup: () => [] });
    await expect(none.verify(received(await signed()), scope)).rejects.toMatchObject({
      awsCode: 'UnrecognizedClientException',
    });
  });

  it('is made afresh for a retry, without anything of the last try', async () => {
    const last = await signed({ now: now - 60_000 });
    const retry = await signWithNodeKey(
      { method: 'POST', url, headers: last, body },
      { instanceId, key, region, service, now },
    );
    expect(Object.keys(retry)).toEqual(Object.keys(last));
    await expect(verifier.verify(received(retry), { region, service, now })).resolves.toBe(
      nodes.get(instanceId),
    );
  });

  it('is never looked for in the query', async () => {
    const { authorization } = await signed();
    const signature = /Signature=(.*)/.exec(authorization!)![1]!;
    const presigned = new URL(`?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=${signature}`, url);
    await expect(
      verifier.verify(received({}, { url: presigned }), { region, service, now }),
    ).rejects.toMatchObject({ awsCode: 'MissingAuthenticationTokenException' });
  });

  it('signs what the HMAC form would sign', async () => {
    // The same request, keys apart: whoever checks one canonical request checks the other.
    const seen: string[] = [];
    const spy: NodeKey = {
      ...key,
      sign: (message) => {
        seen.push(new TextDecoder().decode(message));
        return key.sign(message);
      },
    };
    await signed({ key: spy });
    expect(seen[0]!.split('\n').slice(0, 3)).toEqual([
      'AWS4-HMAC-SHA256',
      '20261124T120000Z',
      '20261124/eu-central-1/ssm/aws4_request',
    ]);
  });

  it.each<[string, (sent: Record<string, string>) => Partial<ReceivedRequest> | Record<string, string>]>([
    ['method', () => ({ method: 'PUT' })],
    ['path', () => ({ url: new URL('/elsewhere', url) })],
    ['query', () => ({ url: new URL('/?a=1', url) })],
    ['body', () => ({ body: new TextEncoder().encode('{"Fingerprint":"0a1c"}') })],
    ['host', (sent) => ({ headers: new Headers({ ...sent, host: 'elsewhere' }) })],
    ['operation', (sent) => ({ headers: new Headers({ ...sent, 'x-amz-target': 'AmazonSSM.Other' }) })],
    ['date', (sent) => ({ headers: new Headers({ ...sent, 'x-amz-date': '20261124T120001Z' }) })],
    [
      'content hash',
      (sent) => ({ headers: new Headers({ ...sent, 'x-amz-content-sha256': '0'.repeat(64) }) }),
    ],
  ])('is refused when the %s was changed', async (_, change) => {
    const sent = await signed();
    await expect(
      verifier.verify(received(sent, change(sent)), { region, service, now }),
    ).rejects.toMatchObject({ awsCode: 'InvalidSignatureException' });
  });

  it('is refused of another key, for another region or service, and at another time', async () => {
    const refused = { awsCode: 'InvalidSignatureException' };
    const scope = { region, service, now };
    await expect(verifier.verify(received(await signed({ key: nodeKey() })), scope)).rejects.toMatchObject(
      refused,
    );
    await expect(
      verifier.verify(received(await signed({ region: 'us-east-1' })), scope),
    ).rejects.toMatchObject(refused);
    await expect(
      verifier.verify(received(await signed({ service: 'ssmmessages' })), scope),
    ).rejects.toMatchObject(refused);
    await expect(
      verifier.verify(received(await signed({ now: now - 5 * 60_000 - 1000 })), scope),
    ).rejects.toMatchObject(refused);
  });

  it('is refused of a node that is not known, and where an HMAC or nonsense stands in its place', async () => {
    const scope = { region, service, now };
    await expect(
      verifier.verify(received(await signed({ instanceId: 'mi-0123456789abcdef1' })), scope),
    ).rejects.toMatchObject({ awsCode: 'UnrecognizedClientException' });
    const hmac = await signRequest(
      { method: 'POST', url, headers, body },
      { credentials: { accessKeyId: instanceId, secretAccessKey: 'x' }, region, service, now },
    );
    const { authorization, ...others } = await signed();
    for (const sent of [
      hmac,
      { ...others, authorization: authorization!.replace(/Signature=.*/, 'Signature=%%%') },
      { ...others, authorization: authorization!.replace(/Signature=.*/, 'Signature=AAAA') },
    ]) {
      await expect(verifier.verify(received(sent), scope)).rejects.toMatchObject({
        awsCode: 'InvalidSignatureException',
      });
    }
  });
});
