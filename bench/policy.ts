import { createHmac } from 'node:crypto';
import { type AuthorizationRequest, evaluate, type Policies, parsePolicy } from 'hawser/policy';
import { contest, type FigureSource, rate } from './measure.ts';

const ACCOUNT = '111122223333';
const principal = {
  arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
  userId: 'AIDAALICE',
  accountId: ACCOUNT,
  tags: new Map([['team', 'web']]),
};

const [small, large] = [1, 10].map(
  (teams): Policies => ({
    identity: Array.from({ length: teams }, (_, team) => parsePolicy('identity', teamPolicy(team))),
  }),
);
const requests = sampleRequests();

/**
 * Decisions of a Session Manager policy set of 10 statements, beside one HMAC-SHA256, of which to verify a signature takes
 * five; and of 100 statements, beside the 10: a tenth or more is linear.
 */
export const policyFigures: FigureSource[] = [
  {
    name: 'policy-evaluate-10',
    measure: () =>
      contest({
        name: 'policy-evaluate-10',
        unit: 'calls/s',
        beside: 'createHmac sha256 of 200 bytes',
        ours: () => evaluations(small!),
        yardstick: () => rate(() => createHmac('sha256', 'key').update('x'.repeat(200)).digest()),
      }),
  },
  {
    name: 'policy-evaluate-100',
    measure: () =>
      contest({
        name: 'policy-evaluate-100',
        unit: 'calls/s',
        beside: '10 statements',
        ours: () => evaluations(large!),
        yardstick: () => evaluations(small!),
      }),
  },
];

function evaluations(policies: Policies): number {
  return rate((turn) => evaluate(policies, requests[turn % requests.length]!));
}

/** Ten statements: by tag, by document, own sessions, listing, a key; no SSH, office hours, the office's addresses. */
function teamPolicy(team: number): object {
  const allow = (Action: string | string[], Resource: string | string[], Condition: object = {}) => ({
    Effect: 'Allow',
    Action,
    Resource,
    Condition,
  });
  const deny = (...said: Parameters<typeof allow>) => ({ ...allow(...said), Effect: 'Deny' });
  const own = 'arn:aws:ssm:*:*:session/${aws:username}-*';
  return {
    Version: '2012-10-17',
    Statement: [
      allow('ssm:StartSession', `arn:aws:ec2:*:${ACCOUNT}:instance/*`, {
        StringLike: { 'ssm:resourceTag/team': [team === 0 ? 'web' : `team-${team}`] },
      }),
      allow('ssm:StartSession', `arn:aws:ssm:*:${ACCOUNT}:document/${team === 0 ? 'SSM-' : `Team${team}-`}*`),
      allow(['ssm:TerminateSession', 'ssm:ResumeSession'], own),
      allow('ssmmessages:OpenDataChannel', own),
      allow(['ssm:DescribeSessions', 'ssm:GetConnectionStatus', 'ssm:DescribeInstanceInformation'], '*'),
      allow('kms:GenerateDataKey', `arn:aws:kms:eu-west-1:${ACCOUNT}:key/${team}`),
      deny('ssm:StartSession', `arn:aws:ssm:*:*:document/AWS-StartSSHSession`, {
        StringNotEquals: { 'aws:PrincipalTag/team': ['web', `team-${team}`] },
      }),
      deny(['ssm:UpdateDocument', 'ssm:CreateDocument'], `arn:aws:ssm:*:${ACCOUNT}:document/SSM-*`),
      deny('ssm:*', '*', { DateGreaterThan: { 'aws:CurrentTime': `20${40 + team}-01-01T00:00:00Z` } }),
      deny('ssm:StartSession', '*', {
        NotIpAddress: { 'aws:SourceIp': ['10.0.0.0/8', `192.0.2.${team}/32`, '2001:db8::/32'] },
      }),
    ],
  };
}

/** Made by the service, with the keys that it sets: three that are allowed and two that are not. */
function sampleRequests(): AuthorizationRequest[] {
  const asked = (action: string, resource: string, ...tags: [string, string][]): AuthorizationRequest => ({
    principal,
    action,
    resource,
    context: new Map([
      ['aws:CurrentTime', '2026-11-24T22:00:00Z'],
      ['aws:SourceIp', '10.1.2.3'],
      ['ssm:SessionDocumentAccessCheck', 'true'],
      ...tags.flatMap(([key, value]): [string, string][] => [
        [`ssm:resourceTag/${key}`, value],
        [`aws:ResourceTag/${key}`, value],
      ]),
    ]),
  });
  const node = `arn:aws:ec2:eu-west-1:${ACCOUNT}:instance/i-0123456789abcdef0`;
  const ssm = `arn:aws:ssm:eu-west-1:${ACCOUNT}`;
  return [
    asked('ssm:StartSession', node, ['team', 'web'], ['Name', 'web-1']),
    asked('ssm:StartSession', `${ssm}:document/SSM-SessionManagerRunShell`),
    asked('ssm:ResumeSession', `${ssm}:session/alice-0a1b2c3d4e5f60718`),
    asked('ssm:StartSession', node, ['team', 'nobody'], ['Name', 'db-1']),
    asked('ssm:TerminateSession', `${ssm}:session/bob-0a1b2c3d4e5f60718`),
  ];
}
