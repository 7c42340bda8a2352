import { SSMClient, StartSessionCommand } from '@aws-sdk/client-ssm';
import { describe, expect, it } from 'vitest';
import { SignatureError, SignatureVerifier } from '../../src/crypto/index.ts';
import { parseAmzDate } from '../../src/crypto/sigv4/date.ts';

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
  it.each(recorded)('are accepted: $name', async ({ method, url, headers, body, service, record }) => {
    const verifier = new SignatureVerifier({ lookup: () => record });
    const request = {
      method,
      url: new URL(url),
      headers: new Headers(headers),
      body: new TextEncoder().encode(body),
    };
    await expect(verifier.verify(request, { region, service, now: noon })).resolves.toBe(record);
    request.body = new TextEncoder().encode(`${body} `);
    await expect(verifier.verify(request, { region, service, now: noon })).rejects.toThrow(SignatureError);
  });

  it.each([
    ['long-term', user],
    ['temporary', role],
  ])('are accepted: the installed @aws-sdk/client-ssm with %s credentials', async (_, record) => {
    const sent: SentRequest[] = [];
    const client = new SSMClient({
      region,
      credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', ...record },
      maxAttempts: 1,
      requestHandler: {
        handle: (request: SentRequest) => {
          sent.push(request);
          return Promise.reject(new Error('seen enough'));
        },
      },
    });
    const call = client.send(new StartSessionCommand({ Target: 'i-0123456789abcdef0', Reason: 'é' }));
    await expect(call).rejects.toThrow('seen enough');

    const { method, hostname, path, headers, body } = sent[0]!;
    const request = {
      method,
      url: new URL(`https://${hostname}${path}`),
      headers: new Headers(headers),
      body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
    };
    expect(request.headers.get('authorization')).toContain('x-amz-content-sha256;x-amz-date');
    // The SDK signs with the time of this machine: whatever it is, it is right here.
    const now = parseAmzDate(request.headers.get('x-amz-date')!)!;
    const verifier = new SignatureVerifier({ lookup: () => record });
    await expect(verifier.verify(request, { region, service: 'ssm', now })).resolves.toBe(record);
  });
});

interface SentRequest {
  readonly method: string;
  readonly hostname: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array;
}
