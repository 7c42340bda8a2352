/** The policies that AWS prints as samples, against the real service, through `@aws-sdk/client-ssm` over HTTP. */
import * as ssm from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Server, serve } from '../../src/node/serve.ts';
import { type IamDirectory, iamDirectory, SessionManagerService } from '../../src/service/index.ts';
import { credentialsOf, deniedText, documentOf, EVERYTHING, policy, SCOPE, user } from './iam-world.ts';
import { ACCOUNT, REGION } from './world.ts';

const NODE = 'i-0123456789abcdef0';
const OTHERS = ['i-00000000000000001', 'i-00000000000000002', 'i-00000000000000003'];
const EC2 = (id: string) => `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/${id}`;
const SHELL = `arn:aws:ssm:${REGION}:${ACCOUNT}:document/SSM-SessionManagerRunShell`;
const SESSIONS = { Action: ['ssm:TerminateSession', 'ssm:ResumeSession'] };

/** After "Sample IAM policies for Session Manager" of the user guide, by the list in POLICY.md section 6. */
const SAMPLES = {
  'end user quickstart': policy(
    {
      Action: 'ssm:StartSession',
      Resource: [EC2(NODE), SHELL],
      Condition: { BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' } },
    },
    {
      Action: [
        'ssm:DescribeSessions',
        'ssm:GetConnectionStatus',
        'ssm:DescribeInstanceProperties',
        'ec2:DescribeInstances',
      ],
      Resource: '*',
    },
    { Action: ['ssmmessages:OpenDataChannel'], Resource: ['arn:aws:ssm:*:*:session/${aws:userid}-*'] },
    { ...SESSIONS, Resource: ['arn:aws:ssm:*:*:session/${aws:userid}-*'] },
  ),
  'administrator by tag': policy(
    {
      Action: 'ssm:StartSession',
      Resource: `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/*`,
      Condition: { StringLike: { 'ssm:resourceTag/Finance': ['WebServers'] } },
    },
    { Action: 'ssm:StartSession', Resource: SHELL },
    { ...SESSIONS, Resource: ['arn:aws:ssm:*:*:session/${aws:username}-*'] },
  ),
  'three named nodes': policy(
    { Action: 'ssm:StartSession', Resource: [...OTHERS.map(EC2), SHELL] },
    { ...SESSIONS, Resource: ['arn:aws:ssm:*:*:session/${aws:username}-*'] },
  ),
  'two tags at once': policy(
    {
      Action: 'ssm:StartSession',
      Resource: `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/*`,
      Condition: {
        StringLike: {
          'ssm:resourceTag/tag-key1': ['tag-value1'],
          'ssm:resourceTag/tag-key2': ['tag-value2'],
        },
      },
    },
    { Action: 'ssm:StartSession', Resource: SHELL },
  ),
  'terminate by session tags': policy(
    { Action: 'ssm:StartSession', Resource: [EC2(NODE), SHELL] },
    {
      Action: 'ssm:TerminateSession',
      Resource: '*',
      Condition: {
        StringLike: {
          'ssm:resourceTag/aws:ssmmessages:target-id': [NODE],
          'ssm:resourceTag/aws:ssmmessages:session-id': ['${aws:userid}'],
        },
      },
    },
  ),
  'full administrator': policy({
    Action: [
      'ssm:StartSession',
      'ssm:TerminateSession',
      'ssm:ResumeSession',
      'ssm:DescribeSessions',
      'ssm:GetConnectionStatus',
    ],
    Resource: ['*'],
  }),
  'SSH sessions alone': policy({
    Action: 'ssm:StartSession',
    Resource: [EC2(NODE), 'arn:aws:ssm:*:*:document/AWS-StartSSHSession'],
  }),
  'no SSH sessions': policy(
    { Action: 'ssm:StartSession', Resource: '*' },
    { Effect: 'Deny', Action: 'ssm:StartSession', Resource: 'arn:aws:ssm:*:*:document/AWS-StartSSHSession' },
  ),
  'preferences stay as they are': policy(
    { Action: 'ssm:*', Resource: '*' },
    {
      Effect: 'Deny',
      Action: ['ssm:CreateDocument', 'ssm:UpdateDocument', 'ssm:DeleteDocument'],
      Resource: [SHELL],
    },
  ),
} as const;

type Sample = keyof typeof SAMPLES;
type Call = (client: ssm.SSMClient) => Promise<unknown>;

let iam: IamDirectory;
let service: SessionManagerService;
let server: Server;

beforeAll(async () => {
  iam = iamDirectory(documentOf({}), SCOPE);
  service = new SessionManagerService({ ...SCOPE, ...iam });
  server = await serve(service);
  await service.registerTarget({
    id: NODE,
    tags: { Finance: 'WebServers', 'tag-key1': 'tag-value1', 'tag-key2': 'tag-value2' },
  });
  await service.registerTarget({ id: OTHERS[0]!, tags: { 'tag-key1': 'tag-value1' } });
});

afterAll(async () => {
  await service.close();
  await server.close();
});

/** The name and text of an error; nothing else is known of nodes that are not connected, so that is what allowed ones are. */
async function answer(sample: Sample, send: Call): Promise<[string, string]> {
  iam.replace(
    documentOf({
      users: {
        jane: user('jane', { policies: [SAMPLES[sample]] }),
        admin: user('admin', { policies: [EVERYTHING] }),
      },
    }),
  );
  const client = new ssm.SSMClient({
    region: REGION,
    endpoint: server.url,
    credentials: credentialsOf('jane'),
    maxAttempts: 1,
  });
  try {
    await send(client);
    return ['ok', ''];
  } catch (error) {
    return [(error as Error).name, (error as Error).message];
  } finally {
    client.destroy();
  }
}

const start =
  (Target: string, DocumentName?: string): Call =>
  (client) =>
    client.send(new ssm.StartSessionCommand({ Target, ...(DocumentName && { DocumentName }) }));
const terminate =
  (SessionId: string): Call =>
  (client) =>
    client.send(new ssm.TerminateSessionCommand({ SessionId }));
const SSH = 'AWS-StartSSHSession';
const ALLOWED = 'TargetNotConnected';

describe('what is allowed comes as far as the node, which is not connected', () => {
  test.each<[Sample, string, string | undefined, string]>([
    ['end user quickstart', NODE, undefined, ALLOWED],
    ['administrator by tag', NODE, undefined, ALLOWED],
    ['three named nodes', OTHERS[2]!, undefined, ALLOWED],
    ['two tags at once', NODE, undefined, ALLOWED],
    ['full administrator', NODE, SSH, ALLOWED],
    ['SSH sessions alone', NODE, SSH, ALLOWED],
    ['no SSH sessions', NODE, undefined, ALLOWED],
  ])('%s: %s %s', async (sample, target, document, code) => {
    expect(await answer(sample, start(target, document))).toEqual([code, `${target} is not connected.`]);
  });
});

describe('what is not is refused in the words of AWS', () => {
  const implicit = (action: string, resource: string) =>
    deniedText(`arn:aws:iam::${ACCOUNT}:user/jane`, action, resource);
  const explicit = (action: string, resource: string) =>
    deniedText(
      `arn:aws:iam::${ACCOUNT}:user/jane`,
      action,
      resource,
      'with an explicit deny in an identity-based policy',
    );
  const AMAZONS = `arn:aws:ssm:${REGION}::document/${SSH}`;
  const START = 'ssm:StartSession';
  const update: Call = (client) =>
    client.send(new ssm.UpdateDocumentCommand({ Name: 'SSM-SessionManagerRunShell', Content: '{}' }));
  const list: Call = (client) => client.send(new ssm.DescribeSessionsCommand({ State: 'Active' }));

  test.each<[Sample, Call, string]>([
    ['end user quickstart', start(OTHERS[0]!), implicit(START, EC2(OTHERS[0]!))],
    ['end user quickstart', start(NODE, SSH), implicit(START, AMAZONS)],
    [
      'end user quickstart',
      terminate('bob-1'),
      implicit('ssm:TerminateSession', `arn:aws:ssm:${REGION}:${ACCOUNT}:session/bob-1`),
    ],
    [
      'terminate by session tags',
      terminate('jane-1'),
      implicit('ssm:TerminateSession', `arn:aws:ssm:${REGION}:${ACCOUNT}:session/jane-1`),
    ],
    ['administrator by tag', start(OTHERS[0]!), implicit(START, EC2(OTHERS[0]!))],
    ['three named nodes', start(NODE), implicit(START, EC2(NODE))],
    ['two tags at once', start(OTHERS[0]!), implicit(START, EC2(OTHERS[0]!))],
    ['SSH sessions alone', start(NODE), implicit(START, SHELL)],
    ['no SSH sessions', start(NODE, SSH), explicit(START, AMAZONS)],
    ['preferences stay as they are', update, explicit('ssm:UpdateDocument', SHELL)],
    ['three named nodes', list, implicit('ssm:DescribeSessions', `arn:aws:ssm:${REGION}:${ACCOUNT}:*`)],
  ])('%s', async (sample, call, text) => {
    expect(await answer(sample, call)).toEqual(['AccessDeniedException', text]);
  });
});

test('aws:SourceIp is the address of the peer, and what a request says of it is not', async () => {
  const from = (cidr: string) =>
    policy({ Action: 'ssm:StartSession', Resource: '*', Condition: { IpAddress: { 'aws:SourceIp': cidr } } });
  const code = async (cidr: string) => {
    iam.replace(documentOf({ users: { jane: user('jane', { policies: [from(cidr)] }) } }));
    const client = new ssm.SSMClient({
      region: REGION,
      endpoint: server.url,
      credentials: credentialsOf('jane'),
      maxAttempts: 1,
    });
    client.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers['x-forwarded-for'] = '203.0.113.9';
        return next(args);
      },
      { step: 'build' },
    );
    return start(NODE)(client).catch((error: Error) => error.name);
  };
  expect([await code('127.0.0.0/8'), await code('203.0.113.0/24')]).toEqual([
    ALLOWED,
    'AccessDeniedException',
  ]);
});

test('just-in-time access through the SDK', async () => {
  const jit = new SessionManagerService({ ...SCOPE, ...iam, approveAccess: () => 'Approved' });
  const host = await serve(jit);
  iam.replace(
    documentOf({
      users: {
        jane: user('jane', {
          policies: [policy({ Action: ['ssm:StartAccessRequest', 'ssm:GetAccessToken'], Resource: '*' })],
        }),
      },
    }),
  );
  await jit.registerTarget({ id: NODE });
  const connect = (credentials: object) =>
    new ssm.SSMClient({
      region: REGION,
      endpoint: host.url,
      credentials: credentials as never,
      maxAttempts: 1,
    });
  const jane = connect(credentialsOf('jane'));
  const { AccessRequestId } = await jane.send(
    new ssm.StartAccessRequestCommand({
      Reason: 'ticket',
      Targets: [{ Key: 'InstanceIds', Values: [NODE] }],
    }),
  );
  const { Credentials, AccessRequestStatus } = await jane.send(
    new ssm.GetAccessTokenCommand({ AccessRequestId }),
  );
  expect(AccessRequestStatus).toBe('Approved');
  expect(Credentials?.ExpirationTime).toBeInstanceOf(Date);
  const {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
  } = Credentials!;
  const code = (client: ssm.SSMClient) => start(NODE)(client).catch((error: Error) => error.name);
  expect(await code(jane)).toBe('AccessDeniedException');
  expect(await code(connect({ accessKeyId, secretAccessKey, sessionToken }))).toBe(ALLOWED);
  await jit.close();
  await host.close();
});
