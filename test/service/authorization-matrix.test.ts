/** POLICY.md section 6: what each operation asks the policies for, row by row, with the words of a refusal. */
import { describe, expect, test } from 'vitest';
import type { AuthorizationRequest } from '../../src/policy/index.ts';
import {
  ARN,
  credentialsOf,
  deniedText,
  EVERYTHING,
  type IamWorld,
  iamWorld,
  NODE_ROLES,
  policy,
  user,
} from './iam-world.ts';
import {
  ACCOUNT,
  JANE,
  jane,
  NODE,
  nodeCredentials,
  REGION,
  signedCall,
  type WorldOptions,
  world,
} from './world.ts';

const ANY = `arn:aws:ssm:${REGION}:${ACCOUNT}:*`;
const PREFERENCES = { Name: 'SSM-SessionManagerRunShell' };
const CONTENT = '{"schemaVersion":"1.0","sessionType":"Standard_Stream"}';
const TIER = '/ssm/managed-instance/activation-tier';
const setting = `arn:aws:ssm:${REGION}:${ACCOUNT}:servicesetting${TIER}`;
const tagged = { ResourceType: 'ManagedInstance', ResourceId: NODE };

describe.each<[row: string, operation: string, input: object, resource: string]>([
  ['StartSession: node', 'StartSession', { Target: NODE }, ARN.node()],
  [
    'StartSession: an EC2 node',
    'StartSession',
    { Target: 'i-0123456789abcdef0' },
    `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/i-0123456789abcdef0`,
  ],
  [
    'ECS task',
    'StartSession',
    { Target: 'ecs:my_cluster_abc_def' },
    `arn:aws:ecs:${REGION}:${ACCOUNT}:task/my_cluster/abc`,
  ],
  ['ResumeSession', 'ResumeSession', { SessionId: 'jane-1' }, ARN.session('jane-1')],
  ['TerminateSession', 'TerminateSession', { SessionId: 'jane-1' }, ARN.session('jane-1')],
  ['DescribeSessions', 'DescribeSessions', { State: 'Active' }, ANY],
  ['GetConnectionStatus', 'GetConnectionStatus', { Target: NODE }, ARN.node()],
  [
    'JIT access: StartAccessRequest',
    'StartAccessRequest',
    { Reason: 'r', Targets: [{ Key: 'InstanceIds', Values: [NODE] }] },
    ARN.node(),
  ],
  [
    'JIT access: GetAccessToken',
    'GetAccessToken',
    { AccessRequestId: 'oi-0123456789ab' },
    `arn:aws:ssm:${REGION}:${ACCOUNT}:opsitem/oi-0123456789ab`,
  ],
  ['nodes', 'DescribeInstanceInformation', {}, ANY],
  [
    'documents',
    'CreateDocument',
    { Name: 'Acme-A', Content: CONTENT, DocumentType: 'Session' },
    ARN.document('Acme-A'),
  ],
  ['documents', 'UpdateDocument', { ...PREFERENCES, Content: CONTENT }, ARN.document()],
  ['documents', 'UpdateDocumentDefaultVersion', { ...PREFERENCES, DocumentVersion: '1' }, ARN.document()],
  ['documents', 'GetDocument', PREFERENCES, ARN.document()],
  ['documents', 'DescribeDocument', PREFERENCES, ARN.document()],
  ['documents', 'ListDocumentVersions', PREFERENCES, ARN.document()],
  ['documents', 'DeleteDocument', PREFERENCES, ARN.document()],
  ['documents', 'ModifyDocumentPermission', { ...PREFERENCES, PermissionType: 'Share' }, ARN.document()],
  ['documents', 'DescribeDocumentPermission', { ...PREFERENCES, PermissionType: 'Share' }, ARN.document()],
  [
    'documents of Amazon',
    'GetDocument',
    { Name: 'AWS-StartSSHSession' },
    `arn:aws:ssm:${REGION}::document/AWS-StartSSHSession`,
  ],
  ['documents', 'ListDocuments', {}, ANY],
  ['tags', 'AddTagsToResource', { ...tagged, Tags: [{ Key: 'a', Value: 'b' }] }, ARN.node()],
  ['tags', 'RemoveTagsFromResource', { ...tagged, TagKeys: ['a'] }, ARN.node()],
  ['tags', 'ListTagsForResource', tagged, ARN.node()],
  ['settings', 'GetServiceSetting', { SettingId: TIER }, setting],
  ['settings', 'UpdateServiceSetting', { SettingId: TIER, SettingValue: 'advanced' }, setting],
  ['settings', 'ResetServiceSetting', { SettingId: TIER }, setting],
  ['hybrid', 'CreateActivation', { IamRole: 'Fleet' }, ANY],
  ['hybrid', 'DescribeActivations', {}, ANY],
  ['hybrid', 'DeleteActivation', { ActivationId: '01234567-89ab-cdef-0123-456789abcdef' }, ANY],
  ['hybrid', 'DeregisterManagedInstance', { InstanceId: NODE }, ARN.node()],
  ['hybrid', 'UpdateManagedInstanceRole', { InstanceId: NODE, IamRole: 'Other' }, ARN.node()],
])('%s: %s', (_, operation, input, resource) => {
  const action = `ssm:${operation}`;

  test('is refused in the words of AWS where nothing allows it', async () => {
    const w = iamWorld({ users: { jane: user('jane', { policies: [allBut(action)] }) } });
    await w.node();
    expect(await w.as(credentialsOf('jane'), operation, input)).toEqual({
      __type: 'AccessDeniedException',
      Message: deniedText(ARN.user('jane'), action, resource),
      message: deniedText(ARN.user('jane'), action, resource),
    });
  });

  test('and where something denies it', async () => {
    const deny = policy({ Effect: 'Deny', Action: action, Resource: '*' });
    const w = iamWorld({ users: { jane: user('jane', { policies: [EVERYTHING, deny] }) } });
    await w.node();
    const why = 'with an explicit deny in an identity-based policy';
    expect((await w.as(credentialsOf('jane'), operation, input)).message).toBe(
      deniedText(ARN.user('jane'), action, resource, why),
    );
  });

  test('and is not by a policy that names just that', async () => {
    const only = policy({
      Action: [action, 'iam:PassRole'],
      Resource: resource === ANY ? '*' : [resource, ARN.document()],
    });
    const extra = policy({ Action: 'iam:PassRole', Resource: '*' });
    const w = iamWorld({ users: { jane: user('jane', { policies: [only, extra] }) } });
    expect((await w.as(credentialsOf('jane'), operation, input)).__type).not.toBe('AccessDeniedException');
  });
});

function allBut(action: string): object {
  const statement = { Effect: 'Allow', NotAction: action, Resource: '*' };
  return { Version: '2012-10-17', Statement: statement };
}

test('StartSession: document: is a question of its own', async () => {
  const only = (Resource: string[]) => ({
    users: { jane: user('jane', { policies: [policy({ Action: 'ssm:StartSession', Resource })] }) },
  });
  const w = iamWorld(only([ARN.node()]));
  await w.node();
  const asked = async (DocumentName?: string) =>
    (
      await w.as(credentialsOf('jane'), 'StartSession', {
        Target: NODE,
        ...(DocumentName && { DocumentName }),
      })
    ).message;
  const denied = (resource: string) => deniedText(ARN.user('jane'), 'ssm:StartSession', resource);
  expect(await asked()).toBe(denied(ARN.document()));
  expect(await asked('AWS-StartSSHSession')).toBe(
    denied(`arn:aws:ssm:${REGION}::document/AWS-StartSSHSession`),
  );
  w.put(only([ARN.node(), ARN.document()]));
  expect(await asked()).toBeUndefined();
  expect(await asked(ARN.document())).toBeUndefined();
  w.put(only([ARN.document()]));
  expect(await asked()).toBe(denied(ARN.node()));
});

describe('sessions: both spellings of the ARN, and the system tags', () => {
  const OWN_BY_TAG = {
    StringLike: { 'ssm:resourceTag/aws:ssmmessages:session-id': ['${aws:userid}'] },
  };
  test.each<[string, object, jane: string, bob: string]>([
    [
      '${aws:username}-*',
      { Resource: 'arn:aws:ssm:*:*:session/${aws:username}-*' },
      'ok',
      'AccessDeniedException',
    ],
    [
      '${aws:userid}-*',
      { Resource: 'arn:aws:ssm:*:*:session/${aws:userid}-*' },
      'ok',
      'AccessDeniedException',
    ],
    ['the tag session-id', { Resource: '*', Condition: OWN_BY_TAG }, 'ok', 'AccessDeniedException'],
    [
      'the tag target-id',
      { Resource: '*', Condition: { StringEquals: { 'aws:ResourceTag/aws:ssmmessages:target-id': NODE } } },
      'ok',
      'ok',
    ],
  ])('by %s', async (_, part, forJane, forBob) => {
    const policies = [
      policy({ Action: 'ssm:StartSession', Resource: '*' }),
      policy({ Action: 'ssm:TerminateSession', ...(part as { Resource: string }) }),
    ];
    const w = iamWorld({ users: { jane: user('jane', { policies }), bob: user('bob', { policies }) } });
    await w.node();
    const { SessionId } = await w.as(credentialsOf('jane'), 'StartSession', { Target: NODE });
    const code = async (name: string) =>
      (await w.as(credentialsOf(name), 'TerminateSession', { SessionId })).__type ?? 'ok';
    expect([await code('bob'), await code('jane')]).toEqual([forBob, forJane]);
  });

  test('a session that is not there is refused in the words for one that is', async () => {
    const policies = [
      policy({
        Action: 'ssm:*Session',
        Resource: ['arn:aws:ssm:*:*:session/${aws:username}-*', ARN.node(), ARN.document()],
      }),
    ];
    const w = iamWorld({ users: { jane: user('jane', { policies }), bob: user('bob', { policies }) } });
    await w.node();
    const { SessionId } = await w.as(credentialsOf('jane'), 'StartSession', { Target: NODE });
    const text = async (id: unknown) =>
      `${(await w.as(credentialsOf('bob'), 'TerminateSession', { SessionId: id })).message}`.replace(
        `${id}`,
        'ID',
      );
    expect(await text(SessionId)).toBe(await text('jane-aaaaaaaaaaaaaaaaaaaaaaaaaa'));
  });

  test('a node that is not there is refused in the words for one that is', async () => {
    const policies = [
      policy({
        Action: 'ssm:StartSession',
        Resource: '*',
        Condition: { StringEquals: { 'ssm:resourceTag/Env': 'test' } },
      }),
    ];
    const w = iamWorld({ users: { jane: user('jane', { policies }) } });
    await w.node();
    const text = async (Target: string) =>
      `${(await w.as(credentialsOf('jane'), 'StartSession', { Target })).message}`.replace(Target, 'ID');
    expect(await text(NODE)).toBe(await text('mi-00000000000000000'));
  });
});

describe('client data channel: ssmmessages:OpenDataChannel on the session', () => {
  const SESSIONS = policy({ Action: ['ssm:StartSession', 'ssm:ResumeSession'], Resource: '*' });
  const OPEN = { Action: 'ssmmessages:OpenDataChannel', Resource: 'arn:aws:ssm:*:*:session/${aws:userid}-*' };

  async function opened(w: IamWorld, change = () => {}) {
    await w.node();
    const session = await w.as(credentialsOf('jane'), 'StartSession', { Target: NODE });
    change();
    return { session, client: await w.client(session as never) };
  }
  const users = (policies: object[]) => ({ users: { jane: user('jane', { policies }) } });

  test.each<[string, WorldOptions, object[], boolean]>([
    ['policies that do not name it', {}, [SESSIONS], true],
    ['policies that deny it', {}, [SESSIONS, policy({ Effect: 'Deny', ...OPEN })], false],
    [
      'channelPolicies: allow, and policies that do not name it',
      { channelPolicies: 'allow' },
      [SESSIONS],
      false,
    ],
    [
      'channelPolicies: allow, and policies that allow it',
      { channelPolicies: 'allow' },
      [SESSIONS, policy(OPEN)],
      true,
    ],
  ])('by %s', async (_, options, policies, isOpen) => {
    const w = iamWorld({ ...users(policies), roles: nodesThatMay(agents()) }, options);
    const { client } = await opened(w);
    expect(client.closed).toEqual(
      isOpen ? undefined : { code: 1008, reason: 'Access to this session is denied.' },
    );
    const denied = w.events.filter((event) => event.type === 'call' && event.operation === 'OpenDataChannel');
    expect(denied).toHaveLength(isOpen ? 0 : 1);
  });

  test('is asked when it is opened, and not when the token was given', async () => {
    const w = iamWorld(users([SESSIONS]));
    const { client } = await opened(w, () => w.put(users([SESSIONS, policy({ Effect: 'Deny', ...OPEN })])));
    expect(client.closed?.reason).toBe('Access to this session is denied.');
  });

  test('is refused to those whose key is gone since', async () => {
    const w = iamWorld(users([SESSIONS]));
    const { client } = await opened(w, () => w.put({}));
    expect(client.closed?.reason).toBe('Access to this session is denied.');
  });

  test('is asked again on resume', async () => {
    const w = iamWorld(users([SESSIONS]));
    const { client, session } = await opened(w);
    expect(client.closed).toBeUndefined();
    w.put(users([SESSIONS, policy({ Effect: 'Deny', ...OPEN })]));
    const { SessionId } = session;
    const again = await w.as(credentialsOf('jane'), 'ResumeSession', { SessionId });
    expect((await w.client(again as never)).closed?.reason).toBe('Access to this session is denied.');
    w.put(users([policy({ Action: 'ssm:StartSession', Resource: '*' })]));
    expect((await w.as(credentialsOf('jane'), 'ResumeSession', { SessionId })).__type).toBe(
      'AccessDeniedException',
    );
  });

  test('is asked of those who resumed it, whoever started it', async () => {
    const w = iamWorld({
      users: {
        jane: user('jane', { policies: [SESSIONS, policy({ Effect: 'Deny', ...OPEN, Resource: '*' })] }),
        admin: user('admin', { policies: [EVERYTHING] }),
      },
    });
    const { session } = await opened(w);
    const again = await w.as(credentialsOf('admin'), 'ResumeSession', { SessionId: session.SessionId });
    expect((await w.client(again as never)).closed).toBeUndefined();
  });
});

describe('agent channels: on * where channels have to be allowed', () => {
  const ACTIONS = ['CreateControlChannel', 'OpenControlChannel', 'CreateDataChannel', 'OpenDataChannel'];

  test.each(ACTIONS)('without ssmmessages:%s an agent does not get there', async (missing) => {
    const allowed = ACTIONS.filter((action) => action !== missing).map((action) => `ssmmessages:${action}`);
    const w = iamWorld(
      {
        users: { jane: user('jane', { policies: [EVERYTHING] }) },
        roles: nodesThatMay(policy({ Action: allowed, Resource: '*' })),
      },
      { channelPolicies: 'allow' },
    );
    const joined = async () => {
      const node = await w.node();
      const { SessionId } = await w.as(credentialsOf('jane'), 'StartSession', { Target: NODE });
      if (SessionId === undefined) throw new Error('not connected');
      const agent = await node.join(SessionId as string);
      if (agent.closed) throw new Error(agent.closed.reason);
    };
    await expect(joined()).rejects.toThrow();
  });

  test('and are not asked about where they need not', async () => {
    const w = iamWorld({ users: { jane: user('jane', { policies: [EVERYTHING] }) } });
    const node = await w.node();
    const { SessionId } = await w.as(credentialsOf('jane'), 'StartSession', { Target: NODE });
    expect((await node.join(SessionId as string)).closed).toBeUndefined();
  });

  test('ssm:UpdateInstanceInformation is refused in the words of AWS', async () => {
    const w = iamWorld({ roles: nodesThatMay(agents()) }, { channelPolicies: 'allow' });
    await w.node();
    const ping = async () =>
      (await w.as(nodeCredentials(NODE), 'UpdateInstanceInformation', { InstanceId: NODE })).message;
    expect(await ping()).toBeUndefined();
    w.put({ roles: nodesThatMay(policy({ Action: 'ssmmessages:*', Resource: '*' })) });
    expect(await ping()).toBe(
      deniedText(`arn:aws:sts::${ACCOUNT}:assumed-role/Node/${NODE}`, 'ssm:UpdateInstanceInformation', ANY),
    );
  });
});

/** The policy of an instance profile for agents. */
function agents(): object {
  return policy({ Action: ['ssmmessages:*', 'ssm:UpdateInstanceInformation'], Resource: '*' });
}

function nodesThatMay(...policies: object[]) {
  const { Node } = NODE_ROLES;
  return { Node: { ...Node, policies } };
}

describe('the context of a check', () => {
  async function contexts(
    { options = {}, url }: { options?: WorldOptions; url?: string },
    connection?: { remoteAddress?: string; secure?: boolean },
    input: object = {},
  ) {
    const requests: AuthorizationRequest[] = [];
    const w = world({
      authorize: (request) => {
        requests.push(request);
        return { effect: 'Allow' };
      },
      ...options,
    });
    await w.clock.runUntil(
      w.service.registerTarget({ id: NODE, tags: { Env: 'test', 'aws:SourceIp': '10.0.0.1' } }),
    );
    const body = JSON.stringify({ Target: NODE, ...input });
    const call = await signedCall('StartSession', body, JANE, w.clock.now());
    const request = url ? new Request(url, call) : call;
    await w.clock.runUntil(w.service.fetch(request, connection));
    return requests.map(({ context }) => Object.fromEntries(context));
  }

  test('has the clock and the region of the service, and the tags of what is asked about', async () => {
    const [node, document] = await contexts({});
    const always = {
      'aws:CurrentTime': '2026-01-01T00:00:00.000Z',
      'aws:EpochTime': '1767225600',
      'aws:RequestedRegion': REGION,
      'aws:ResourceAccount': ACCOUNT,
      'aws:SecureTransport': 'false',
      'ssm:SessionDocumentAccessCheck': 'true',
    };
    expect(node).toEqual({
      ...always,
      'ssm:resourceTag/Env': 'test',
      'aws:ResourceTag/Env': 'test',
      'ssm:resourceTag/aws:SourceIp': '10.0.0.1',
      'aws:ResourceTag/aws:SourceIp': '10.0.0.1',
    });
    expect(document).toEqual(always);
  });

  test('has the address of whoever called, as the host of the service tells it', async () => {
    const [node] = await contexts({}, { remoteAddress: '192.0.2.7', secure: true });
    expect(node).toMatchObject({ 'aws:SourceIp': '192.0.2.7', 'aws:SecureTransport': 'true' });
  });

  test.each(['::ffff:192.0.2.7', '::FFFF:192.0.2.7', '0:0:0:0:0:ffff:192.0.2.7'])(
    'has an IPv4 address as one, also when the host tells %s',
    async (remoteAddress) => {
      const [node] = await contexts({}, { remoteAddress });
      expect(node).toMatchObject({ 'aws:SourceIp': '192.0.2.7' });
    },
  );

  test('has nothing of the parameters of the call', async () => {
    const plain = await contexts({});
    const crafted = await contexts({}, undefined, {
      Reason: 'aws:SourceIp=10.0.0.1',
      'aws:SourceIp': '10.0.0.1',
      'ssm:SessionDocumentAccessCheck': 'false',
      Context: { 'aws:SourceIp': '10.0.0.1' },
    });
    expect(crafted).toEqual(plain);
  });

  test('has what is known of temporary credentials', async () => {
    const issued = new Date('2025-12-31T23:50:00Z');
    const record = { ...JANE, principal: jane, issued, mfaAuthenticated: true };
    const [node] = await contexts({ options: { credentials: () => record } });
    expect(node).toMatchObject({
      'aws:TokenIssueTime': '2025-12-31T23:50:00.000Z',
      'aws:MultiFactorAuthPresent': 'true',
      'aws:MultiFactorAuthAge': '600',
    });
  });

  test.each([
    ['current', {}, ['true', 'true']],
    ['legacy, where the node is allowed without', { defaultDocumentCheck: 'legacy' as const }, ['false']],
  ])('says whether the document is checked: %s', async (_, options, checks) => {
    const found = await contexts({ options });
    expect(found.map((context) => context['ssm:SessionDocumentAccessCheck'])).toEqual(checks);
  });
});

describe('ssm:SessionDocumentAccessCheck in legacy mode', () => {
  const CHECK = { BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' } };
  test.each<[string, object[], DocumentName: string | undefined, allowed: boolean]>([
    ['without the condition the default document is granted', [{ Resource: ARN.node() }], undefined, true],
    ['another document is not', [{ Resource: ARN.node() }], 'AWS-StartSSHSession', false],
    ['with the condition it is not', [{ Resource: ARN.node(), Condition: CHECK }], undefined, false],
    [
      'but where it is named',
      [{ Resource: [ARN.node(), ARN.document()], Condition: CHECK }],
      undefined,
      true,
    ],
  ])('%s', async (_, parts, DocumentName, allowed) => {
    const statements = parts.map((part) => ({
      Action: 'ssm:StartSession',
      ...(part as { Resource: string }),
    }));
    const w = iamWorld(
      { users: { jane: user('jane', { policies: [policy(...statements)] }) } },
      { defaultDocumentCheck: 'legacy' },
    );
    await w.node();
    const input = { Target: NODE, ...(DocumentName && { DocumentName }) };
    const { __type } = await w.as(credentialsOf('jane'), 'StartSession', input);
    expect(__type).toBe(allowed ? undefined : 'AccessDeniedException');
  });
});
