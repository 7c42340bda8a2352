import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { INSTANCE_ID } from '../node/world.ts';
import { cliWorld, missing } from './world.ts';

const YAML = `schemaVersion: '1.0'
description: Tails a log
sessionType: InteractiveCommands
parameters:
  path:
    type: String
    allowedPattern: '[a-z/]+'
properties:
  linux:
    commands: tail -f {{ path }}
`;

test.skipIf(missing)('aws ssm: documents, preferences, tags and settings', { timeout: 300_000 }, async () => {
  const { call, environment } = await cliWorld();
  const file = join(environment.HOME, 'document.yaml');
  writeFileSync(file, YAML);
  const ok = async (...words: string[]) => {
    const { status, stdout, stderr } = await call('ssm', ...words);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout === '' ? {} : JSON.parse(stdout);
  };
  const name = ['--name', 'Acme-Tail'];

  const created = await ok(
    ...['create-document', ...name, '--document-type', 'Session', '--document-format', 'YAML'],
    ...['--content', `file://${file}`, '--tags', 'Key=team,Value=web'],
  );
  expect(created.DocumentDescription).toMatchObject({ Name: 'Acme-Tail', LatestVersion: '1' });
  const got = await ok('get-document', ...name, '--document-format', 'JSON');
  expect(JSON.parse(got.Content)).toMatchObject({
    properties: { linux: { commands: 'tail -f {{ path }}' } },
  });
  writeFileSync(file, YAML.replace('Tails a log', 'Follows a log'));
  await ok(
    'update-document',
    ...name,
    '--document-format',
    'YAML',
    '--content',
    `file://${file}`,
    '--document-version',
    '$LATEST',
  );
  await ok('update-document-default-version', ...name, '--document-version', '2');
  expect((await ok('describe-document', ...name)).Document.Description).toBe('Follows a log');
  expect((await ok('list-document-versions', ...name)).DocumentVersions).toHaveLength(2);
  const listed = await ok('list-documents', '--filters', 'Key=Owner,Values=Self');
  expect(listed.DocumentIdentifiers).toMatchObject([
    { Name: 'Acme-Tail', Tags: [{ Key: 'team', Value: 'web' }] },
  ]);

  const share = [...name, '--permission-type', 'Share'];
  await ok('modify-document-permission', ...share, '--account-ids-to-add', '444455556666');
  expect((await ok('describe-document-permission', ...share)).AccountIds).toEqual(['444455556666']);
  const refused = await call('ssm', 'delete-document', ...name);
  expect(refused.stderr).toContain(
    'An error occurred (InvalidDocumentOperation) when calling the DeleteDocument operation: Document Acme-Tail is shared with other accounts.',
  );
  await ok('modify-document-permission', ...share, '--account-ids-to-remove', '444455556666');
  await ok('delete-document', ...name);

  const resource = ['--resource-type', 'ManagedInstance', '--resource-id', INSTANCE_ID];
  await ok('add-tags-to-resource', ...resource, '--tags', 'Key=team,Value=web');
  expect((await ok('list-tags-for-resource', ...resource)).TagList).toEqual([{ Key: 'team', Value: 'web' }]);
  await ok('remove-tags-from-resource', ...resource, '--tag-keys', 'team');

  const setting = ['--setting-id', '/ssm/managed-instance/activation-tier'];
  await ok('update-service-setting', ...setting, '--setting-value', 'standard');
  const start = await call('ssm', 'start-session', '--target', INSTANCE_ID);
  expect(start.stderr).toContain(
    'An error occurred (BadRequest) when calling the StartSession operation: Enable advanced-instances tier to use Session Manager with your on-premises instances',
  );
  expect((await ok('get-service-setting', ...setting)).ServiceSetting.Status).toBe('Customized');
  expect((await ok('reset-service-setting', ...setting)).ServiceSetting.SettingValue).toBe('advanced');
});
