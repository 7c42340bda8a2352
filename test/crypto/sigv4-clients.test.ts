import { Sha256 } from '@aws-crypto/sha256-js';
import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { SSMClient, StartSessionCommand } from '@aws-sdk/client-ssm';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it } from 'vitest';
import { presignRequest } from '../../src/crypto/index.ts';
import { parseAmzDate } from '../../src/crypto/sigv4/date.ts';
import { tampered } from './tampering.ts';
import { notRefused, verifierOf, type WireKey, type WireRequest } from './wire-request.ts';

const accessKeyId = 'AKIAIOSFODNN7EXAMPLE';
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const sessionToken = 'session-token-for-tests+/==';
const user = { secretAccessKey };
const role = { secretAccessKey, sessionToken };
const region = 'eu-west-1';
const noon = Date.UTC(2026, 10, 23, 12);

/**
 * Requests signed by botocore 1.43.11 with its clock at noon. The first two are whole `start_session` calls; the others have the
 * headers that aws-sdk-go signs in the real agent (CONTROL-PLANE.md section 1.1; PROTOCOL.md section 4).
 */
const recorded = [
  {
    name: 'botocore, StartSession',
    method: 'POST',
    url: 'https://ssm.eu-west-1.amazonaws.com/',
    headers: {
      'X-Amz-Target': 'AmazonSSM.StartSession',
      'Content-Type': 'application/x-amz-json-1.1',
      'User-Agent': 'Botocore/1.43.11',
      'X-Amz-Date': '20261123T120000Z',
      Authorization:
        'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261123/eu-west-1/ssm/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=4626c8017e1754ea76dc029e7fcd7b87a7549b052becff4e3d720554a64cc353',
      'amz-sdk-invocation-id': '73ec430a-8afd-46c0-bb9a-1036fc4c9cc4',
      'amz-sdk-request': 'attempt=1',
      'Content-Length': '63',
    },
    body: '{"Target": "i-0123456789abcdef0", "Reason": "ticket 42 \\u00e9"}',
    service: 'ssm',
    record: user,
  },
  {
    name: 'botocore, StartSession with temporary credentials',
    method: 'POST',
    url: 'https://ssm.eu-west-1.amazonaws.com/',
    headers: {
      'X-Amz-Target': 'AmazonSSM.StartSession',
      'Content-Type': 'application/x-amz-json-1.1',
      'User-Agent': 'Botocore/1.43.11',
      'X-Amz-Date': '20261123T120000Z',
      'X-Amz-Security-Token': sessionToken,
      Authorization:
        'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261123/eu-west-1/ssm/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=f3a463fc7556794bc4d24a07f5cfb9d907a5f487a77cd3dd7b1bf67ba1e99dd0',
      'amz-sdk-invocation-id': '3d74a62c-52b9-4d4c-8eeb-f8ec9e2e9ff1',
      'amz-sdk-request': 'attempt=1',
      'Content-Length': '63',
    },
    body: '{"Target": "i-0123456789abcdef0", "Reason": "ticket 42 \\u00e9"}',
    service: 'ssm',
    record: role,
  },
  {
    name: 'agent, UpdateInstanceInformation',
    method: 'POST',
    url: 'https://ssm.eu-west-1.amazonaws.com/',
    headers: {
      'Content-Length': '67',
      'Content-Type': 'application/x-amz-json-1.1',
      'X-Amz-Target': 'AmazonSSM.UpdateInstanceInformation',
      'User-Agent': 'aws-sdk-go',
      'X-Amz-Date': '20261123T120000Z',
      'X-Amz-Security-Token': sessionToken,
      Authorization:
        'AWS4-HMAC-SHA256 Credential=ASIAIOSFODNN7EXAMPLE/20261123/eu-west-1/ssm/aws4_request, SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=02b72d3b1e986359c815596181dfb8b54e275604da833d8629d6331e850cf1f0',
    },
    body: '{"AgentName":"amazon-ssm-agent","InstanceId":"i-0123456789abcdef0"}',
    service: 'ssm',
    record: role,
  },
  {
    name: 'agent, CreateDataChannel with a session id that needs encoding',
    method: 'POST',
    url: 'https://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/alice%40example.com-0f958ce37bdae6607',
    headers: {
      'Content-Type': 'application/json',
      'X-Amz-Date': '20261123T120000Z',
      'X-Amz-Security-Token': sessionToken,
      Authorization:
        'AWS4-HMAC-SHA256 Credential=ASIAIOSFODNN7EXAMPLE/20261123/eu-west-1/ssmmessages/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=f54012455efd259f63b6a0451b87c84e00295379297f142b0b5e78b53ed5b89d',
    },
    body: '{"MessageSchemaVersion":"1.0","RequestId":"7a8c5950-7cb4-4858-a2f3-7ff8de51cb2d","ClientId":""}',
    service: 'ssmmessages',
    record: role,
  },
  {
    name: 'agent, upgrade of the control channel',
    method: 'GET',
    url: 'https://ssmmessages.eu-west-1.amazonaws.com/v1/control-channel/i-0123456789abcdef0?role=subscribe&stream=input',
    headers: {
      'X-Amz-Date': '20261123T120000Z',
      'X-Amz-Security-Token': sessionToken,
      Authorization:
        'AWS4-HMAC-SHA256 Credential=ASIAIOSFODNN7EXAMPLE/20261123/eu-west-1/ssmmessages/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=d9854075da4e9463559989a729b014a1c0bfde4b8bf253970e0f4c5aa2232ff7',
      Connection: 'Upgrade',
      Upgrade: 'websocket',
    },
    body: '',
    service: 'ssmmessages',
    record: role,
  },
];

describe('requests as the real programs sign them', () => {
  it.each(recorded)('are taken as they are and no other way: $name', async (sent) => {
    const { method, url, headers, body, service, record } = sent;
    await proved(wire({ method, url, headers, body }, service, noon), record);
  });

  it.each([
    ['long-term', user],
    ['temporary', role],
  ])('of the installed SDKs, with %s credentials', async (_, record) => {
    const options = { region, credentials: { accessKeyId, ...record }, maxAttempts: 1 };
    const ssm = await sending(options, SSMClient, (client) =>
      client.send(new StartSessionCommand({ Target: 'i-0123456789abcdef0', Reason: 'é' })),
    );
    const dataKey = await sending(options, KMSClient, (client) =>
      client.send(
        new GenerateDataKeyCommand({
          KeyId: 'alias/sessions',
          NumberOfBytes: 64,
          EncryptionContext: { a: 'b' },
        }),
      ),
    );
    const decrypt = await sending(options, KMSClient, (client) =>
      client.send(new DecryptCommand({ CiphertextBlob: new Uint8Array(200) })),
    );
    await proved(wire(ssm, 'ssm'), record);
    await proved(wire(dataKey, 'kms'), record);
    await proved(wire(decrypt, 'kms'), record);
  });

  it.each([
    ['long-term', user],
    ['temporary', role],
  ])('presigned by the signer of the SDKs and by ours alike, with %s credentials', async (_, record) => {
    const credentials = { accessKeyId, ...record };
    const theirs = await new SignatureV4({
      credentials,
      region,
      service: 'ssmmessages',
      sha256: Sha256,
    }).presign(
      {
        method: 'GET',
        protocol: 'wss:',
        hostname: 'ssmmessages.eu-west-1.amazonaws.com',
        path: '/v1/control-channel/i-0123456789abcdef0',
        query: { role: 'subscribe', stream: 'input' },
        headers: { host: 'ssmmessages.eu-west-1.amazonaws.com', 'x-node': 'a' },
      },
      { signingDate: new Date(noon), expiresIn: 300 },
    );
    const url = new URL(`wss://${theirs.hostname}${theirs.path}`);
    for (const [name, value] of Object.entries(theirs.query!)) url.searchParams.append(name, String(value));
    const { method, headers } = theirs;
    await proved(wire({ method, url: url.href, headers, body: '' }, 'ssmmessages', noon), record);

    const ours = await presignRequest(
      { method: 'GET', url: new URL(`${url.origin}${url.pathname}?role=subscribe&stream=input`), headers },
      { credentials, region, service: 'ssmmessages', now: noon, expires: 300 },
    );
    expect(new URL(ours).searchParams.get('X-Amz-Signature')).toBe(theirs.query!['X-Amz-Signature']);
    await proved(wire({ method, url: ours, headers, body: '' }, 'ssmmessages', noon), record);
  });

  it('of a link by aws s3 presign (2.9.19), whose body is unsigned and whose path is left alone', async () => {
    const key = { secretAccessKey: 'wJalrXUtnFEMI' };
    const request = {
      method: 'GET',
      path: '/a%20b/../c%2Bd//%C3%A9.log',
      query:
        'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261124%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20261124T223711Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=15832eb9f90ff38157d8579f8f8ee2b14e9ffe2261fa6ff3dad19a4f1a20e948',
      lines: [['Host', 'my-bucket.s3.eu-central-1.amazonaws.com']],
      body: new Uint8Array(0),
      expected: { region: 'eu-central-1', service: 's3', now: Date.UTC(2026, 10, 24, 22, 37, 11) },
    } as const;
    const verify = verifierOf(key, { pathEncoding: 's3', unsignedPayload: true });
    await expect(verify(request)).resolves.toBe(key);
    expect(await notRefused(verify, tampered(request, { unsignedBody: true }))).toEqual([]);
    await expect(verifierOf(key, { pathEncoding: 's3' })(request)).rejects.toThrow('does not match');
    await expect(verifierOf(key, { unsignedPayload: true })(request)).rejects.toThrow('does not match');
  });

  it('may have anything in the headers that are not signed', async () => {
    const { method, url, headers, body, service, record } = recorded[0]!;
    const changed = { ...headers, 'User-Agent': 'changed', 'amz-sdk-request': 'attempt=2', Via: 'proxy' };
    await verifierOf(record)(wire({ method, url, headers: changed, body }, service, noon));
  });
});

/** That it is accepted, and refused with any one element changed. */
async function proved(request: WireRequest, key: WireKey): Promise<void> {
  const verify = verifierOf(key);
  await expect(verify(request)).resolves.toBe(key);
  expect(await notRefused(verify, tampered(request))).toEqual([]);
}

interface SentRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** @param now that of the request by default: the SDKs sign with the time of this machine */
function wire({ method, url, headers, body }: SentRequest, service: string, now?: number): WireRequest {
  const { host, pathname, search } = new URL(url);
  const lines = Object.entries({ host, ...headers });
  const date = lines.find(([name]) => name.toLowerCase() === 'x-amz-date')?.[1];
  return {
    method,
    path: pathname,
    query: search.slice(1),
    lines,
    body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
    expected: { region, service, now: now ?? parseAmzDate(date!)! },
  };
}

interface SdkRequest extends Omit<SentRequest, 'url'> {
  readonly hostname: string;
  readonly path: string;
}

/** What a client of an SDK would have sent. */
async function sending<O extends object, C>(
  options: O,
  Client: new (options: O & { requestHandler: object }) => C,
  send: (client: C) => Promise<unknown>,
): Promise<SentRequest> {
  const sent: SdkRequest[] = [];
  const requestHandler = {
    handle: (request: SdkRequest) => {
      sent.push(request);
      return Promise.reject(new Error('seen enough'));
    },
  };
  await expect(send(new Client({ ...options, requestHandler }))).rejects.toThrow('seen enough');
  const { hostname, path, ...rest } = sent[0]!;
  return { ...rest, url: `https://${hostname}${path}` };
}
