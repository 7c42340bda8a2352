/** Activations and hybrid nodes by `@aws-sdk/client-ssm`, and a machine that speaks HTTP as Go does, on the loopback interface. */
import { request } from 'node:http';
import {
  CreateActivationCommand,
  DeleteActivationCommand,
  DeregisterManagedInstanceCommand,
  DescribeActivationsCommand,
  DescribeInstanceInformationCommand,
  InvalidActivationId,
  InvalidFilter,
  InvalidFilterKey,
  InvalidInstanceId,
  InvalidInstanceInformationFilterValue,
  InvalidNextToken,
  InvalidParameters,
  paginateDescribeActivations,
  SSMClient,
  UpdateManagedInstanceRoleCommand,
} from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultPlatform } from '../../src/core/runtime.ts';
import { signRequest } from '../../src/crypto/index.ts';
import { type Server, serve } from '../../src/node/serve.ts';
import { SessionManagerService } from '../../src/service/index.ts';
import { fingerprint, nodeHeaders, publicKeyOf, rsaKey } from './machine.ts';
import { ACCOUNT, JANE, jane, REGION } from './world.ts';

// Real sockets and the SDK run on real time.
const { clock } = defaultPlatform();

let service: SessionManagerService;
let server: Server;
let client: SSMClient;

beforeAll(async () => {
  service = new SessionManagerService({
    region: REGION,
    accountId: ACCOUNT,
    credentials: (id) => (id === JANE.accessKeyId ? { ...JANE, principal: jane } : undefined),
  });
  server = await serve(service);
  const { accessKeyId, secretAccessKey } = JANE;
  client = new SSMClient({
    region: REGION,
    endpoint: server.url,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  });
});

afterAll(async () => {
  client.destroy();
  await service.close();
  await server.close();
});

/** Without a length, so chunked, as the agent's role token call is. */
function post(headers: Record<string, string>, body: string): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const outgoing = request(server.url, { method: 'POST', headers }, async (response) => {
      let text = '';
      for await (const part of response) text += part;
      resolve(JSON.parse(text));
    });
    outgoing.on('error', reject);
    outgoing.write(body.slice(0, 5));
    outgoing.end(body.slice(5));
  });
}

test('a machine from its activation to its end', async () => {
  const ExpirationDate = new Date(clock.now() + 3_600_000);
  const activation = await client.send(
    new CreateActivationCommand({
      IamRole: 'Fleet',
      DefaultInstanceName: 'web',
      Description: 'test',
      RegistrationLimit: 2,
      ExpirationDate,
      Tags: [{ Key: 'team', Value: 'web' }],
    }),
  );
  const { ActivationId, ActivationCode } = activation;
  const described = await client.send(
    new DescribeActivationsCommand({
      Filters: [{ FilterKey: 'ActivationIds', FilterValues: [ActivationId!] }],
    }),
  );
  expect(described.ActivationList).toEqual([
    {
      ActivationId,
      DefaultInstanceName: 'web',
      Description: 'test',
      IamRole: 'Fleet',
      RegistrationLimit: 2,
      RegistrationsCount: 0,
      ExpirationDate,
      Expired: false,
      CreatedDate: expect.any(Date),
      Tags: [{ Key: 'team', Value: 'web' }],
    },
  ]);

  const { InstanceId } = (await post(
    {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonSSM.RegisterManagedInstance',
    },
    JSON.stringify({
      ActivationCode,
      ActivationId,
      Fingerprint: fingerprint(1),
      PublicKey: publicKeyOf(rsaKey()),
      PublicKeyType: 'Rsa',
    }),
  )) as { InstanceId: string };
  const body = JSON.stringify({ Fingerprint: fingerprint(1) });
  const operation = 'RequestManagedInstanceRoleToken';
  const { host } = new URL(server.url);
  const token = await post(
    nodeHeaders({ id: InstanceId, operation, body, key: rsaKey(), now: clock.now(), host }),
    body,
  );
  const ping = JSON.stringify({
    InstanceId,
    AgentVersion: '3.3.0.0',
    PlatformType: 'Linux',
    IPAddress: '10.0.0.7',
  });
  const headers = await signRequest(
    {
      method: 'POST',
      url: new URL(server.url),
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AmazonSSM.UpdateInstanceInformation',
      },
      body: new TextEncoder().encode(ping),
    },
    {
      credentials: {
        accessKeyId: token.AccessKeyId as string,
        secretAccessKey: token.SecretAccessKey as string,
        sessionToken: token.SessionToken as string,
      },
      region: REGION,
      service: 'ssm',
      now: clock.now(),
    },
  );
  expect(await post(headers, ping)).toEqual({});

  const { InstanceInformationList } = await client.send(
    new DescribeInstanceInformationCommand({ Filters: [{ Key: 'tag:team', Values: ['web'] }] }),
  );
  expect(InstanceInformationList).toMatchObject([
    {
      InstanceId,
      ActivationId,
      PingStatus: 'Online',
      LastPingDateTime: expect.any(Date),
      RegistrationDate: expect.any(Date),
      IamRole: 'Fleet',
      Name: 'web',
      IPAddress: '10.0.0.7',
    },
  ]);
  await client.send(new UpdateManagedInstanceRoleCommand({ InstanceId, IamRole: 'Other' }));
  await client.send(new DeregisterManagedInstanceCommand({ InstanceId }));
  await client.send(new DeleteActivationCommand({ ActivationId }));
  expect((await client.send(new DescribeInstanceInformationCommand({}))).InstanceInformationList).toEqual([]);
  expect(
    await post(nodeHeaders({ id: InstanceId, operation, body, key: rsaKey(), now: clock.now(), host }), body),
  ).toMatchObject({ __type: 'InvalidInstanceId' });
});

test('the paginator walks through all activations', async () => {
  const made = new Set<string | undefined>();
  for (let i = 0; i < 3; i++) {
    made.add((await client.send(new CreateActivationCommand({ IamRole: 'Paged' }))).ActivationId);
  }
  const found = new Set<string | undefined>();
  const input = { Filters: [{ FilterKey: 'IamRole' as const, FilterValues: ['Paged'] }] };
  for await (const page of paginateDescribeActivations({ client, pageSize: 2 }, input)) {
    for (const { ActivationId } of page.ActivationList ?? []) found.add(ActivationId);
  }
  expect(found).toEqual(made);
});

describe('errors arrive as the SDK’s own classes', () => {
  const unknown = '00000000-0000-4000-8000-000000000000';

  test.each([
    [InvalidParameters, new CreateActivationCommand({ IamRole: 'A', ExpirationDate: new Date(0) })],
    [InvalidActivationId, new DeleteActivationCommand({ ActivationId: unknown })],
    [InvalidFilter, new DescribeActivationsCommand({ Filters: [{}] })],
    [InvalidNextToken, new DescribeActivationsCommand({ NextToken: 'nonsense' })],
    [InvalidInstanceId, new DeregisterManagedInstanceCommand({ InstanceId: 'mi-00000000000000000' })],
    [
      InvalidFilterKey,
      new DescribeInstanceInformationCommand({ Filters: [{ Key: 'Colour', Values: ['red'] }] }),
    ],
    [
      InvalidInstanceInformationFilterValue,
      new DescribeInstanceInformationCommand({ Filters: [{ Key: 'PingStatus', Values: ['Away'] }] }),
    ],
  ])('%o', async (errorClass, command) => {
    await expect(client.send(command as CreateActivationCommand)).rejects.toBeInstanceOf(errorClass);
  });
});
