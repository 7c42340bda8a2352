/** AddTagsToResource, RemoveTagsFromResource, ListTagsForResource (CONTROL-PLANE.md section 2.7). */
import { describe, expect, test } from 'vitest';
import type { AuthorizationRequest } from '../../src/policy/index.ts';
import { ACCOUNT, NODE, type World, world } from './world.ts';

const DOCUMENT = 'Acme-Shell';
const Content = '{"schemaVersion":"1.0","sessionType":"Standard_Stream"}';

async function ready(w: World = world()): Promise<World> {
  await w.service.registerTarget({ id: NODE, tags: { team: 'web' } });
  await w.service.registerTarget({ id: 'i-0123456789abcdef0', tags: { team: 'web' } });
  const Tags = [{ Key: 'team', Value: 'web' }];
  await w.ok('CreateDocument', { Name: DOCUMENT, Content, DocumentType: 'Session', Tags });
  return w;
}

const RESOURCES = [
  ['ManagedInstance', NODE, `arn:aws:ssm:eu-central-1:${ACCOUNT}:managed-instance/${NODE}`],
  ['Document', DOCUMENT, `arn:aws:ssm:eu-central-1:${ACCOUNT}:document/${DOCUMENT}`],
] as const;

describe.each(RESOURCES)('a %s', (ResourceType, ResourceId, arn) => {
  const resource = { ResourceType, ResourceId };

  test('has the tags that were added, and no longer those that were removed', async () => {
    const w = await ready();
    const tags = async () => (await w.ok('ListTagsForResource', resource)).TagList;
    expect(await tags()).toEqual([{ Key: 'team', Value: 'web' }]);
    const Tags = [
      { Key: 'team', Value: 'db' },
      { Key: '__proto__', Value: '' },
    ];
    expect(await w.ok('AddTagsToResource', { ...resource, Tags })).toEqual({});
    expect(await tags()).toEqual(Tags);
    expect(await w.ok('RemoveTagsFromResource', { ...resource, TagKeys: ['team', 'none'] })).toEqual({});
    expect(await tags()).toEqual([{ Key: '__proto__', Value: '' }]);
  });

  test('has 50 tags at most', async () => {
    const w = await ready();
    const Tags = Array.from({ length: 49 }, (_, i) => ({ Key: `k${i}`, Value: '' }));
    await w.ok('AddTagsToResource', { ...resource, Tags });
    const more = { ...resource, Tags: [{ Key: 'one', Value: 'more' }] };
    const { status, body } = await w.call('AddTagsToResource', more);
    expect([status, body]).toEqual([400, { __type: 'TooManyTagsError' }]);
    await w.ok('AddTagsToResource', { ...resource, Tags: [{ Key: 'team', Value: 'known' }] });
  });

  test.each([
    [[{ Key: 'aws:x', Value: '' }], "Tag keys cannot begin with 'aws:'."],
    [
      [
        { Key: 'a', Value: '1' },
        { Key: 'a', Value: '2' },
      ],
      'A tag key can be used once.',
    ],
    [
      [{ Key: '', Value: '' }],
      "1 validation error detected: Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
  ])('refuses %j', async (Tags, text) => {
    const { body } = await (await ready()).call('AddTagsToResource', { ...resource, Tags });
    expect([body.__type, body.message]).toEqual(['ValidationException', text]);
  });

  test('is asked for with its tags and those of the request', async () => {
    const requests: AuthorizationRequest[] = [];
    let isAllowed = true;
    const w = await ready(
      world({
        authorize: (request) => {
          requests.push(request);
          return isAllowed
            ? { effect: 'Allow' }
            : { effect: 'ImplicitDeny', policyType: 'identity-based policy' };
        },
      }),
    );
    isAllowed = false;
    const shown = async (operation: string, input: object) => {
      requests.length = 0;
      expect((await w.call(operation, { ...resource, ...input })).body.__type).toBe('AccessDeniedException');
      expect(requests[0]).toMatchObject({ action: `ssm:${operation}`, resource: arn });
      return Object.fromEntries([...requests[0]!.context].filter(([key]) => /tag/i.test(key)));
    };
    const own = { 'ssm:resourceTag/team': 'web', 'aws:ResourceTag/team': 'web' };
    expect(await shown('AddTagsToResource', { Tags: [{ Key: 'a', Value: 'b' }] })).toEqual({
      ...own,
      'aws:RequestTag/a': 'b',
      'aws:TagKeys': ['a'],
    });
    expect(await shown('RemoveTagsFromResource', { TagKeys: ['team'] })).toEqual({
      ...own,
      'aws:TagKeys': ['team'],
    });
    expect(await shown('ListTagsForResource', {})).toEqual(own);
  });
});

test.each([
  ['InvalidResourceType', 'Parameter', 'x'],
  ['InvalidResourceType', 'Sandwich', 'x'],
  ['InvalidResourceId', 'ManagedInstance', 'mi-00000000000000000'],
  ['InvalidResourceId', 'ManagedInstance', 'i-0123456789abcdef0'],
  ['InvalidResourceId', 'ManagedInstance', 'ecs:cluster_task_container'],
  ['InvalidResourceId', 'Document', 'Acme-Nothing'],
  ['InvalidResourceId', 'Document', 'AWS-StartSSHSession'],
])('%s for %s %s', async (code, ResourceType, ResourceId) => {
  const w = await ready();
  const resource = { ResourceType, ResourceId };
  for (const [operation, members] of [
    ['AddTagsToResource', { Tags: [] }],
    ['RemoveTagsFromResource', { TagKeys: [] }],
    ['ListTagsForResource', {}],
  ] as const) {
    const { status, body } = await w.call(operation, { ...resource, ...members });
    expect([status, body]).toEqual([400, { __type: code }]);
  }
});

test('a tag of a node counts at the next call', async () => {
  const w = await ready(
    world({
      authorize: ({ action, resource, context }) =>
        action === 'ssm:StartSession' &&
        resource.includes('managed-instance') &&
        context.get('ssm:resourceTag/open') !== 'yes'
          ? { effect: 'ImplicitDeny', policyType: 'identity-based policy' }
          : { effect: 'Allow' },
    }),
  );
  await w.node();
  const start = async () => (await w.call('StartSession', { Target: NODE })).body.__type;
  expect(await start()).toBe('AccessDeniedException');
  const resource = { ResourceType: 'ManagedInstance', ResourceId: NODE };
  await w.ok('AddTagsToResource', { ...resource, Tags: [{ Key: 'open', Value: 'yes' }] });
  expect(await start()).toBeUndefined();
  await w.ok('RemoveTagsFromResource', { ...resource, TagKeys: ['open'] });
  expect(await start()).toBe('AccessDeniedException');
});
