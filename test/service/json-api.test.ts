import { describe, expect, test } from 'vitest';
import { presignRequest } from '../../src/crypto/index.ts';
import { ENDPOINT, JANE, NODE, nodeCredentials, REGION, signedCall, world } from './world.ts';

const NOW = Date.UTC(2026, 0, 1);

async function send(request: Request, w = world()) {
  const response = await w.service.fetch(request);
  return { response, body: (await response.json()) as Record<string, string> };
}

describe('the form of answers', () => {
  test('success', async () => {
    const request = await signedCall('DescribeSessions', '{"State":"Active"}', JANE, NOW);
    const { response, body } = await send(request);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-amz-json-1.1');
    expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers.get('date')).toBe('Thu, 01 Jan 2026 00:00:00 GMT'); // of the service's own clock
    expect(body).toEqual({ Sessions: [] });
  });

  test('errors: the code in header and body, the text in both spellings', async () => {
    const request = await signedCall('StartSession', `{"Target":"${NODE}"}`, JANE, NOW);
    const { response, body } = await send(request);
    const text = `${NODE} is not connected.`;
    expect(response.status).toBe(400);
    expect(response.headers.get('x-amzn-errortype')).toBe('TargetNotConnected');
    expect(response.headers.get('content-type')).toBe('application/x-amz-json-1.1');
    expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(body).toEqual({ __type: 'TargetNotConnected', Message: text, message: text });
  });

  test('an operation that is not known', async () => {
    for (const operation of ['StopSession', '__proto__', 'constructor']) {
      const { response, body } = await send(await signedCall(operation, '{}', JANE, NOW));
      expect(response.status).toBe(400);
      expect(body).toEqual({ __type: 'UnknownOperationException' });
    }
  });
});

describe('the signature', () => {
  const body = '{"State":"Active"}';

  async function refused(request: Request) {
    const { response, body } = await send(request);
    expect(response.status).toBe(400);
    return body.__type;
  }

  test('is required', async () => {
    const request = new Request(ENDPOINT, {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSSM.DescribeSessions' },
      body,
    });
    expect(await refused(request)).toBe('MissingAuthenticationTokenException');
  });

  test('must be of a known key, with its session token', async () => {
    const unknown = { accessKeyId: 'AKIAJOHN', secretAccessKey: 'x' };
    for (const credentials of [unknown, { ...JANE, sessionToken: 'odd' }]) {
      expect(await refused(await signedCall('DescribeSessions', body, credentials, NOW))).toBe(
        'UnrecognizedClientException',
      );
    }
  });

  test('must be of the operation and the body that came', async () => {
    const request = await signedCall('DescribeSessions', body, JANE, NOW);
    const headers = new Headers(request.headers);
    headers.set('x-amz-target', 'AmazonSSM.TerminateSession');
    expect(await refused(new Request(ENDPOINT, { method: 'POST', headers, body }))).toBe(
      'InvalidSignatureException',
    );
    const other = new Request(ENDPOINT, { method: 'POST', headers: request.headers, body: `${body} ` });
    expect(await refused(other)).toBe('InvalidSignatureException');
  });

  test('may stand in the query of a presigned URL, until it expires', async () => {
    const headers = { 'x-amz-target': 'AmazonSSM.DescribeSessions' };
    const presigned = await presignRequest(
      { method: 'POST', url: new URL(ENDPOINT), headers, body: new TextEncoder().encode(body) },
      { credentials: JANE, region: REGION, service: 'ssm', now: NOW, expires: 900 },
    );
    const sent = (text: string) => new Request(presigned, { method: 'POST', headers, body: text });
    expect((await send(sent(body))).body).toEqual({ Sessions: [] });
    expect(await refused(sent('{"State":"History"}'))).toBe('InvalidSignatureException');
    const w = world();
    await w.clock.advance(900_001);
    expect((await send(sent(body), w)).body.__type).toBe('InvalidSignatureException');
  });

  test('may not stand in the query of what agents call', async () => {
    const headers = { 'x-amz-target': 'EC2WindowsMessageDeliveryService.GetMessages' };
    const presigned = await presignRequest(
      { method: 'POST', url: new URL(ENDPOINT), headers, body: new TextEncoder().encode(body) },
      { credentials: nodeCredentials(NODE), region: REGION, service: 'ec2messages', now: NOW, expires: 900 },
    );
    expect(await refused(new Request(presigned, { method: 'POST', headers, body }))).toBe(
      'MissingAuthenticationTokenException',
    );
  });

  test('must be fresh, and the credentials not expired', async () => {
    expect(await refused(await signedCall('DescribeSessions', body, JANE, NOW - 300_001))).toBe(
      'InvalidSignatureException',
    );
    const principal = { arn: 'arn:aws:iam::111122223333:user/jane', userId: 'A', accountId: '111122223333' };
    const w = world({ credentials: () => ({ ...JANE, principal, expiration: new Date(NOW) }) });
    const { body: answer } = await send(await signedCall('DescribeSessions', body, JANE, NOW), w);
    expect(answer.__type).toBe('ExpiredTokenException');
  });
});

describe('the body', () => {
  const outcome = async (operation: string, text: string) =>
    (await send(await signedCall(operation, text, JANE, NOW))).body;

  test.each(['{', '[]', '"x"', 'null', '{"State":7}', '{"State":"Active","Filters":{}}', '\xff'])(
    'SerializationException for %s',
    async (text) => {
      expect(await outcome('DescribeSessions', text)).toMatchObject({ __type: 'SerializationException' });
    },
  );

  test.each([
    [
      '{}',
      "1 validation error detected: Value null at 'target' failed to satisfy constraint: Member must not be null",
    ],
    [
      '{"Target":null}',
      "1 validation error detected: Value null at 'target' failed to satisfy constraint: Member must not be null",
    ],
    [
      '{"Target":""}',
      "1 validation error detected: Value '' at 'target' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      `{"Target":"${'x'.repeat(401)}"}`,
      `1 validation error detected: Value '${'x'.repeat(400)}' at 'target' failed to satisfy constraint: Member must have length less than or equal to 400`,
    ],
    [
      '{"Target":"t","Reason":"two\\nlines"}',
      "1 validation error detected: Value 'two\nlines' at 'reason' failed to satisfy constraint: Member must satisfy regular expression pattern: ^.{1,256}$",
    ],
    [
      '{"Target":"","DocumentName":"a b"}',
      "2 validation errors detected: Value '' at 'target' failed to satisfy constraint: Member must have length greater than or equal to 1; Value 'a b' at 'documentName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9_\\-.:/]{3,128}$",
    ],
    [
      '{"Target":"t","Parameters":{"secret":[""]}}',
      "1 validation error detected: Value at 'parameters.value.1.member' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
  ])('ValidationException for %s', async (text, message) => {
    expect(await outcome('StartSession', text)).toMatchObject({ __type: 'ValidationException', message });
  });

  test('a target of 400 characters is within the limit', async () => {
    expect(await outcome('StartSession', `{"Target":"${'x'.repeat(400)}"}`)).toMatchObject({
      __type: 'TargetNotConnected',
    });
  });

  test('enum values and numbers', async () => {
    expect(await outcome('DescribeSessions', '{"State":"Old","MaxResults":201}')).toMatchObject({
      message:
        "2 validation errors detected: Value 'Old' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [Active, History]; Value '201' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 200",
    });
  });

  test('unknown members are ignored, null counts as absent', async () => {
    expect(await outcome('DescribeSessions', '{"State":"Active","MaxResults":null,"Color":"red"}')).toEqual({
      Sessions: [],
    });
  });

  test('is read up to the limit, and not at all when it says that it is longer', async () => {
    const w = world({ limits: { requestBody: 100 } });
    const text = (length: number) => `{"State":"Active","X":"${'x'.repeat(length - 25)}"}`;
    expect((await send(await signedCall('DescribeSessions', text(100), JANE, NOW), w)).response.status).toBe(
      200,
    );
    const request = await signedCall('DescribeSessions', text(101), JANE, NOW);
    const { response, body } = await send(request, w);
    expect([response.status, body.__type]).toEqual([413, 'RequestEntityTooLargeException']);
    const said = new Request(ENDPOINT, { method: 'POST', headers: { 'content-length': '101' }, body: '{}' });
    expect((await send(said, w)).response.status).toBe(413);
  });
});

test('paths of the message gateway answer in their own way', async () => {
  const w = world();
  const get = (path: string) => w.service.fetch(new Request(new URL(path, ENDPOINT)));
  expect((await get('/v1/data-channel/x')).status).toBe(426);
  expect((await get('/v1/data-channel/%ff')).status).toBe(400);
  const upgrade = await w.service.upgrade(new Request(new URL('/elsewhere', ENDPOINT)));
  expect((upgrade as Response).status).toBe(404);
});
