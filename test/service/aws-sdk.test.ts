/** `@aws-sdk/client-ssm` against the service, over HTTP on the loopback interface. */
import {
  DescribeSessionsCommand,
  DoesNotExistException,
  GetConnectionStatusCommand,
  InvalidDocument,
  InvalidFilterKey,
  InvalidNextToken,
  paginateDescribeSessions,
  ResumeSessionCommand,
  SSMClient,
  type SSMClientConfig,
  SSMServiceException,
  StartSessionCommand,
  TargetNotConnected,
  TerminateSessionCommand,
} from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deferred } from '../../src/base/deferred.ts';
import { defaultPlatform } from '../../src/core/runtime.ts';
import { signRequest } from '../../src/crypto/index.ts';
import { type Server, serve } from '../../src/node/serve.ts';
import { SessionManagerService } from '../../src/service/index.ts';
import { ACCOUNT, JANE, jane, NODE, nodeCredentials, REGION } from './world.ts';

// Real sockets and the SDK run on real time.
const { clock, transport } = defaultPlatform();

let service: SessionManagerService;
let server: Server;
let client: SSMClient;

const nodeConnected = deferred();

/** What the last request of the client was, to be altered and sent again. */
let last: { url: string; headers: Record<string, string>; body: string };

beforeAll(async () => {
  service = new SessionManagerService({
    region: REGION,
    accountId: ACCOUNT,
    credentials: (accessKeyId) => {
      if (accessKeyId === JANE.accessKeyId) return { ...JANE, principal: jane };
      const node = nodeCredentials(NODE);
      return accessKeyId === node.accessKeyId ? { ...node, principal: jane, targetId: NODE } : undefined;
    },
    onEvent: ({ type }) => {
      if (type === 'node') nodeConnected.resolve();
    },
  });
  server = await serve(service);
  client = newClient({});
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers, body } = args.request as { headers: Record<string, string>; body: Uint8Array };
      last = { url: server.url, headers: { ...headers }, body: new TextDecoder().decode(body) };
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low', override: true, name: 'keepSigned' },
  );
  await service.registerTarget({ id: NODE });
  await connectNode();
});

afterAll(async () => {
  client.destroy();
  await service.close();
  await server.close();
});

function newClient(config: object): SSMClient {
  return new SSMClient({
    region: REGION,
    endpoint: server.url,
    credentials: { ...JANE },
    maxAttempts: 1,
    ...config,
  } as SSMClientConfig);
}

async function connectNode(): Promise<void> {
  const path = `/v1/control-channel/${NODE}`;
  const options = { credentials: nodeCredentials(NODE), region: REGION, service: 'ssmmessages' };
  const url = new URL(path, server.url);
  const body = new TextEncoder().encode('{"MessageSchemaVersion":"1.0","RequestId":"r"}');
  const headers = await signRequest(
    { method: 'POST', url, headers: {}, body },
    { ...options, now: clock.now() },
  );
  delete headers.host;
  const response = await transport.fetch(new Request(url, { method: 'POST', headers, body }));
  expect(response.status).toBe(201);
  const token = /<TokenValue>(.*)<\/TokenValue>/.exec(await response.text())?.[1];
  const upgrade = await signRequest({ method: 'GET', url, headers: {} }, { ...options, now: clock.now() });
  delete upgrade.host;
  const socket = await transport.connect(url.href.replace('http', 'ws'), { headers: upgrade });
  socket.handler = { message() {}, closed() {} };
  socket.send(JSON.stringify({ MessageSchemaVersion: '1.0', TokenValue: token }));
  await nodeConnected.promise;
}

describe('the five calls', () => {
  test('from StartSession to TerminateSession', async () => {
    const status = await client.send(new GetConnectionStatusCommand({ Target: NODE }));
    expect(status).toMatchObject({ Target: NODE, Status: 'connected' });

    const started = await client.send(new StartSessionCommand({ Target: NODE, Reason: 'test' }));
    expect(started.SessionId).toMatch(/^jane-/);
    expect(started.StreamUrl).toBe(
      `${server.url.replace('http', 'ws')}/v1/data-channel/${started.SessionId}?role=publish_subscribe`,
    );
    expect(started.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);

    const { SessionId } = started;
    const resumed = await client.send(new ResumeSessionCommand({ SessionId }));
    expect(resumed).toMatchObject({ SessionId, StreamUrl: started.StreamUrl });
    expect(resumed.TokenValue).not.toBe(started.TokenValue);

    const described = await client.send(
      new DescribeSessionsCommand({ State: 'Active', Filters: [{ key: 'SessionId', value: SessionId }] }),
    );
    expect(described.Sessions).toMatchObject([
      { SessionId, Target: NODE, Status: 'Connecting', Owner: jane.arn, Reason: 'test' },
    ]);
    expect(described.Sessions?.[0]?.StartDate).toBeInstanceOf(Date);

    expect(await client.send(new TerminateSessionCommand({ SessionId }))).toMatchObject({ SessionId });
    expect((await client.send(new ResumeSessionCommand({ SessionId }))).TokenValue).toBeUndefined();
  });

  test('the paginator walks through all pages', async () => {
    const started = new Set<string | undefined>();
    for (let i = 0; i < 3; i++) {
      started.add((await client.send(new StartSessionCommand({ Target: NODE }))).SessionId);
    }
    const found = new Set<string | undefined>();
    for await (const page of paginateDescribeSessions({ client, pageSize: 2 }, { State: 'Active' })) {
      for (const { SessionId } of page.Sessions ?? []) found.add(SessionId);
    }
    for (const SessionId of started) expect(found).toContain(SessionId);
  });
});

describe('errors arrive as the SDK’s own classes', () => {
  const thrown = (send: Promise<unknown>) =>
    send.then(
      () => undefined,
      (error: unknown) => error,
    );

  test.each([
    [TargetNotConnected, new StartSessionCommand({ Target: 'mi-00000000000000000' })],
    [InvalidDocument, new StartSessionCommand({ Target: NODE, DocumentName: 'No-Such-Document' })],
    [DoesNotExistException, new ResumeSessionCommand({ SessionId: 'jane-nothing' })],
    [
      InvalidFilterKey,
      new DescribeSessionsCommand({ State: 'Active', Filters: [{ key: 'X' as never, value: 'x' }] }),
    ],
    [InvalidNextToken, new DescribeSessionsCommand({ State: 'Active', NextToken: 'nonsense' })],
  ])('%o', async (errorClass, command) => {
    expect(await thrown(client.send(command as StartSessionCommand))).toBeInstanceOf(errorClass);
  });

  test('and those that the model does not know, by name', async () => {
    const error = await thrown(
      client.send(new StartSessionCommand({ Target: NODE, Parameters: { a: ['b'] } })),
    );
    expect(error).toBeInstanceOf(SSMServiceException);
    expect(error).toMatchObject({ name: 'InvalidParameters', $metadata: { httpStatusCode: 400 } });
    const invalid = await thrown(client.send(new StartSessionCommand({ Target: '' })));
    expect(invalid).toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining("at 'target' failed to satisfy constraint"),
    });
  });

  test('and those of parameters, by name, with what was wrong', async () => {
    const start = (host: string) =>
      client.send(
        new StartSessionCommand({
          Target: NODE,
          DocumentName: 'AWS-StartPortForwardingSessionToRemoteHost',
          Parameters: { portNumber: ['5432'], host: [host] },
        }),
      );
    expect(await start('db.internal')).toMatchObject({ TokenValue: expect.any(String) });
    expect(await thrown(start('$(id)'))).toMatchObject({
      name: 'InvalidParameters',
      message: expect.stringContaining('Parameter "host" has value "$(id)" not matching "'),
    });
  });

  test.each([
    ['region', { region: 'eu-west-1' }, 'InvalidSignatureException'],
    ['secret', { credentials: { ...JANE, secretAccessKey: 'other' } }, 'InvalidSignatureException'],
    ['access key', { credentials: { ...JANE, accessKeyId: 'AKIAOTHER' } }, 'UnrecognizedClientException'],
    ['session token', { credentials: { ...JANE, sessionToken: 'other' } }, 'UnrecognizedClientException'],
    ['clock', { systemClockOffset: 3_600_000 }, 'InvalidSignatureException'],
  ])('a wrong %s', async (_, config, name) => {
    const other = newClient(config);
    expect(await thrown(other.send(new DescribeSessionsCommand({ State: 'Active' })))).toMatchObject({
      name,
    });
    other.destroy();
  });
});

describe('a request of the SDK with one thing changed is refused', () => {
  beforeAll(async () => {
    await client.send(new DescribeSessionsCommand({ State: 'Active' }));
  });

  async function send(change: (request: typeof last) => void) {
    const request = { ...last, headers: { ...last.headers } };
    change(request);
    const { host: _, 'content-length': __, ...headers } = request.headers;
    const response = await transport.fetch(
      new Request(request.url, { method: 'POST', headers, body: request.body }),
    );
    return { status: response.status, type: response.headers.get('x-amzn-errortype') };
  }

  type Change = (request: typeof last) => void;

  const authorization =
    (from: string | RegExp, to: string | ((match: string) => string)): Change =>
    ({ headers }) => {
      headers.authorization = headers.authorization!.replace(from, to as string);
    };

  const changes: [string, Change][] = [
    [
      'a body byte',
      (request) => {
        request.body = request.body.replace('Active', 'active');
      },
    ],
    [
      'the query',
      (request) => {
        request.url += '/?a=b';
      },
    ],
    [
      'the date',
      ({ headers }) => {
        headers['x-amz-date'] = '20260101T000000Z';
      },
    ],
    ['the region', authorization(REGION, 'eu-west-1')],
    ['the service', authorization('/ssm/', '/ssmmessages/')],
    ['the day of the scope', authorization(/\/\d{8}\//, '/20200101/')],
    ['the signature', authorization(/.$/, (digit) => (digit === '0' ? '1' : '0'))],
  ];

  test('unchanged it passes', async () => {
    expect(await send(() => {})).toEqual({ status: 200, type: null });
  });

  test.each(changes)('%s', async (_, change) => {
    expect(await send(change)).toEqual({ status: 400, type: 'InvalidSignatureException' });
  });

  test('every signed header', async () => {
    const names = /SignedHeaders=([^,]+)/.exec(last.headers.authorization!)![1]!.split(';');
    // Host and length are the connection's: they cannot be sent wrong with this client.
    const own = names.filter((name) => name !== 'host' && name !== 'content-length');
    expect(own).toContain('x-amz-target');
    for (const name of own) {
      const { status, type } = await send(({ headers }) => {
        headers[name] = name === 'x-amz-target' ? 'AmazonSSM.StartSession' : `${headers[name]}0`;
      });
      expect([name, status, type]).toEqual([name, 400, 'InvalidSignatureException']);
    }
  });
});
