import { describe, expect, test } from 'vitest';
import { explain } from '../../src/policy/index.ts';
import {
  IamDirectoryError,
  type IamDocument,
  iamDirectory,
  SessionManagerService,
} from '../../src/service/index.ts';
import {
  ARN,
  credentialsOf,
  deniedText,
  documentOf,
  EVERYTHING,
  type IamWorld,
  iamWorld,
  policy,
  SCOPE,
  user,
} from './iam-world.ts';
import { ACCOUNT, NODE } from './world.ts';

const START = policy({ Action: 'ssm:StartSession', Resource: '*' });

async function starts(w: IamWorld, who = credentialsOf('jane')): Promise<unknown> {
  return (await w.as(who, 'StartSession', { Target: NODE })).__type ?? 'started';
}

describe('a principal has the policies', () => {
  test.each<[string, IamDocument]>([
    ['that are its own', { users: { jane: user('jane', { policies: [START] }) } }],
    ['that it names', { policies: { Start: START }, users: { jane: user('jane', { policies: ['Start'] }) } }],
    [
      'of its groups',
      { groups: { ops: { policies: [START] } }, users: { jane: user('jane', { groups: ['ops'] }) } },
    ],
  ])('%s', async (_, document) => {
    const w = iamWorld(document);
    await w.node();
    expect(await starts(w)).toBe('started');
  });

  test.each<[string, object, string]>([
    ['identity-based policy', {}, 'because no identity-based policy allows the ssm:StartSession action'],
    [
      'permissions boundary',
      { policies: [START], boundary: policy({ Action: 's3:*', Resource: '*' }) },
      'because no permissions boundary allows the ssm:StartSession action',
    ],
    [
      'an explicit deny of a group',
      { policies: [START], groups: ['shut'] },
      'with an explicit deny in an identity-based policy',
    ],
  ])('and is refused by %s', async (_, members, why) => {
    const shut = { policies: [policy({ Effect: 'Deny', Action: 'ssm:Start*', Resource: '*' })] };
    const w = iamWorld({ groups: { shut }, users: { jane: user('jane', members) } });
    await w.node();
    const { __type, message } = await w.as(credentialsOf('jane'), 'StartSession', { Target: NODE });
    expect([__type, message]).toEqual([
      'AccessDeniedException',
      deniedText(ARN.user('jane'), 'ssm:StartSession', ARN.node(), why),
    ]);
  });

  test('of the levels of the organization, which must all allow', async () => {
    const all = policy({ Action: '*', Resource: '*' });
    const users = { jane: user('jane', { policies: [START] }) };
    const w = iamWorld({ users, policies: { all }, serviceControlPolicies: [['all'], ['all']] });
    await w.node();
    expect(await starts(w)).toBe('started');
    w.put({ users, policies: { all }, serviceControlPolicies: [['all'], []] });
    expect(await w.as(credentialsOf('jane'), 'StartSession', { Target: NODE })).toMatchObject({
      message: deniedText(
        ARN.user('jane'),
        'ssm:StartSession',
        ARN.node(),
        'because no service control policy allows the ssm:StartSession action',
      ),
    });
  });
});

describe('the kinds of principals', () => {
  const key = { accessKeyId: 'ASIAOTHER', secretAccessKey: 'secret', sessionToken: 'token' };
  const whoIs = (document: IamDocument) => iamDirectory(documentOf(document), SCOPE).credentials('ASIAOTHER');

  test('a user with a path', () => {
    const record = whoIs({ users: { jane: { path: '/staff/', accessKeys: [key] } } });
    expect(record?.principal).toMatchObject({
      arn: `arn:aws:iam::${ACCOUNT}:user/staff/jane`,
      userId: expect.stringMatching(/^AIDA[0-9A-F]{17}$/),
      userName: 'jane',
    });
  });

  test('the session of a role: its tags go before those of the role, and it has no user name', () => {
    const record = whoIs({
      roles: {
        Ops: {
          path: '/team/',
          roleId: 'AROAOPS',
          tags: { Team: 'all', Cost: '7' },
          sessions: [{ name: 'jane', tags: { team: 'web' }, ...key, mfaAuthenticated: true }],
        },
      },
    });
    expect(record).toMatchObject({
      mfaAuthenticated: true,
      principal: {
        arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Ops/jane`,
        userId: 'AROAOPS:jane',
        roleArn: `arn:aws:iam::${ACCOUNT}:role/team/Ops`,
        tags: new Map([
          ['Cost', '7'],
          ['team', 'web'],
        ]),
      },
    });
    expect(record?.principal.userName).toBeUndefined();
  });

  test('a federated user, who has what of the policies of a user is passed on', async () => {
    const bob = { accessKeyId: 'ASIABOB', secretAccessKey: 's', sessionToken: 't' };
    const federated = (policies?: object[]) => ({
      users: { jane: user('jane', { policies: [START] }) },
      federatedUsers: { bob: { by: 'jane', accessKeys: [bob], ...(policies && { policies }) } },
    });
    const w = iamWorld(federated([policy({ Action: 'ssm:*', Resource: '*' })]));
    await w.node();
    expect(await starts(w, bob)).toBe('started');
    const [session] = await w.service.targets();
    expect(session).toBeDefined();
    w.put(federated());
    const { message } = await w.as(bob, 'StartSession', { Target: NODE });
    expect(message).toBe(
      deniedText(
        `arn:aws:sts::${ACCOUNT}:federated-user/bob`,
        'ssm:StartSession',
        ARN.node(),
        'because no session policy allows the ssm:StartSession action',
      ),
    );
    expect(w.iam.credentials('ASIABOB')?.principal.userId).toBe(`${ACCOUNT}:bob`);
  });

  test('the root user may everything that no service control policy denies', async () => {
    const deny = policy(
      { Effect: 'Allow', Action: '*', Resource: '*' },
      { Effect: 'Deny', Action: 'ssm:TerminateSession', Resource: '*' },
    );
    const w = iamWorld({ root: { accessKeys: [credentialsOf('root')] }, serviceControlPolicies: [[deny]] });
    await w.node();
    expect(await starts(w, credentialsOf('root'))).toBe('started');
    const denied = await w.as(credentialsOf('root'), 'TerminateSession', { SessionId: 'x' });
    expect(denied.message).toContain('with an explicit deny in a service control policy');
  });

  test('the session policies of a role session narrow what the role may', async () => {
    const session = { name: 'jane', ...key };
    const roles = (policies: object[]) => ({
      Ops: { policies: [EVERYTHING], sessions: [{ ...session, policies }] },
    });
    const w = iamWorld({ roles: roles([START]) });
    await w.node();
    expect(await starts(w, key)).toBe('started');
    expect(await w.as(key, 'DescribeSessions', { State: 'Active' })).toMatchObject({
      __type: 'AccessDeniedException',
      message: expect.stringContaining('because no session policy allows the ssm:DescribeSessions action'),
    });
  });

  test('credentials are refused from their expiration on', async () => {
    const roles = {
      Ops: {
        policies: [START],
        sessions: [{ name: 'jane', ...key, expiration: '2026-01-01T00:01:00Z' }],
      },
    };
    const w = iamWorld({ roles });
    await w.node();
    expect(await starts(w, key)).toBe('started');
    await w.clock.advance(60_000);
    expect(await starts(w, key)).toBe('ExpiredTokenException');
  });
});

describe('a directory that cannot be used', () => {
  test.each<[string, string, string]>([
    ['no JSON', '{"users": ', 'users is no JSON value (character 10 of the text)'],
    ['a name twice', '{"users":{"jane":{},"jane":{}}}', 'users.jane is there twice'],
    ['an unknown member', '{"user":{}}', 'user is unknown'],
    ['an unknown member of a user', '{"users":{"jane":{"boundry":"x"}}}', 'users.jane.boundry is unknown'],
    [
      'a policy that is not there',
      '{"users":{"jane":{"policies":["x"]}}}',
      'users.jane.policies[0] must be a policy that is there in policies',
    ],
    [
      'a group that is not there',
      '{"users":{"jane":{"groups":["x"]}}}',
      'users.jane.groups[0] must be a group that is there in groups',
    ],
    [
      'a broken policy',
      '{"users":{"jane":{"policies":[{"Statement":{"Effect":"allow","Action":"ssm:*","Resource":"*"}}]}}}',
      'users.jane.policies[0].Statement.Effect must be "Allow" or "Deny"',
    ],
    [
      'a broken policy that nobody has',
      '{"policies":{"a":{"Statement":[]}}}',
      'policies.a.Statement must have at least one statement',
    ],
    [
      'a key without secret',
      '{"users":{"jane":{"accessKeys":[{"accessKeyId":"AKIA"}]}}}',
      'users.jane.accessKeys[0].secretAccessKey must be a string that is not empty',
    ],
    [
      'one key for two',
      `{"users":{${['a', 'b'].map((name) => `"${name}":{"accessKeys":[{"accessKeyId":"A","secretAccessKey":"s"}]}`)}}}`,
      'users.b.accessKeys[0].accessKeyId is there twice',
    ],
    [
      'a key of the service itself',
      '{"users":{"jane":{"accessKeys":[{"accessKeyId":"ASIAHAWSER1","secretAccessKey":"s"}]}}}',
      'users.jane.accessKeys[0].accessKeyId begins as those that the service itself issues',
    ],
    [
      'a time without zone',
      '{"users":{"jane":{"accessKeys":[{"accessKeyId":"A","secretAccessKey":"s","expiration":"2026-01-01T00:00:00"}]}}}',
      'users.jane.accessKeys[0].expiration must be a time of ISO 8601 with its zone, as 2026-01-01T00:00:00Z',
    ],
    [
      'a federated user of nobody',
      '{"federatedUsers":{"bob":{"by":"jane"}}}',
      'federatedUsers.bob.by must be a user that is there in users',
    ],
    ['a list', '[]', ' must be an object'],
    [
      'a name with a slash',
      '{"users":{"a/b":{}}}',
      'users["a/b"] has a name that is not 1 to 128 of letters',
    ],
  ])('has %s: it says where', (_, text, reason) => {
    const error = thrown(() => iamDirectory(text, SCOPE));
    expect(error).toBeInstanceOf(IamDirectoryError);
    expect(error).toMatchObject({ code: 'ERR_IAM_DIRECTORY' });
    expect((error as Error).message).toContain(`The directory cannot be used: ${reason.trim()}`);
  });

  test('leaves the one before in force, and tells nobody', async () => {
    const w = iamWorld({ users: { jane: user('jane', { policies: [START] }) } });
    await w.node();
    let changes = 0;
    w.iam.policyChanges(() => changes++);
    expect(thrown(() => w.put({ users: { bob: user('bob'), jane: { groups: ['x'] } } }))).toBeDefined();
    expect(await starts(w)).toBe('started');
    expect(await starts(w, credentialsOf('bob'))).toBe('UnrecognizedClientException');
    expect(changes).toBe(0);
  });

  test('names no secret', () => {
    const text = JSON.stringify({
      users: { jane: { accessKeys: [{ ...credentialsOf('jane'), sessionToken: 5 }] } },
    });
    expect((thrown(() => iamDirectory(text, SCOPE)) as Error).message).not.toContain('jane-secret');
  });
});

test('a change is in force at the next call, for whoever it is about', async () => {
  const w = iamWorld({ users: { jane: user('jane', { policies: [START] }) } });
  await w.node();
  expect(await starts(w)).toBe('started');
  w.put({ users: { jane: user('jane') } });
  expect(await starts(w)).toBe('AccessDeniedException');
  w.put({});
  expect(await starts(w)).toBe('UnrecognizedClientException');
});

test('nobody of another account is known, and names of objects are names', () => {
  const { authorize, credentials, principal } = iamDirectory({ users: { jane: user('jane') } }, SCOPE);
  const principalOf = (arn: string, accountId: string) => ({ arn, accountId, userId: 'x' });
  const ask = (arn: string, accountId = ACCOUNT) =>
    authorize({
      principal: principalOf(arn, accountId),
      action: 'ssm:StartSession',
      resource: ARN.node(),
      context: new Map(),
    });
  for (const denied of [ask('arn:aws:iam::444455556666:root', '444455556666'), ask('constructor')]) {
    expect(denied).toMatchObject({ effect: 'ImplicitDeny' });
  }
  for (const name of ['constructor', '__proto__', 'toString']) {
    expect([credentials(name), principal(name)]).toEqual([undefined, undefined]);
  }
});

test('a user called __proto__ has the policies of that name', async () => {
  const text = `{"users":{"__proto__":{"accessKeys":[{"accessKeyId":"A","secretAccessKey":"s"}],"policies":[${JSON.stringify(START)}]}}}`;
  const { credentials } = iamDirectory(text, SCOPE);
  expect(credentials('A')?.principal.userName).toBe('__proto__');
});

test('why somebody may not is told by what the directory decides by', () => {
  const { policiesFor, principal } = iamDirectory(
    { policies: { Start: START }, users: { jane: user('jane', { policies: ['Start'] }) } },
    SCOPE,
  );
  const jane = principal(ARN.user('jane'))!;
  const request = { principal: jane, action: 'ssm:ResumeSession', resource: '*', context: new Map() };
  expect(explain(policiesFor(jane, request), request).nearlyMatched).toEqual([
    {
      place: 'identity',
      policyIndex: 0,
      policyName: 'Start',
      statementIndex: 0,
      effect: 'Allow',
      failed: 'action',
    },
  ]);
});

test('a thousand principals: each has what is its own, and a call looks at nobody else', async () => {
  const names = Array.from({ length: 1000 }, (_, index) => `user${index}`);
  const mine = (name: string) =>
    policy({ Action: 'ssm:TerminateSession', Resource: `arn:aws:ssm:*:*:session/${name}-*` });
  const users = Object.fromEntries(names.map((name) => [name, user(name, { policies: [mine(name)] })]));
  const w = iamWorld({ users });
  for (const name of ['user0', 'user500', 'user999']) {
    const code = async (SessionId: string) =>
      (await w.as(credentialsOf(name), 'TerminateSession', { SessionId })).__type;
    expect(await code(`${name}-abc`)).toBe('DoesNotExistException');
    expect(await code('user1-abc')).toBe('AccessDeniedException');
  }
});

test('it is given to a service whole', async () => {
  const iam = iamDirectory({ users: { jane: user('jane', { policies: [START] }) } }, SCOPE);
  const service = new SessionManagerService({ ...SCOPE, ...iam });
  expect(await service.canStart(iam.principal(ARN.user('jane'))!, NODE)).toMatchObject({ allowed: true });
  await service.close();
});

function thrown(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

test('a listener that throws keeps neither the change nor the other listeners from hearing of it', () => {
  const iam = iamDirectory({}, SCOPE);
  let heard = 0;
  iam.policyChanges(() => {
    throw new Error('the log is full');
  });
  iam.policyChanges(() => {
    heard++;
  });
  iam.replace({ users: { jane: {} } });
  expect([heard, iam.principal(ARN.user('jane'))?.userName]).toEqual([1, 'jane']);
});
