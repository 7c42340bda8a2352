/** CreateDocument to DescribeDocumentPermission (CONTROL-PLANE.md section 2.6). */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type AuthorizationRequest, allowAll } from '../../src/policy/index.ts';
import { memoryStore } from '../../src/service/index.ts';
import { ACCOUNT, JANE, jane, NODE, type World, type WorldOptions, world } from './world.ts';

const NAME = 'Acme-TailLog';
const OTHER_ACCOUNT = '444455556666';
const BOB = { accessKeyId: 'AKIABOB', secretAccessKey: 'bob-secret' };
const bob = {
  arn: `arn:aws:iam::${OTHER_ACCOUNT}:user/bob`,
  userId: 'AIDABOB',
  accountId: OTHER_ACCOUNT,
  userName: 'bob',
};

const SHELL = { schemaVersion: '1.0', sessionType: 'Standard_Stream', inputs: { idleSessionTimeout: '5' } };
const shell = (description: string) => JSON.stringify({ ...SHELL, description });

const create = (w: World, members: object = {}) =>
  w.call('CreateDocument', { Name: NAME, Content: shell('first'), DocumentType: 'Session', ...members });

async function refusal(w: World, operation: string, input: object, credentials = JANE) {
  const { status, body } = await w.call(operation, input, credentials);
  return [status, body.__type, body.message];
}

/** With a document of three versions, the first of them the default. */
async function three(options: WorldOptions = {}): Promise<World> {
  const w = world(options);
  expect((await create(w, { VersionName: 'one' })).status).toBe(200);
  for (const description of ['second', 'third']) {
    await w.clock.advance(1000);
    await w.ok('UpdateDocument', {
      Name: NAME,
      Content: shell(description),
      VersionName: `v-${description}`,
    });
  }
  return w;
}

/** As `three`, with bob of another account, whom the policies let do everything. */
function shared(options: WorldOptions = {}): Promise<World> {
  return three({
    authorize: allowAll,
    callers: [{ ...BOB, principal: bob }],
    ...options,
  });
}

const described = async (w: World, members: object = {}) =>
  (await w.ok('DescribeDocument', { Name: NAME, ...members })).Document as Record<string, unknown>;

describe('CreateDocument', () => {
  test('answers with what the document is', async () => {
    const w = world();
    const Content = JSON.stringify({
      ...SHELL,
      description: 'Tails a log',
      parameters: {
        path: { type: 'String', description: 'Which', default: '/var/log/syslog' },
        lines: { type: 'Integer', default: 10 },
        names: { type: 'StringList', default: ['a'] },
        other: { type: 'String' },
      },
    });
    const { body } = await create(w, {
      Content,
      VersionName: 'one',
      DisplayName: 'Tail a log',
      TargetType: '/AWS::EC2::Instance',
      Tags: [{ Key: 'team', Value: 'web' }],
    });
    expect(body.DocumentDescription).toEqual({
      Hash: createHash('sha256').update(Content).digest('hex'),
      HashType: 'Sha256',
      Name: NAME,
      VersionName: 'one',
      DisplayName: 'Tail a log',
      Owner: ACCOUNT,
      CreatedDate: Date.UTC(2026, 0, 1) / 1000,
      Status: 'Creating',
      DocumentVersion: '1',
      Description: 'Tails a log',
      Parameters: [
        { Name: 'path', Type: 'String', Description: 'Which', DefaultValue: '/var/log/syslog' },
        { Name: 'lines', Type: 'String', DefaultValue: '10' },
        { Name: 'names', Type: 'StringList', DefaultValue: '["a"]' },
        { Name: 'other', Type: 'String' },
      ],
      PlatformTypes: ['Windows', 'Linux', 'MacOS'],
      DocumentType: 'Session',
      SchemaVersion: '1.0',
      LatestVersion: '1',
      DefaultVersion: '1',
      DocumentFormat: 'JSON',
      TargetType: '/AWS::EC2::Instance',
      Tags: [{ Key: 'team', Value: 'web' }],
    });
    expect(await described(w)).toEqual({ ...(body.DocumentDescription as object), Status: 'Active' });
  });

  test('takes YAML, and sessions can be started with it', async () => {
    const w = world();
    const Content = "schemaVersion: '1.0'\nsessionType: Standard_Stream\ninputs:\n  runAsEnabled: true\n";
    expect((await create(w, { Content, DocumentFormat: 'YAML' })).status).toBe(200);
    const node = await w.node();
    await w.start({ DocumentName: NAME });
    const [task] = node.control.json('interactive_shell');
    expect(JSON.parse(task?.Content as string).DocumentContent).toEqual({
      schemaVersion: '1.0',
      sessionType: 'Standard_Stream',
      inputs: { runAsEnabled: true },
    });
  });

  const invalid = (why: string) => `The session document "${NAME}" cannot be used: ${why}.`;

  test.each<[string, string | RegExp, object]>([
    ['DocumentAlreadyExists', `Document with name ${NAME} already exists.`, {}],
    [
      'MaxDocumentSizeExceeded',
      'The size limit of a document is 64 KB.',
      { Content: shell('x'.repeat(65_536)) },
    ],
    ['InvalidDocumentContent', /^The content is not JSON: /, { Content: '{' }],
    ['InvalidDocumentContent', /^The content is not YAML: /, { Content: '{a: [', DocumentFormat: 'YAML' }],
    ['InvalidDocumentContent', invalid('it must be an object'), { Content: '"text"' }],
    [
      'InvalidDocumentContent',
      invalid('sessionType must be a string'),
      { Content: '{"schemaVersion":"1.0"}' },
    ],
    [
      'InvalidDocumentContent',
      invalid('inputs has {{ minutes }}, which is no parameter of it').replace(
        'inputs',
        'inputs.maxSessionDuration',
      ),
      { Content: JSON.stringify({ ...SHELL, inputs: { maxSessionDuration: '{{ minutes }}' } }) },
    ],
    [
      'InvalidDocumentSchemaVersion',
      invalid('schemaVersion must be "1.0"'),
      { Content: '{"schemaVersion":"2.2"}' },
    ],
    [
      'ValidationException',
      "Document type: 'Command' is not supported. Only type: 'Session' is supported for Session Manager.",
      { DocumentType: undefined },
    ],
    [
      'ValidationException',
      "1 validation error detected: Value 'amzn-Shell' at 'name' failed to satisfy constraint: Member must not begin with aws, amazon or amzn",
      { Name: 'amzn-Shell' },
    ],
    [
      'ValidationException',
      "1 validation error detected: Value 'a b c' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9_\\-.]{3,128}$",
      { Name: 'a b c' },
    ],
    [
      'ValidationException',
      "1 validation error detected: Value 'TEXT' at 'documentFormat' failed to satisfy constraint: Member must satisfy enum value set: [YAML, JSON]",
      { DocumentFormat: 'TEXT' },
    ],
    ['ValidationException', /at 'content' failed/, { Content: '' }],
  ])('%s: %s', async (code, text, members) => {
    const w = world();
    await create(w);
    const { status, body } = await create(w, members);
    expect([status, body.__type]).toEqual([400, code]);
    if (typeof text === 'string') expect(body.message).toBe(text);
    else expect(body.message).toMatch(text);
  });

  test('refuses one document more than there can be', async () => {
    const w = world({ limits: { documents: 1 } });
    await create(w);
    expect(
      await refusal(w, 'CreateDocument', { Name: 'Acme-Two', Content: shell(''), DocumentType: 'Session' }),
    ).toEqual([400, 'DocumentLimitExceeded', 'You can have at most 1 active SSM documents.']);
  });

  test.each([
    [
      'aliases that grow',
      `a: &a [x,x]\n${Array.from({ length: 30 }, (_, i) => `a${i}: &a${i} [*a${i || ''},*a]`).join('\n')}`,
    ],
    ['aliases by the hundred', `a: &a [${'x,'.repeat(50)}]\nb: [${'*a,'.repeat(500)}]`],
    ['nesting', '['.repeat(60_000)],
    ['nested maps', '{a: '.repeat(15_000)],
    ['nested sequences', '- '.repeat(32_000)],
    ['nested keys', '? '.repeat(32_000)],
    ['indentation', Array.from({ length: 350 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['keys by the thousand', `{${Array.from({ length: 8000 }, (_, i) => `k${i}: 1`).join(',')}}`],
    ['several documents', 'a: 1\n---\nb: 2\n'],
    ['nothing', '# nothing\n'],
    ['tags of JavaScript', 'a: !!js/function "function(){}"'],
  ])('YAML made of %s is refused, and breaks nothing', async (_, Content) => {
    const { status, body } = await create(world(), { Content, DocumentFormat: 'YAML' });
    expect(status).toBe(400);
    expect(body.__type).toMatch(
      /^(InvalidDocumentContent|InvalidDocumentSchemaVersion|MaxDocumentSizeExceeded)$/,
    );
  });

  test('a key that every object inherits is a key like others', async () => {
    const w = world();
    const Content =
      '{"schemaVersion":"1.0","sessionType":"Standard_Stream","__proto__":{"inputs":{"kmsKeyId":"k"}}}';
    expect((await create(w, { Content })).status).toBe(200);
    expect((await w.ok('GetDocument', { Name: NAME, DocumentFormat: 'YAML' })).Content).toContain(
      '__proto__',
    );
  });
});

describe('UpdateDocument', () => {
  test('adds a version, and leaves the default as it is', async () => {
    const w = world();
    await create(w);
    const { DocumentDescription } = await w.ok('UpdateDocument', {
      Name: NAME,
      Content: shell('second'),
      DocumentVersion: '$LATEST',
      VersionName: 'two',
      TargetType: '/AWS::EC2::Instance',
    });
    expect(DocumentDescription).toMatchObject({
      Status: 'Updating',
      DocumentVersion: '2',
      LatestVersion: '2',
      DefaultVersion: '1',
      VersionName: 'two',
      Description: 'second',
      TargetType: '/AWS::EC2::Instance',
    });
    expect(await described(w)).toMatchObject({
      DocumentVersion: '1',
      LatestVersion: '2',
      Description: 'first',
    });
  });

  test.each<[string, string, object]>([
    ['InvalidDocument', 'Document with name Acme-Nothing does not exist.', { Name: 'Acme-Nothing' }],
    [
      'InvalidDocumentVersion',
      'The document version is not valid or does not exist.',
      { DocumentVersion: '1' },
    ],
    [
      'InvalidDocumentVersion',
      'The document version is not valid or does not exist.',
      { DocumentVersion: '$DEFAULT' },
    ],
    [
      'InvalidDocumentVersion',
      'The document version is not valid or does not exist.',
      { DocumentVersion: '9' },
    ],
    [
      'DuplicateDocumentContent',
      'The content is that of version 3, the latest, already.',
      { Content: shell('third') },
    ],
    [
      'DuplicateDocumentVersionName',
      'The version name one has been used in this document.',
      { VersionName: 'one' },
    ],
    [
      'MaxDocumentSizeExceeded',
      'The size limit of a document is 64 KB.',
      { Content: shell('x'.repeat(65_536)) },
    ],
    [
      'InvalidDocumentSchemaVersion',
      `The session document "${NAME}" cannot be used: schemaVersion must be "1.0".`,
      { Content: '{}' },
    ],
    [
      'InvalidDocumentOperation',
      "Document AWS-StartSSHSession cannot be changed: it is Amazon's, or comes with the service.",
      { Name: 'AWS-StartSSHSession' },
    ],
  ])('%s: %s %j', async (code, text, members) => {
    const w = await three();
    expect(await refusal(w, 'UpdateDocument', { Name: NAME, Content: shell('fourth'), ...members })).toEqual([
      400,
      code,
      text,
    ]);
    expect(await described(w)).toMatchObject({ LatestVersion: '3' });
  });

  test('goes back to what an older version said, and names the latest by its number', async () => {
    const w = await three();
    await w.ok('UpdateDocument', { Name: NAME, Content: shell('first'), DocumentVersion: '3' });
    expect(await described(w, { DocumentVersion: '$LATEST' })).toMatchObject({
      DocumentVersion: '4',
      Description: 'first',
    });
  });

  test('refuses one version more than there can be', async () => {
    const w = await three({ limits: { documentVersions: 3 } });
    expect(await refusal(w, 'UpdateDocument', { Name: NAME, Content: shell('fourth') })).toEqual([
      400,
      'DocumentVersionLimitExceeded',
      'The document has 3 versions, which is the limit. Delete one and try again.',
    ]);
    await w.ok('DeleteDocument', { Name: NAME, DocumentVersion: '2' });
    await w.ok('UpdateDocument', { Name: NAME, Content: shell('fourth') });
    expect(await described(w)).toMatchObject({ LatestVersion: '4' });
  });
});

describe('the default version', () => {
  test('is what sessions get, by name and by ARN', async () => {
    const w = await three();
    const node = await w.node();
    const description = async () => {
      await w.start({ DocumentName: `arn:aws:ssm:eu-central-1:${ACCOUNT}:document/${NAME}` });
      return JSON.parse(node.control.json('interactive_shell').at(-1)?.Content as string).DocumentContent
        .description;
    };
    expect(await description()).toBe('first');
    const answer = await w.ok('UpdateDocumentDefaultVersion', { Name: NAME, DocumentVersion: '2' });
    expect(answer).toEqual({
      Description: { Name: NAME, DefaultVersion: '2', DefaultVersionName: 'v-second' },
    });
    expect(await description()).toBe('second');
  });

  test.each([
    [
      { DocumentVersion: '9' },
      'InvalidDocumentVersion',
      'The document version is not valid or does not exist.',
    ],
    [{ Name: 'Acme-Nothing' }, 'InvalidDocument', 'Document with name Acme-Nothing does not exist.'],
    [
      { DocumentVersion: '$LATEST' },
      'ValidationException',
      "1 validation error detected: Value '$LATEST' at 'documentVersion' failed to satisfy constraint: Member must satisfy regular expression pattern: (^[1-9][0-9]*$)",
    ],
  ])('cannot become %j', async (members, code, text) => {
    const input = { Name: NAME, DocumentVersion: '2', ...members };
    expect(await refusal(await three(), 'UpdateDocumentDefaultVersion', input)).toEqual([400, code, text]);
  });
});

describe('GetDocument', () => {
  test.each([
    [{}, '1'],
    [{ DocumentVersion: '$DEFAULT' }, '1'],
    [{ DocumentVersion: '$LATEST' }, '3'],
    [{ DocumentVersion: '2' }, '2'],
    [{ VersionName: 'v-second' }, '2'],
    [{ VersionName: 'v-second', DocumentVersion: '2' }, '2'],
    [{ Name: `arn:aws:ssm:eu-central-1:${ACCOUNT}:document/${NAME}` }, '1'],
  ])('%j is version %s', async (members, DocumentVersion) => {
    const w = await three();
    const Content = shell(['first', 'second', 'third'][Number(DocumentVersion) - 1]!);
    expect(await w.ok('GetDocument', { Name: NAME, ...members })).toEqual({
      Name: NAME,
      CreatedDate: Date.UTC(2026, 0, 1) / 1000 + Number(DocumentVersion) - 1,
      VersionName: ['one', 'v-second', 'v-third'][Number(DocumentVersion) - 1],
      DocumentVersion,
      Status: 'Active',
      Content,
      DocumentType: 'Session',
      DocumentFormat: 'JSON',
    });
  });

  test.each([
    [
      { DocumentVersion: '4' },
      'InvalidDocumentVersion',
      'The document version is not valid or does not exist.',
    ],
    [
      { VersionName: 'none' },
      'InvalidDocumentVersion',
      'The document version is not valid or does not exist.',
    ],
    [
      { VersionName: 'one', DocumentVersion: '2' },
      'InvalidDocumentVersion',
      'The document version is not valid or does not exist.',
    ],
    [{ Name: 'Acme-Nothing' }, 'InvalidDocument', 'Document with name Acme-Nothing does not exist.'],
    [
      { Name: 'SSM-SessionManagerRunShell' },
      'InvalidDocument',
      'Document with name SSM-SessionManagerRunShell does not exist.',
    ],
    [
      { Name: `arn:aws:ssm:eu-central-1:${OTHER_ACCOUNT}:document/${NAME}` },
      'InvalidDocument',
      `Document with name arn:aws:ssm:eu-central-1:${OTHER_ACCOUNT}:document/${NAME} does not exist.`,
    ],
  ])('%j is refused, as by DescribeDocument', async (members, code, text) => {
    const w = await three();
    for (const operation of ['GetDocument', 'DescribeDocument']) {
      expect(await refusal(w, operation, { Name: NAME, ...members })).toEqual([400, code, text]);
    }
  });

  test('gives the other format when it is asked for', async () => {
    const w = world();
    const yaml = "schemaVersion: '1.0' # of sessions\nsessionType: Standard_Stream\n";
    await create(w, { Content: yaml, DocumentFormat: 'YAML' });
    const get = async (members: object) => await w.ok('GetDocument', { Name: NAME, ...members });
    expect(await get({})).toMatchObject({ Content: yaml, DocumentFormat: 'YAML' });
    const json = await get({ DocumentFormat: 'JSON' });
    expect(json).toMatchObject({ DocumentFormat: 'JSON' });
    expect(JSON.parse(json.Content as string)).toEqual({
      schemaVersion: '1.0',
      sessionType: 'Standard_Stream',
    });
    const ssh = await w.ok('GetDocument', { Name: 'AWS-StartSSHSession', DocumentFormat: 'YAML' });
    expect(ssh.Content).toContain('portNumber: "{{ portNumber }}"');
  });
});

test('the documents of Amazon are described as Amazon’s', async () => {
  const { Document } = await world().ok('DescribeDocument', { Name: 'AWS-StartSSHSession' });
  expect(Document).toMatchObject({
    Owner: 'Amazon',
    DocumentVersion: '1',
    Parameters: [{ Name: 'portNumber', Type: 'String', DefaultValue: '22' }],
  });
});

describe('ListDocuments', () => {
  const names = (answer: Record<string, unknown>) =>
    (answer.DocumentIdentifiers as { Name: string }[]).map(({ Name }) => Name);

  async function some(): Promise<World> {
    const w = world();
    await create(w, {
      Name: 'Acme-B',
      TargetType: '/AWS::EC2::Instance',
      Tags: [{ Key: 'team', Value: 'web' }],
    });
    await create(w, { Name: 'Acme-A', DisplayName: 'The first', VersionName: 'one' });
    return w;
  }

  test('lists by name, page by page', async () => {
    const w = await some();
    const first = await w.ok('ListDocuments', { MaxResults: 3 });
    const second = await w.ok('ListDocuments', { NextToken: first.NextToken });
    expect(names(first)).toHaveLength(3);
    expect(second.NextToken).toBeUndefined();
    const all = [...names(first), ...names(second)];
    expect(all).toEqual([...all].sort());
    expect(all).toEqual(expect.arrayContaining(['Acme-A', 'Acme-B', 'AWS-StartSSHSession']));
    expect(all).not.toContain('SSM-SessionManagerRunShell');
    expect(await refusal(w, 'ListDocuments', { NextToken: 'nonsense' })).toEqual([
      400,
      'InvalidNextToken',
      'The token is not valid for this request. Start again without NextToken.',
    ]);
  });

  test('says what DocumentIdentifier has', async () => {
    const w = await some();
    const { DocumentIdentifiers } = await w.ok('ListDocuments', {
      Filters: [{ Key: 'Name', Values: ['Acme-'] }],
    });
    expect(DocumentIdentifiers).toEqual([
      {
        Name: 'Acme-A',
        CreatedDate: Date.UTC(2026, 0, 1) / 1000,
        DisplayName: 'The first',
        VersionName: 'one',
        Owner: ACCOUNT,
        PlatformTypes: ['Windows', 'Linux', 'MacOS'],
        DocumentVersion: '1',
        DocumentType: 'Session',
        SchemaVersion: '1.0',
        DocumentFormat: 'JSON',
        Tags: [],
      },
      expect.objectContaining({
        Name: 'Acme-B',
        TargetType: '/AWS::EC2::Instance',
        Tags: [{ Key: 'team', Value: 'web' }],
      }),
    ]);
  });

  test.each<[string, string[], string[]]>([
    ['Owner', ['Self'], ['Acme-A', 'Acme-B']],
    ['Owner', ['Private'], []],
    ['Owner', ['Public'], []],
    ['Owner', ['ThirdParty'], []],
    ['Name', ['Acme-B', 'Nothing'], ['Acme-B']],
    ['TargetType', ['/AWS::EC2::Instance'], ['Acme-B']],
    ['tag:team', ['web', 'db'], ['Acme-B']],
    ['tag:team', ['db'], []],
    ['tag:constructor', ['x'], []],
    ['DocumentType', ['Command'], []],
    ['PlatformTypes', ['Solaris'], []],
  ])('by %s %j', async (Key, Values, found) => {
    expect(names(await (await some()).ok('ListDocuments', { Filters: [{ Key, Values }] }))).toEqual(found);
  });

  test.each([
    ['Owner', 'Amazon', 6],
    ['Owner', 'All', 8],
    ['DocumentType', 'Session', 8],
    ['PlatformTypes', 'Linux', 8],
  ])('by %s %s, in either form', async (key, value, count) => {
    const w = await some();
    expect(names(await w.ok('ListDocuments', { Filters: [{ Key: key, Values: [value] }] }))).toHaveLength(
      count,
    );
    expect(names(await w.ok('ListDocuments', { DocumentFilterList: [{ key, value }] }))).toHaveLength(count);
  });

  test('all filters must pass', async () => {
    const Filters = [
      { Key: 'Owner', Values: ['Amazon'] },
      { Key: 'Name', Values: ['AWS-StartPort'] },
    ];
    expect(names(await (await some()).ok('ListDocuments', { Filters }))).toHaveLength(3);
  });

  test.each([
    [{ Filters: [{ Key: 'Color', Values: ['red'] }] }, 'InvalidFilterKey'],
    [{ DocumentFilterList: [{ key: 'Color', value: 'red' }] }, 'InvalidFilterKey'],
    [{ Filters: [{ Key: 'Owner', Values: ['Me'] }] }, 'ValidationException'],
    [{ Filters: [], DocumentFilterList: [{ key: 'Owner', value: 'Self' }] }, 'ValidationException'],
    [{ MaxResults: 51 }, 'ValidationException'],
    [
      { Filters: Array.from({ length: 7 }, () => ({ Key: 'Owner', Values: ['Self'] })) },
      'ValidationException',
    ],
  ])('%j is refused: %s', async (input, code) => {
    expect((await refusal(await some(), 'ListDocuments', input)).slice(0, 2)).toEqual([400, code]);
  });
});

test('ListDocumentVersions lists the newest first, page by page', async () => {
  const w = await three();
  const first = await w.ok('ListDocumentVersions', { Name: NAME, MaxResults: 2 });
  expect(first.DocumentVersions).toMatchObject([{ DocumentVersion: '3' }, { DocumentVersion: '2' }]);
  const second = await w.ok('ListDocumentVersions', { Name: NAME, NextToken: first.NextToken });
  expect(second).toEqual({
    DocumentVersions: [
      {
        Name: NAME,
        DocumentVersion: '1',
        VersionName: 'one',
        CreatedDate: Date.UTC(2026, 0, 1) / 1000,
        IsDefaultVersion: true,
        DocumentFormat: 'JSON',
        Status: 'Active',
      },
    ],
  });
  expect((await refusal(w, 'ListDocumentVersions', { Name: 'Acme-Nothing' }))[1]).toBe('InvalidDocument');
  expect((await refusal(w, 'ListDocumentVersions', { Name: NAME, NextToken: 'x' }))[1]).toBe(
    'InvalidNextToken',
  );
});

describe('DeleteDocument', () => {
  test('removes the document with all that it said', async () => {
    const store = memoryStore();
    const w = await three({ store });
    expect(await store.documentContents.list()).toHaveLength(3);
    expect(await w.ok('DeleteDocument', { Name: NAME })).toEqual({});
    expect((await refusal(w, 'GetDocument', { Name: NAME }))[1]).toBe('InvalidDocument');
    expect(await store.documents.list()).toEqual([]);
    expect(await store.documentContents.list()).toEqual([]);
    expect((await create(w)).status).toBe(200);
  });

  test('removes one version, whose number is not used again', async () => {
    const store = memoryStore();
    const w = await three({ store });
    await w.ok('DeleteDocument', { Name: NAME, DocumentVersion: '$LATEST' });
    await w.ok('DeleteDocument', { Name: NAME, VersionName: 'v-second' });
    expect(await store.documentContents.list()).toHaveLength(1);
    expect(await described(w)).toMatchObject({ LatestVersion: '1' });
    await w.ok('UpdateDocument', { Name: NAME, Content: shell('fourth') });
    expect(await described(w)).toMatchObject({ LatestVersion: '4' });
  });

  test.each([
    [
      { DocumentVersion: '1' },
      'InvalidDocumentOperation',
      `Version 1 of document ${NAME} is the default version, which cannot be deleted alone.`,
    ],
    [
      { DocumentVersion: '7' },
      'InvalidDocumentVersion',
      'The document version is not valid or does not exist.',
    ],
    [{ Name: 'Acme-Nothing' }, 'InvalidDocument', 'Document with name Acme-Nothing does not exist.'],
    [
      { Name: 'AWS-StartSSHSession' },
      'InvalidDocumentOperation',
      "Document AWS-StartSSHSession cannot be changed: it is Amazon's, or comes with the service.",
    ],
  ])('%j is refused', async (members, code, text) => {
    expect(await refusal(await three(), 'DeleteDocument', { Name: NAME, ...members })).toEqual([
      400,
      code,
      text,
    ]);
  });

  test('is refused while the document is shared', async () => {
    const w = await three();
    const share = { Name: NAME, PermissionType: 'Share' };
    await w.ok('ModifyDocumentPermission', { ...share, AccountIdsToAdd: [OTHER_ACCOUNT] });
    expect(await refusal(w, 'DeleteDocument', { Name: NAME })).toEqual([
      400,
      'InvalidDocumentOperation',
      `Document ${NAME} is shared with other accounts. Stop sharing it, and delete it then.`,
    ]);
    await w.ok('ModifyDocumentPermission', { ...share, AccountIdsToRemove: [OTHER_ACCOUNT] });
    await w.ok('DeleteDocument', { Name: NAME });
  });
});

describe('a document of another account', () => {
  const share = (w: World, members: object) =>
    w.ok('ModifyDocumentPermission', { Name: NAME, PermissionType: 'Share', ...members });
  const ARN = `arn:aws:ssm:eu-central-1:${ACCOUNT}:document/${NAME}`;

  test('is not there until it is shared', async () => {
    const w = await shared();
    await w.node();
    const start = { Target: NODE, DocumentName: ARN };
    for (const [operation, input] of [
      ['GetDocument', { Name: ARN }],
      ['ListDocumentVersions', { Name: ARN }],
      ['StartSession', start],
    ] as const) {
      expect(await refusal(w, operation, input, BOB)).toEqual([
        400,
        'InvalidDocument',
        `Document with name ${ARN} does not exist.`,
      ]);
    }
    await share(w, { AccountIdsToAdd: [OTHER_ACCOUNT] });
    expect((await w.call('StartSession', start, BOB)).status).toBe(200);
    const { body } = await w.call('GetDocument', { Name: ARN }, BOB);
    expect(body).toMatchObject({ Name: ARN, DocumentVersion: '1' });
    await share(w, { AccountIdsToRemove: [OTHER_ACCOUNT] });
    expect((await refusal(w, 'StartSession', start, BOB))[1]).toBe('InvalidDocument');
  });

  test.each([
    ['$DEFAULT', '1', ['1']],
    ['$LATEST', '3', ['3']],
    ['$ALL', '1', ['3', '2', '1']],
  ])('shared as %s has these versions', async (SharedDocumentVersion, usual, all) => {
    const w = await shared();
    await share(w, { AccountIdsToAdd: [OTHER_ACCOUNT], SharedDocumentVersion });
    const version = async (members: object) =>
      (await w.call('GetDocument', { Name: ARN, ...members }, BOB)).body;
    expect((await version({})).DocumentVersion).toBe(usual);
    for (const DocumentVersion of ['1', '2', '3']) {
      const { DocumentVersion: found, __type } = await version({ DocumentVersion });
      expect(found ?? __type).toBe(
        all.includes(DocumentVersion) ? DocumentVersion : 'InvalidDocumentVersion',
      );
    }
    const { body } = await w.call('ListDocumentVersions', { Name: ARN }, BOB);
    expect((body.DocumentVersions as { DocumentVersion: string }[]).map((v) => v.DocumentVersion)).toEqual(
      all,
    );
  });

  test('keeps its tags to its own account, and goes by its ARN in others', async () => {
    const w = await shared();
    await w.ok('AddTagsToResource', {
      ResourceType: 'Document',
      ResourceId: NAME,
      Tags: [{ Key: 'project', Value: 'x-ray' }],
    });
    await share(w, { AccountIdsToAdd: [OTHER_ACCOUNT] });
    const seen = async (operation: string, input: object) =>
      JSON.stringify((await w.call(operation, input, BOB)).body);
    expect(await seen('DescribeDocument', { Name: ARN })).not.toContain('x-ray');
    expect(await seen('ListDocuments', {})).not.toContain('x-ray');
    const Filters = [{ Key: 'tag:project', Values: ['x-ray'] }];
    expect(await seen('ListDocuments', { Filters })).toBe('{"DocumentIdentifiers":[]}');
    expect((await w.ok('ListDocuments', { Filters })).DocumentIdentifiers).toMatchObject([{ Name: NAME }]);
    expect(await seen('ListDocumentVersions', { Name: ARN })).toContain(`"Name":"${ARN}"`);
  });

  test.each([
    ['ALL', 'Public', 'Private'],
    [OTHER_ACCOUNT, 'Private', 'Self'],
  ])('shared with %s is listed as %s', async (account, owner, notOwner) => {
    const w = await shared();
    await share(w, { AccountIdsToAdd: [account] });
    const list = async (value: string) =>
      (await w.call('ListDocuments', { Filters: [{ Key: 'Owner', Values: [value] }] }, BOB)).body
        .DocumentIdentifiers;
    expect(await list(owner)).toMatchObject([{ Name: ARN, Owner: ACCOUNT }]);
    expect(await list(notOwner)).toEqual([]);
  });

  test('can be changed by nobody but its own', async () => {
    const w = await shared();
    await share(w, { AccountIdsToAdd: ['all'] });
    for (const [operation, members] of [
      ['UpdateDocument', { Content: shell('theirs') }],
      ['UpdateDocumentDefaultVersion', { DocumentVersion: '2' }],
      ['DeleteDocument', {}],
      ['ModifyDocumentPermission', { PermissionType: 'Share' }],
      ['DescribeDocumentPermission', { PermissionType: 'Share' }],
    ] as const) {
      expect(await refusal(w, operation, { Name: NAME, ...members }, BOB)).toEqual([
        400,
        'InvalidDocument',
        `Document with name ${NAME} does not exist.`,
      ]);
    }
  });

  test('the preferences of the account hold for everybody who may start sessions here', async () => {
    const w = await shared();
    await w.node();
    await create(w, { Name: 'SSM-SessionManagerRunShell' });
    expect((await w.call('StartSession', { Target: NODE }, BOB)).status).toBe(200);
  });
});

describe('DescribeDocumentPermission', () => {
  test('lists accounts with what they may use, page by page', async () => {
    const w = await three();
    const share = { Name: NAME, PermissionType: 'Share' };
    await w.ok('ModifyDocumentPermission', { ...share, AccountIdsToAdd: ['All', OTHER_ACCOUNT] });
    await w.ok('ModifyDocumentPermission', {
      ...share,
      AccountIdsToAdd: ['000011112222'],
      SharedDocumentVersion: '$ALL',
    });
    const first = await w.ok('DescribeDocumentPermission', { ...share, MaxResults: 2 });
    expect(first).toMatchObject({
      AccountIds: ['000011112222', OTHER_ACCOUNT],
      AccountSharingInfoList: [
        { AccountId: '000011112222', SharedDocumentVersion: '$ALL' },
        { AccountId: OTHER_ACCOUNT, SharedDocumentVersion: '$DEFAULT' },
      ],
    });
    const second = await w.ok('DescribeDocumentPermission', { ...share, NextToken: first.NextToken });
    expect(second.AccountIds).toEqual(['all']);
    expect((await refusal(w, 'DescribeDocumentPermission', { ...share, NextToken: 'x' }))[1]).toBe(
      'InvalidNextToken',
    );
  });

  test('sharing has its limits', async () => {
    const w = await three({ limits: { documentAccounts: 1 } });
    const modify = { Name: NAME, PermissionType: 'Share' };
    expect(
      await refusal(w, 'ModifyDocumentPermission', {
        ...modify,
        AccountIdsToAdd: ['all', OTHER_ACCOUNT, ACCOUNT],
      }),
    ).toEqual([
      400,
      'DocumentPermissionLimit',
      'A document can be shared with 1 accounts, and would be with 2.',
    ]);
    for (const operation of ['ModifyDocumentPermission', 'DescribeDocumentPermission']) {
      expect(await refusal(w, operation, { ...modify, PermissionType: 'Give' })).toEqual([
        400,
        'InvalidPermissionType',
        "The permission type isn't supported. Share is the only supported permission type.",
      ]);
    }
    for (const AccountIdsToAdd of [['12'], Array.from({ length: 21 }, () => ACCOUNT)]) {
      const answer = await refusal(w, 'ModifyDocumentPermission', { ...modify, AccountIdsToAdd });
      expect(answer[1]).toBe('ValidationException');
    }
  });
});

describe('the policies are asked', () => {
  test('about the document, with its tags, before anything is said of it', async () => {
    const requests: AuthorizationRequest[] = [];
    let effect: 'Allow' | 'ImplicitDeny' = 'Allow';
    const w = world({
      authorize: (request) => {
        requests.push(request);
        return effect === 'Allow' ? { effect } : { effect, policyType: 'identity-based policy' };
      },
    });
    await create(w, { Tags: [{ Key: 'team', Value: 'web' }] });
    const resource = `arn:aws:ssm:eu-central-1:${ACCOUNT}:document/${NAME}`;
    expect(requests.map((request) => [request.action, request.resource])).toEqual([
      ['ssm:CreateDocument', resource],
      ['ssm:AddTagsToResource', resource],
    ]);
    for (const { context } of requests) {
      const keys = [...context].filter(([key]) => /tag/i.test(key)); // beside those of every question
      expect(Object.fromEntries(keys)).toEqual({ 'aws:RequestTag/team': 'web', 'aws:TagKeys': ['team'] });
    }
    effect = 'ImplicitDeny';
    for (const [operation, members] of [
      ['UpdateDocument', { Content: shell('') }],
      ['UpdateDocumentDefaultVersion', { DocumentVersion: '9' }],
      ['GetDocument', {}],
      ['DescribeDocument', {}],
      ['ListDocumentVersions', {}],
      ['DeleteDocument', {}],
      ['ModifyDocumentPermission', { PermissionType: 'Share' }],
      ['DescribeDocumentPermission', { PermissionType: 'Share' }],
    ] as const) {
      for (const Name of [NAME, 'Acme-Nothing']) {
        requests.length = 0;
        const arn = `arn:aws:ssm:eu-central-1:${ACCOUNT}:document/${Name}`;
        expect(await refusal(w, operation, { Name, ...members })).toEqual([
          400,
          'AccessDeniedException',
          `User: ${jane.arn} is not authorized to perform: ssm:${operation} on resource: ${arn} because no identity-based policy allows the ssm:${operation} action`,
        ]);
        expect(requests[0]?.context.get('aws:ResourceTag/team')).toBe(Name === NAME ? 'web' : undefined);
      }
    }
    expect((await refusal(w, 'ListDocuments', {}))[1]).toBe('AccessDeniedException');
    expect(requests.at(-1)).toMatchObject({ action: 'ssm:ListDocuments', resource: '*' });
  });

  test('about the tags of the document that a session is started with', async () => {
    const requests: AuthorizationRequest[] = [];
    const w = world({
      authorize: (request) => {
        requests.push(request);
        return { effect: 'Allow' };
      },
    });
    await w.node();
    await create(w, { Tags: [{ Key: 'team', Value: 'web' }] });
    requests.length = 0;
    await w.start({ DocumentName: NAME });
    expect(requests.map(({ context }) => context.get('ssm:resourceTag/team'))).toEqual([undefined, 'web']);
  });
});

test('StartSession says so when a document is of another type', async () => {
  expect(
    await refusal(world(), 'StartSession', { Target: NODE, DocumentName: 'AWS-RunShellScript' }),
  ).toEqual([
    400,
    'InvalidDocument',
    "Document type: 'Command' is not supported. Only type: 'Session' is supported for Session Manager.",
  ]);
});

describe('a document that the host registers', () => {
  const document = { schemaVersion: '1.0', sessionType: 'Standard_Stream' } as const;

  test('is one like others, and every time it changes a version', async () => {
    const w = world();
    await w.service.registerDocument(NAME, document);
    await w.service.registerDocument(NAME, document);
    expect(await described(w)).toMatchObject({ LatestVersion: '1', DefaultVersion: '1', Owner: ACCOUNT });
    await w.service.registerDocument(NAME, { ...document, description: 'new' });
    expect(await described(w)).toMatchObject({ LatestVersion: '2', DefaultVersion: '2', Description: 'new' });
    await w.ok('DeleteDocument', { Name: NAME });
  });

  test('never runs out of versions', async () => {
    const store = memoryStore();
    const w = world({ store, limits: { documentVersions: 2 } });
    for (const description of ['1', '2', '3', '4']) {
      await w.service.registerDocument(NAME, { ...document, description });
    }
    const { DocumentVersions } = await w.ok('ListDocumentVersions', { Name: NAME });
    expect(DocumentVersions).toMatchObject([{ DocumentVersion: '4' }, { DocumentVersion: '3' }]);
    expect(await store.documentContents.list()).toHaveLength(2);
  });

  test('and one of the options, which no call can change', async () => {
    const w = world({ documents: { [NAME]: document } });
    expect(await described(w)).toMatchObject({ Owner: ACCOUNT, DocumentVersion: '1' });
    expect((await create(w)).body.__type).toBe('DocumentAlreadyExists');
    expect((await refusal(w, 'DeleteDocument', { Name: NAME }))[1]).toBe('InvalidDocumentOperation');
    await w.service.registerDocument(NAME, { ...document, description: 'registered' });
    expect(await described(w)).toMatchObject({ Description: 'registered' });
    await w.ok('DeleteDocument', { Name: NAME });
    expect(await described(w)).not.toHaveProperty('Description');
  });
});

test('of two at the same time, one creates and the other is told, and nothing is left over', async () => {
  const store = memoryStore();
  const w = world({ store });
  const answers = await Promise.all([create(w), create(w, { Content: shell('other') })]);
  expect(answers.map(({ body }) => body.__type ?? 'created').sort()).toEqual([
    'DocumentAlreadyExists',
    'created',
  ]);
  expect(await store.documentContents.list()).toHaveLength(1);
  await w.call('UpdateDocument', { Name: NAME, Content: shell('x'), DocumentVersion: '7' });
  expect(await store.documentContents.list()).toHaveLength(1);
});
