import { describe, expect, test } from 'vitest';
import { AwsJson, type AwsJsonOptions } from '../../src/core/aws-json.ts';
import type { Platform } from '../../src/core/platform.ts';
import { CredentialsSigner } from '../../src/core/request-signer.ts';
import { platformWith } from '../../src/core/runtime.ts';
import {
  AccessDeniedError,
  CredentialsRefusedError,
  InvalidDocumentError,
  InvalidParametersError,
  ServiceError,
  SessionNotFoundError,
  TargetNotConnectedError,
  ThrottledError,
} from '../../src/core/service-error.ts';
import type { Transport } from '../../src/core/socket.ts';
import type { CredentialProvider, Credentials } from '../../src/crypto/credentials.ts';
import { SignatureVerifier } from '../../src/crypto/sigv4/verify.ts';
import { seededRandom, VirtualClock } from '../../src/testing/index.ts';

const USER = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' };

type Answer = Response | Error | (() => Response | Promise<Response>);

/** A service that answers what it is told to, call by call. */
function scripted(
  answers: Answer[],
  {
    credentials = USER,
    ...options
  }: Partial<AwsJsonOptions> & { credentials?: Credentials | CredentialProvider } = {},
) {
  const clock = new VirtualClock();
  const requests: Request[] = [];
  const transport: Transport = {
    connect: () => Promise.reject(new Error('no sockets here')),
    async fetch(request) {
      requests.push(request.clone());
      const answer = answers.shift();
      if (answer === undefined) throw new Error('The script is at its end.');
      if (answer instanceof Error) throw answer;
      return answer instanceof Response ? answer : answer();
    },
  };
  const platform: Platform = platformWith({ clock, transport, random: seededRandom(1) });
  const endpoint = new URL('https://ssm.eu-central-1.amazonaws.com');
  const api = new AwsJson({
    platform,
    endpoint,
    signer: new CredentialsSigner(credentials, 'eu-central-1', 'ssm'),
    ...options,
  });
  const run = <T>(call: Promise<T>) => clock.runUntil(call);
  return { api, clock, requests, run };
}

function ok(body: object = {}): Response {
  return Response.json(body);
}

function refused(
  type: string,
  message = 'Because.',
  headers: Record<string, string> = {},
  status = 400,
): Response {
  const body = JSON.stringify({ __type: type, Message: message, message });
  return new Response(body, { status, headers: { 'x-amzn-requestid': 'request-1', ...headers } });
}

describe('a call', () => {
  test('is a signed POST that the other side can verify', async () => {
    const { api, clock, requests, run } = scripted([ok({ Status: 'connected' })]);
    expect(await run(api.call('GetConnectionStatus', { Target: 'i-1' }))).toEqual({ Status: 'connected' });
    const [request] = requests as [Request];
    expect(request.method).toBe('POST');
    expect(request.redirect).toBe('manual');
    expect(request.headers.get('x-amz-target')).toBe('AmazonSSM.GetConnectionStatus');
    expect(request.headers.get('content-type')).toBe('application/x-amz-json-1.1');
    expect(request.headers.get('x-amz-security-token')).toBe('token');
    const body = new Uint8Array(await request.arrayBuffer());
    expect(JSON.parse(new TextDecoder().decode(body))).toEqual({ Target: 'i-1' });
    const headers = new Headers(request.headers);
    headers.set('host', 'ssm.eu-central-1.amazonaws.com');
    const signer = await new SignatureVerifier({ lookup: () => USER }).verify(
      { method: 'POST', url: new URL(request.url), headers, body },
      { region: 'eu-central-1', service: 'ssm', now: clock.now() },
    );
    expect(signer).toBe(USER);
  });

  test('asks the provider for credentials before every try', async () => {
    let asked = 0;
    const provider = async () => ({ accessKeyId: `AKID${++asked}`, secretAccessKey: 'secret' });
    const { api, requests, run } = scripted([refused('ThrottlingException'), ok()], {
      credentials: provider,
    });
    await run(api.call('DescribeSessions', {}));
    expect(
      requests.map((request) => /Credential=(\w+)/.exec(request.headers.get('authorization')!)![1]),
    ).toEqual(['AKID1', 'AKID2']);
  });

  test('leaves no timer behind', async () => {
    const { api, clock, run } = scripted([ok()]);
    await run(api.call('DescribeSessions', {}));
    expect(clock.pending).toBe(0);
  });
});

describe('a refusal', () => {
  test.each([
    ['TargetNotConnected', 'ERR_TARGET_NOT_CONNECTED', TargetNotConnectedError],
    ['AccessDeniedException', 'ERR_ACCESS_DENIED', AccessDeniedError],
    ['ExpiredTokenException', 'ERR_CREDENTIALS_REFUSED', CredentialsRefusedError],
    ['DoesNotExistException', 'ERR_SESSION_NOT_FOUND', SessionNotFoundError],
    ['InvalidDocument', 'ERR_DOCUMENT_INVALID', InvalidDocumentError],
    ['InvalidParameters', 'ERR_PARAMETERS_INVALID', InvalidParametersError],
    ['BadRequest', 'ERR_SERVICE', ServiceError],
  ])('%s has the code %s and a class', async (type, code, ErrorClass) => {
    const { api, run } = scripted([refused(type, 'i-1 is not connected.')]);
    const error = await run(api.call('StartSession', {}).catch((error) => error));
    expect(error).toBeInstanceOf(ErrorClass);
    expect(error).toMatchObject({
      code,
      type,
      operation: 'StartSession',
      statusCode: 400,
      requestId: 'request-1',
    });
    expect(error.message).toContain('i-1 is not connected.');
    expect(error.message).toContain('StartSession');
  });

  test.each([
    ['com.amazonaws.ssm#TargetNotConnected', {}],
    ['TargetNotConnected:http://internal.amazon.com/x', {}],
    ['', { 'x-amzn-errortype': 'TargetNotConnected:' }],
  ])('is known by %j %j', async (type, headers) => {
    const { api, run } = scripted([refused(type, '', headers)]);
    await expect(run(api.call('StartSession', {}))).rejects.toThrow(TargetNotConnectedError);
  });

  test('never shows the lines in which AWS quotes the signed request', async () => {
    const quoted = 'The signature does not match.\n\nThe Canonical String was\nx-amz-security-token:SECRET';
    const { api, run } = scripted([refused('InvalidSignatureException', quoted)]);
    const error = await run(api.call('StartSession', {}).catch((error) => error));
    expect(error.message).toContain('The signature does not match.');
    expect(error.message).not.toContain('SECRET');
  });

  test('without a readable body still has a status', async () => {
    const { api, run } = scripted([new Response('<html>Forbidden</html>', { status: 403 })]);
    await expect(run(api.call('StartSession', {}))).rejects.toMatchObject({
      type: 'UnknownError',
      statusCode: 403,
    });
  });
});

describe('an answer that makes no sense', () => {
  test.each(['<html>Log in to the wireless network</html>', '[]', 'null', ''])(
    '%j is unreadable',
    async (body) => {
      const { api, run } = scripted([new Response(body)]);
      await expect(run(api.call('DescribeSessions', {}))).rejects.toMatchObject({
        code: 'ERR_RESPONSE_UNREADABLE',
      });
    },
  );

  test('is not read beyond 4 MiB', async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const { api, run } = scripted([new Response(endless)]);
    await expect(run(api.call('DescribeSessions', {}))).rejects.toMatchObject({
      code: 'ERR_RESPONSE_TOO_LARGE',
    });
    expect(sent).toBeLessThan(5 * 1024 * 1024);
  });

  test('that never ends is given up after the timeout', async () => {
    const { api, clock, run } = scripted([() => new Promise(() => {})]);
    const started = clock.now();
    const call = api.call('DescribeSessions', {}, { attempts: 1 });
    await expect(run(call)).rejects.toMatchObject({ code: 'ERR_REQUEST_TIMEOUT' });
    expect(clock.now() - started).toBe(15_000);
  });
});

describe('retrying', () => {
  test.each<[string, Answer]>([
    ['throttling', refused('ThrottlingException')],
    ['a server error', refused('InternalServerError', '', {}, 500)],
    ['a network error', new TypeError('fetch failed')],
    ['a timeout', () => new Promise(() => {})],
  ])('goes on after %s', async (_, answer) => {
    const { api, requests, run } = scripted([answer, ok({ fine: 1 })]);
    expect(await run(api.call('DescribeSessions', {}))).toEqual({ fine: 1 });
    expect(requests).toHaveLength(2);
  });

  test('ends after three tries', async () => {
    const { api, requests, run } = scripted(Array.from({ length: 5 }, () => refused('ThrottlingException')));
    await expect(run(api.call('DescribeSessions', {}))).rejects.toThrow(ThrottledError);
    expect(requests).toHaveLength(3);
  });

  test('does not repeat what was refused for good', async () => {
    const { api, requests, run } = scripted([refused('AccessDeniedException'), ok()]);
    await expect(run(api.call('DescribeSessions', {}))).rejects.toThrow(AccessDeniedError);
    expect(requests).toHaveLength(1);
  });

  test.each<[string, Answer]>([
    ['a server error', refused('InternalServerError', '', {}, 500)],
    ['a broken connection', new TypeError('fetch failed')],
    ['a timeout', () => new Promise(() => {})],
  ])('does not repeat a call that is not idempotent after %s', async (_, answer) => {
    const { api, requests, run } = scripted([answer, ok()]);
    await expect(run(api.call('StartSession', {}, { idempotent: false }))).rejects.toThrow();
    expect(requests).toHaveLength(1);
  });

  test.each<[string, Answer]>([
    ['throttling', refused('ThrottlingException')],
    [
      'a connection that was refused',
      new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) }),
    ],
  ])('repeats even such a call after %s', async (_, answer) => {
    const { api, requests, run } = scripted([answer, ok()]);
    await run(api.call('StartSession', {}, { idempotent: false }));
    expect(requests).toHaveLength(2);
  });

  test.each(['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS_CERT_ALTNAME_INVALID'])(
    'does not try a service again whose certificate is not trusted (%s)',
    async (code) => {
      const failure = new TypeError('fetch failed', { cause: Object.assign(new Error(), { code }) });
      const { api, requests, run } = scripted([failure, ok()]);
      await expect(run(api.call('DescribeSessions', {}))).rejects.toMatchObject({
        code: 'ERR_REQUEST_FAILED',
      });
      expect(requests).toHaveLength(1);
    },
  );

  test('ends with its signal, whatever is under way', async () => {
    const { api, clock, run } = scripted([() => new Promise(() => {})]);
    const controller = new AbortController();
    const call = api.call('DescribeSessions', {}, { signal: controller.signal });
    await clock.advance(1000);
    controller.abort(new Error('enough'));
    await expect(run(call)).rejects.toThrow('enough');
    expect(clock.pending).toBe(0);
  });

  test('corrects a clock that is an hour wrong by the date of the refusal', async () => {
    const late = (ms: number) => ({ date: new Date(ms).toUTCString() });
    const now = new VirtualClock().now() + 3_600_000;
    const { api, requests, run } = scripted([
      refused('InvalidSignatureException', 'Expired.', late(now)),
      ok(),
      ok(),
    ]);
    await run(api.call('StartSession', {}, { idempotent: false }));
    await run(api.call('StartSession', {}));
    expect(requests.map((request) => request.headers.get('x-amz-date')!.slice(0, 11))).toEqual([
      '20260101T00',
      '20260101T01',
      '20260101T01',
    ]);
  });

  test.each([
    ['years off', 3 * 366 * 24 * 3_600_000],
    ['about right', 60_000],
  ])('does not take over a date that is %s', async (_, off) => {
    const date = new Date(new VirtualClock().now() + off).toUTCString();
    const { api, run } = scripted([refused('InvalidSignatureException', '', { date }), ok()]);
    await expect(run(api.call('StartSession', {}))).rejects.toThrow(CredentialsRefusedError);
  });

  test('does not take the time from an answer of success', async () => {
    const date = new Date(new VirtualClock().now() + 3_600_000).toUTCString();
    const { api, requests, run } = scripted([Response.json({}, { headers: { date } }), ok()]);
    await run(api.call('StartSession', {}));
    await run(api.call('StartSession', {}));
    expect(requests[1]!.headers.get('x-amz-date')!.slice(0, 11)).toBe('20260101T00');
  });

  test('asks for other credentials after a refusal, and only then', async () => {
    const asked: unknown[] = [];
    const credentials = async (options?: { readonly forceRefresh?: boolean }) => {
      asked.push(options);
      return USER;
    };
    const { api, run } = scripted([ok(), refused('ExpiredTokenException'), ok(), ok()], { credentials });
    await run(api.call('StartSession', {}));
    await expect(run(api.call('StartSession', {}))).rejects.toThrow(CredentialsRefusedError);
    await run(api.call('StartSession', {}));
    await run(api.call('StartSession', {}));
    expect(asked).toEqual([false, false, true, false].map((forceRefresh) => ({ forceRefresh })));
  });

  test('does not blame the clock for a wrong key', async () => {
    const now = new VirtualClock().now();
    const headers = { date: new Date(now).toUTCString() };
    const { api, requests, run } = scripted([refused('InvalidSignatureException', '', headers), ok()]);
    await expect(run(api.call('StartSession', {}))).rejects.toThrow(CredentialsRefusedError);
    expect(requests).toHaveLength(1);
  });
});
