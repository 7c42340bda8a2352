/** `@aws-sdk/client-ssm` on documents, tags, settings and rates, over HTTP on the loopback interface. */
import * as ssm from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Server, serve } from '../../src/node/serve.ts';
import { SessionManagerService } from '../../src/service/index.ts';
import { ACCOUNT, JANE, jane, NODE, REGION } from './world.ts';

const NAME = 'Acme-TailLog';
const TIER = '/ssm/managed-instance/activation-tier';
const content = (description: string) =>
  JSON.stringify({
    schemaVersion: '1.0',
    description,
    sessionType: 'InteractiveCommands',
    parameters: { path: { type: 'String', allowedPattern: '[a-z/]+', default: '/var/log' } },
    properties: { linux: { commands: 'tail -f {{ path }}' } },
  });

let service: SessionManagerService;
let server: Server;
let client: ssm.SSMClient;

beforeAll(async () => {
  service = new SessionManagerService({
    region: REGION,
    accountId: ACCOUNT,
    credentials: (accessKeyId) =>
      accessKeyId === JANE.accessKeyId ? { ...JANE, principal: jane } : undefined,
    limits: { documents: 2, documentVersions: 3, documentAccounts: 1 },
    // One call in a thousand seconds: the second is one too many, whatever the machine's pace.
    rates: { DescribeSessions: 0.001 },
  });
  server = await serve(service);
  client = newClient(1);
  await service.registerTarget({ id: NODE });
});

afterAll(async () => {
  client.destroy();
  await service.close();
  await server.close();
});

function newClient(maxAttempts: number): ssm.SSMClient {
  const { accessKeyId, secretAccessKey } = JANE;
  return new ssm.SSMClient({
    region: REGION,
    endpoint: server.url,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts,
  });
}

const thrown = (send: Promise<unknown>) =>
  send.then(
    () => undefined,
    (error: unknown) => error,
  );

test('a document from CreateDocument to DeleteDocument', async () => {
  const { DocumentDescription: created } = await client.send(
    new ssm.CreateDocumentCommand({
      Name: NAME,
      Content: content('first'),
      DocumentType: 'Session',
      Tags: [{ Key: 'team', Value: 'web' }],
    }),
  );
  expect(created).toMatchObject({ Name: NAME, Status: 'Creating', Owner: ACCOUNT, SchemaVersion: '1.0' });
  expect(created?.CreatedDate).toBeInstanceOf(Date);

  const { DocumentDescription: updated } = await client.send(
    new ssm.UpdateDocumentCommand({ Name: NAME, Content: content('second'), DocumentVersion: '$LATEST' }),
  );
  expect(updated).toMatchObject({ Status: 'Updating', LatestVersion: '2', DefaultVersion: '1' });

  const { Description } = await client.send(
    new ssm.UpdateDocumentDefaultVersionCommand({ Name: NAME, DocumentVersion: '2' }),
  );
  expect(Description).toEqual({ Name: NAME, DefaultVersion: '2' });

  const got = await client.send(new ssm.GetDocumentCommand({ Name: NAME }));
  expect(got).toMatchObject({ Content: content('second'), DocumentVersion: '2', DocumentFormat: 'JSON' });
  const yaml = await client.send(new ssm.GetDocumentCommand({ Name: NAME, DocumentFormat: 'YAML' }));
  expect(yaml.Content).toContain('description: second\n');

  const { Document } = await client.send(
    new ssm.DescribeDocumentCommand({ Name: NAME, DocumentVersion: '1' }),
  );
  expect(Document).toMatchObject({
    Description: 'first',
    Parameters: [{ Name: 'path', Type: 'String', DefaultValue: '/var/log' }],
    Tags: [{ Key: 'team', Value: 'web' }],
  });

  const names: (string | undefined)[] = [];
  for await (const page of ssm.paginateListDocuments({ client, pageSize: 2 }, {})) {
    names.push(...(page.DocumentIdentifiers ?? []).map(({ Name }) => Name));
  }
  expect(names).toContain(NAME);
  expect(names).toContain('AWS-StartSSHSession');

  const versions: (string | undefined)[] = [];
  for await (const page of ssm.paginateListDocumentVersions({ client, pageSize: 1 }, { Name: NAME })) {
    versions.push(...(page.DocumentVersions ?? []).map(({ DocumentVersion }) => DocumentVersion));
  }
  expect(versions).toEqual(['2', '1']);

  const share = { Name: NAME, PermissionType: 'Share' } as const;
  const account = '444455556666';
  await client.send(new ssm.ModifyDocumentPermissionCommand({ ...share, AccountIdsToAdd: [account] }));
  const permission = await client.send(new ssm.DescribeDocumentPermissionCommand(share));
  expect(permission).toMatchObject({
    AccountIds: [account],
    AccountSharingInfoList: [{ AccountId: account, SharedDocumentVersion: '$DEFAULT' }],
  });
  await client.send(new ssm.ModifyDocumentPermissionCommand({ ...share, AccountIdsToRemove: [account] }));

  await client.send(new ssm.DeleteDocumentCommand({ Name: NAME }));
  expect(await thrown(client.send(new ssm.GetDocumentCommand({ Name: NAME })))).toBeInstanceOf(
    ssm.InvalidDocument,
  );
});

describe('tags', () => {
  const resource = { ResourceType: 'ManagedInstance', ResourceId: NODE } as const;

  test('of a node are added, listed, removed, and found by', async () => {
    await client.send(
      new ssm.AddTagsToResourceCommand({ ...resource, Tags: [{ Key: 'team', Value: 'web' }] }),
    );
    const { TagList } = await client.send(new ssm.ListTagsForResourceCommand(resource));
    expect(TagList).toEqual([{ Key: 'team', Value: 'web' }]);
    const { InstanceInformationList } = await client.send(
      new ssm.DescribeInstanceInformationCommand({ Filters: [{ Key: 'tag:team', Values: ['web'] }] }),
    );
    expect(InstanceInformationList).toMatchObject([{ InstanceId: NODE }]);
    await client.send(new ssm.RemoveTagsFromResourceCommand({ ...resource, TagKeys: ['team'] }));
    expect((await client.send(new ssm.ListTagsForResourceCommand(resource))).TagList).toEqual([]);
  });
});

test('a setting is read, changed and set back', async () => {
  const get = async () =>
    (await client.send(new ssm.GetServiceSettingCommand({ SettingId: TIER }))).ServiceSetting;
  expect(await get()).toMatchObject({ SettingValue: 'advanced', Status: 'Default' });
  await client.send(new ssm.UpdateServiceSettingCommand({ SettingId: TIER, SettingValue: 'standard' }));
  expect(await get()).toMatchObject({ Status: 'Customized', LastModifiedDate: expect.any(Date) });
  const { ServiceSetting } = await client.send(new ssm.ResetServiceSettingCommand({ SettingId: TIER }));
  expect(ServiceSetting).toMatchObject({ SettingValue: 'advanced', Status: 'Default' });
});

describe('errors arrive as the SDK’s own classes', () => {
  const OTHER = 'Acme-Other';
  const create = (input: object) =>
    new ssm.CreateDocumentCommand({
      Name: OTHER,
      Content: content('first'),
      DocumentType: 'Session',
      ...input,
    });
  const update = (input: object) =>
    new ssm.UpdateDocumentCommand({ Name: OTHER, Content: content('new'), ...input });
  const share = { Name: OTHER, PermissionType: 'Share' } as const;

  beforeAll(async () => {
    await client.send(create({ VersionName: 'one' }));
    await client.send(create({ Name: 'Acme-Full' }));
    for (const description of ['2', '3']) {
      await client.send(update({ Name: 'Acme-Full', Content: content(description) }));
    }
    await client.send(
      new ssm.ModifyDocumentPermissionCommand({
        ...share,
        Name: 'Acme-Full',
        AccountIdsToAdd: ['444455556666'],
      }),
    );
  });

  test.each<[string, new (...args: never[]) => Error, { readonly input: object }]>([
    ['DocumentAlreadyExists', ssm.DocumentAlreadyExists, create({})],
    ['DocumentLimitExceeded', ssm.DocumentLimitExceeded, create({ Name: 'Acme-Third' })],
    ['InvalidDocumentContent', ssm.InvalidDocumentContent, create({ Content: '{' })],
    ['InvalidDocumentSchemaVersion', ssm.InvalidDocumentSchemaVersion, create({ Content: '{}' })],
    [
      'MaxDocumentSizeExceeded',
      ssm.MaxDocumentSizeExceeded,
      create({ Content: content('x'.repeat(65_536)) }),
    ],
    ['InvalidDocument', ssm.InvalidDocument, update({ Name: 'Acme-Nothing' })],
    ['InvalidDocumentVersion', ssm.InvalidDocumentVersion, update({ DocumentVersion: '7' })],
    ['DuplicateDocumentContent', ssm.DuplicateDocumentContent, update({ Content: content('first') })],
    ['DuplicateDocumentVersionName', ssm.DuplicateDocumentVersionName, update({ VersionName: 'one' })],
    ['DocumentVersionLimitExceeded', ssm.DocumentVersionLimitExceeded, update({ Name: 'Acme-Full' })],
    [
      'InvalidDocumentOperation',
      ssm.InvalidDocumentOperation,
      new ssm.DeleteDocumentCommand({ Name: 'Acme-Full' }),
    ],
    [
      'InvalidDocumentOperation',
      ssm.InvalidDocumentOperation,
      new ssm.DeleteDocumentCommand({ Name: OTHER, DocumentVersion: '$DEFAULT' }),
    ],
    ['InvalidNextToken', ssm.InvalidNextToken, new ssm.ListDocumentsCommand({ NextToken: 'x' })],
    [
      'InvalidFilterKey',
      ssm.InvalidFilterKey,
      new ssm.ListDocumentsCommand({ Filters: [{ Key: 'X', Values: ['x'] }] }),
    ],
    [
      'InvalidPermissionType',
      ssm.InvalidPermissionType,
      new ssm.DescribeDocumentPermissionCommand({ ...share, PermissionType: 'Give' as never }),
    ],
    [
      'DocumentPermissionLimit',
      ssm.DocumentPermissionLimit,
      new ssm.ModifyDocumentPermissionCommand({
        ...share,
        AccountIdsToAdd: ['444455556666', '555566667777'],
      }),
    ],
    [
      'ServiceSettingNotFound',
      ssm.ServiceSettingNotFound,
      new ssm.GetServiceSettingCommand({ SettingId: '/ssm/none' }),
    ],
    [
      'InvalidResourceType',
      ssm.InvalidResourceType,
      new ssm.ListTagsForResourceCommand({ ResourceType: 'Parameter', ResourceId: 'x' }),
    ],
    [
      'InvalidResourceId',
      ssm.InvalidResourceId,
      new ssm.ListTagsForResourceCommand({ ResourceType: 'Document', ResourceId: 'Acme-Nothing' }),
    ],
    [
      'TooManyTagsError',
      ssm.TooManyTagsError,
      new ssm.AddTagsToResourceCommand({
        ResourceType: 'Document',
        ResourceId: OTHER,
        Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' })),
      }),
    ],
  ])('%s', async (name, errorClass, command) => {
    const error = await thrown(client.send(command as ssm.CreateDocumentCommand));
    expect(error).toBeInstanceOf(errorClass);
    expect(error).toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
  });

  test('and a rate as one that the SDK knows to try again', async () => {
    const describe = () => client.send(new ssm.DescribeSessionsCommand({ State: 'Active' }));
    await describe();
    const error = await thrown(describe());
    expect(error).toMatchObject({ name: 'ThrottlingException', message: 'Rate exceeded' });
    const attempts = newClient(2);
    const again = await thrown(attempts.send(new ssm.DescribeSessionsCommand({ State: 'Active' })));
    expect(again).toMatchObject({ name: 'ThrottlingException', $metadata: { attempts: 2 } });
    attempts.destroy();
  });
});
