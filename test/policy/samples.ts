/** The sample policies that POLICY.md section 6 names, as an administrator would write them for this account. */
export const REGION = 'eu-west-1';
export const OWN = '111122223333';
const SSM = `arn:aws:ssm:${REGION}:${OWN}`;
const EC2 = `arn:aws:ec2:${REGION}:${OWN}`;

const allow = (Action: string | string[], Resource: string | string[], Condition?: object) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...(Condition ? { Condition } : {}),
});
const deny = (...said: Parameters<typeof allow>) => ({ ...allow(...said), Effect: 'Deny' });
const document = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });
const OWN_SESSIONS = 'arn:aws:ssm:*:*:session/${aws:username}-*';
const LIST = allow(
  ['ssm:DescribeSessions', 'ssm:GetConnectionStatus', 'ssm:DescribeInstanceInformation'],
  '*',
);

export const node = (name: string) => `${EC2}:instance/${name}`;
export const session = (id: string) => `${SSM}:session/${id}`;
export const ownDocument = (name: string) => `${SSM}:document/${name}`;
export const awsDocument = (name: string) => `arn:aws:ssm:${REGION}::document/${name}`;
export const DEFAULT_DOCUMENT = ownDocument('SSM-SessionManagerRunShell');
export const KEY = `arn:aws:kms:${REGION}:${OWN}:key/key-1`;

export const samples = {
  endUserQuickstart: document(
    allow('ssm:StartSession', [node('i-one'), DEFAULT_DOCUMENT]),
    allow('ssmmessages:OpenDataChannel', OWN_SESSIONS),
    LIST,
    allow(['ssm:TerminateSession', 'ssm:ResumeSession'], OWN_SESSIONS),
    allow('kms:GenerateDataKey', KEY),
  ),
  administratorByTag: document(
    allow('ssm:StartSession', `${EC2}:instance/*`, {
      StringLike: { 'ssm:resourceTag/Finance': ['WebServers'] },
    }),
    allow('ssm:StartSession', DEFAULT_DOCUMENT),
    allow(['ssm:TerminateSession', 'ssm:ResumeSession'], OWN_SESSIONS),
  ),
  threeNodes: document(
    allow('ssm:StartSession', [node('i-one'), node('i-two'), node('i-three'), DEFAULT_DOCUMENT]),
    allow(['ssm:TerminateSession', 'ssm:ResumeSession'], OWN_SESSIONS),
  ),
  twoTags: document(
    allow('ssm:StartSession', '*', {
      StringLike: { 'ssm:resourceTag/tag-key1': ['tag-value1'], 'ssm:resourceTag/tag-key2': ['tag-value2'] },
    }),
    allow('ssm:StartSession', DEFAULT_DOCUMENT),
  ),
  describeAndOwnTerminate: document(
    allow('ssm:DescribeSessions', '*'),
    allow('ssm:TerminateSession', OWN_SESSIONS),
  ),
  terminateByTarget: document(
    allow('ssm:TerminateSession', 'arn:aws:ssm:*:*:session/*', {
      StringEquals: { 'ssm:resourceTag/aws:ssmmessages:target-id': ['i-one', 'i-two'] },
    }),
  ),
  terminateByOwner: document(
    allow('ssm:TerminateSession', 'arn:aws:ssm:*:*:session/*', {
      StringLike: { 'ssm:resourceTag/aws:ssmmessages:session-id': ['${aws:userid}'] },
    }),
  ),
  terminateByBoth: document(
    allow('ssm:TerminateSession', 'arn:aws:ssm:*:*:session/*', {
      StringLike: { 'ssm:resourceTag/aws:ssmmessages:session-id': ['${aws:userid}*'] },
      StringEquals: { 'ssm:resourceTag/aws:ssmmessages:target-id': ['i-one'] },
    }),
  ),
  fullAdmin: document(allow('*', '*')),
  onlyThisDocument: document(
    allow('ssm:StartSession', [`${EC2}:instance/*`, ownDocument('Restart')], {
      BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' },
    }),
  ),
  allowSsh: document(
    allow('ssm:StartSession', [node('i-one'), 'arn:aws:ssm:*:*:document/AWS-StartSSHSession']),
  ),
  denySsh: document(
    allow('ssm:StartSession', '*'),
    deny('ssm:StartSession', 'arn:aws:ssm:*:*:document/AWS-StartSSHSession'),
  ),
  denyPreferenceChanges: document(
    allow('ssm:*', '*'),
    deny(['ssm:UpdateDocument', 'ssm:CreateDocument', 'ssm:DeleteDocument'], DEFAULT_DOCUMENT),
  ),
  agentInstanceProfile: document(
    allow(
      [
        'ssm:UpdateInstanceInformation',
        'ssmmessages:CreateControlChannel',
        'ssmmessages:CreateDataChannel',
        'ssmmessages:OpenControlChannel',
        'ssmmessages:OpenDataChannel',
      ],
      '*',
    ),
    allow('kms:Decrypt', KEY),
  ),
};
