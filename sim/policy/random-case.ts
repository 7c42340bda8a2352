import type { AuthorizationRequest, Principal } from '../../src/policy/index.ts';
import type {
  Documents,
  PolicyDocument,
  StatementDocument,
  Values,
} from '../../test/policy/second-evaluator.ts';
import { Dice } from '../dice.ts';

export interface PolicyCase {
  readonly documents: Documents;
  readonly requests: readonly AuthorizationRequest[];
}

/** Requests to one set of policies, since to make the set takes longest. */
export const REQUESTS_PER_SEED = 4;

/** Policies and requests that have much to do with each other: few names, and every rule of POLICY.md at work. */
export function randomCase(seed: number): PolicyCase {
  const dice = new Dice(seed);
  const some = <T>(chance: number, make: () => T) => (dice.chance(chance) ? make() : undefined);
  const list = <T>(most: number, make: () => T) =>
    Array.from({ length: dice.whole(dice.chance(0.1) ? 0 : 1, most) }, make);
  const document = (kind: Kind) => randomDocument(dice, kind);
  const documents: { [P in keyof Documents]: Documents[P] | undefined } = {
    identity: some(0.9, () => list(3, () => document('identity'))),
    resource: some(0.4, () => list(2, () => document('resource'))),
    boundary: some(0.2, () => document('identity')),
    session: some(0.2, () => list(2, () => document('identity'))),
    scp: some(0.2, () => list(2, () => list(2, () => document('identity')))),
    rcp: some(0.1, () => list(2, () => list(2, () => document('everyone')))),
    vpce: some(0.1, () => document('everyone')),
  };
  const present = Object.entries(documents).filter(([, value]) => value !== undefined);
  return {
    documents: Object.fromEntries(present),
    requests: Array.from({ length: REQUESTS_PER_SEED }, () => randomRequest(dice)),
  };
}

type Kind = 'identity' | 'resource' | 'everyone';

const [OWN, OTHER] = ['111122223333', '444455556666'];

function randomRequest(dice: Dice): AuthorizationRequest {
  const context = new Map<string, string | readonly string[]>();
  for (const key of KEYS) {
    if (dice.chance(0.5)) context.set(anyCase(dice, key), randomContextValue(dice));
  }
  return {
    principal: randomPrincipal(dice),
    action: anyCase(dice, dice.pick(ACTIONS)),
    resource: dice.pick(RESOURCES),
    context,
  };
}

function randomPrincipal(dice: Dice): Principal {
  const tags = new Map<string, string>();
  for (const tag of ['team', 'Team', 'star']) if (dice.chance(0.4)) tags.set(tag, dice.pick(TEXTS));
  const principal = dice.pick(PRINCIPALS);
  const isSession = principal.arn.includes(':assumed-role/');
  return {
    ...principal,
    ...(dice.chance(0.7) ? { tags } : {}),
    ...(isSession && dice.chance(0.3) ? { roleArn: dice.pick(ROLES) } : {}),
    ...(isSession && dice.chance(0.1) ? { serviceLinked: true } : {}),
    ...(dice.chance(0.2) ? { userName: 'bob' } : {}),
  };
}

function randomContextValue(dice: Dice): string | readonly string[] {
  if (dice.chance(0.2)) return Array.from({ length: dice.whole(0, 3) }, () => dice.pick(VALUES));
  return dice.pick(VALUES);
}

function randomDocument(dice: Dice, kind: Kind): PolicyDocument {
  const statements = Array.from({ length: dice.whole(1, 3) }, () => randomStatement(dice, kind));
  return {
    ...(dice.chance(0.8) ? { Version: dice.chance(0.8) ? '2012-10-17' : '2008-10-17' } : {}),
    Statement: statements.length === 1 && dice.chance(0.5) ? statements[0]! : statements,
  };
}

function randomStatement(dice: Dice, kind: Kind): StatementDocument {
  const effect = dice.chance(0.75) ? 'Allow' : 'Deny';
  const actions = oneOrMore(dice, () => anyCase(dice, dice.pick(ACTION_PATTERNS)));
  const resources = oneOrMore(dice, () => dice.pick(RESOURCE_PATTERNS));
  return {
    Effect: effect,
    ...(dice.chance(0.9) ? { Action: actions } : { NotAction: actions }),
    ...(dice.chance(0.9) ? { Resource: resources } : { NotResource: resources }),
    ...randomPrincipals(dice, kind, effect),
    ...(dice.chance(0.4) ? { Condition: randomConditions(dice) } : {}),
  };
}

function randomPrincipals(dice: Dice, kind: Kind, effect: 'Allow' | 'Deny'): Partial<StatementDocument> {
  if (kind === 'identity') return {};
  if (kind === 'everyone') return dice.chance(0.5) ? { Principal: '*' } : {};
  const principals = dice.chance(0.15)
    ? '*'
    : dice.chance(0.1)
      ? { Service: ['ssm.amazonaws.com', 'ec2.amazonaws.com'] }
      : { AWS: Array.from({ length: dice.whole(1, 4) }, () => dice.pick(NAMED_PRINCIPALS)) };
  return effect === 'Deny' && dice.chance(0.4) ? { NotPrincipal: principals } : { Principal: principals };
}

function randomConditions(dice: Dice): NonNullable<StatementDocument['Condition']> {
  const conditions: Record<string, Record<string, Values>> = {};
  const seen = new Set<string>();
  for (let left = dice.whole(0, 2); left > 0; left--) {
    const base = dice.pick(OPERATORS);
    const qualifier = base === 'Null' ? '' : dice.pick(['', '', '', 'ForAnyValue:', 'ForAllValues:']);
    const operator = `${qualifier}${base}${base !== 'Null' && dice.chance(0.2) ? 'IfExists' : ''}`;
    if (seen.has(operator)) continue;
    seen.add(operator);
    const keys = new Map<string, Values>();
    for (let more = dice.whole(1, 2); more > 0; more--) {
      const key = dice.pick(CONDITION_KEYS);
      keys.set(
        key,
        oneOrMore(dice, () => (base === 'Null' ? dice.chance(0.5) : dice.pick(CONDITION_VALUES))),
      );
    }
    const spelled = [...keys].map(([key, values]) => [anyCase(dice, key), values] as const);
    conditions[anyCase(dice, operator)] = Object.fromEntries(spelled);
  }
  return conditions;
}

function oneOrMore<T>(dice: Dice, make: () => T): T | T[] {
  return dice.chance(0.5) ? make() : Array.from({ length: dice.whole(1, 3) }, make);
}

/** Names whose case does not matter, now and then in another. */
function anyCase(dice: Dice, text: string): string {
  if (dice.chance(0.7)) return text;
  return dice.chance(0.5) ? text.toLowerCase() : text.toUpperCase();
}

const USER = { userId: 'AIDAALICE', accountId: OWN };
const PRINCIPALS: readonly Principal[] = [
  { arn: `arn:aws:iam::${OWN}:user/alice`, ...USER },
  { arn: `arn:aws:iam::${OWN}:user/alice`, ...USER },
  { arn: `arn:aws:iam::${OWN}:user/ops/bob`, ...USER, userId: 'AIDABOB' },
  { arn: `arn:aws:iam::${OTHER}:user/alice`, ...USER, accountId: OTHER },
  { arn: `arn:aws:sts::${OWN}:assumed-role/Ops/jane`, ...USER, userId: 'AROAOPS:jane' },
  { arn: `arn:aws:sts::${OTHER}:assumed-role/Ops/jane`, userId: 'AROAOPS:jane', accountId: OTHER },
  { arn: `arn:aws:sts::${OWN}:federated-user/fred`, ...USER, userId: `${OWN}:fred` },
  { arn: `arn:aws:sts::${OWN}:federated-user/idp:root`, ...USER, userId: `${OWN}:idp:root` },
  { arn: `arn:aws:iam::${OWN}:root`, userId: OWN, accountId: OWN },
  { arn: `arn:aws:iam::${OTHER}:root`, userId: OTHER, accountId: OTHER },
  { arn: 'anonymous', userId: 'anonymous', accountId: 'anonymous' },
  { arn: 'ssm.amazonaws.com', userId: 'ssm.amazonaws.com', accountId: '' },
];
const ROLES = [
  `arn:aws:iam::${OWN}:role/Ops`,
  `arn:aws:iam::${OWN}:role/team/Ops`,
  `arn:aws:iam::${OTHER}:role/Ops`,
];
const NAMED_PRINCIPALS = [
  ...PRINCIPALS.map(({ arn }) => arn).filter((arn) => arn.startsWith('arn:')),
  ...ROLES,
  OWN,
  OTHER,
  '*',
  `arn:aws:sts::${OWN}:assumed-role/Ops/joe`,
];

const ACTIONS = [
  'ssm:StartSession',
  'ssm:StartSession',
  'ssm:TerminateSession',
  'ssmmessages:OpenDataChannel',
  'sts:AssumeRole',
  'kms:GenerateDataKey',
  'ssm:Start\u212aession',
  'ssm',
];
const ACTION_PATTERNS = [
  '*',
  '*',
  'ssm:*',
  'ssm:*',
  'ssm:StartSession',
  'ssm:*Session',
  'ssm:?tart*',
  'ssm:T*e*e*n',
  'ssmmessages:*',
  'sts:AssumeRole',
  'kms:Generate*',
];

const NODE = `arn:aws:ec2:eu-west-1:${OWN}:instance/i-1`;
const RESOURCES = [
  NODE,
  NODE,
  '*',
  `arn:aws:ssm:eu-west-1:${OWN}:session/alice-0a`,
  `arn:aws:ssm:eu-west-1:${OTHER}:session/bob-*`,
  'arn:aws:ssm:eu-west-1::document/AWS-StartSSHSession',
  `arn:aws:kms:eu-west-1:${OWN}:key/1`,
  'arn:aws:s3:::bucket/a:b/c\nd\u{1f600}',
  `arn:aws:iam::${OWN}:role/Ops`,
  'arn:aws:iam::aws:policy/x',
  'arn:aws:ssm',
];
const RESOURCE_PATTERNS = [
  '*',
  '*',
  '*',
  '*',
  '*',
  NODE,
  ...RESOURCES.slice(3, 8),
  'arn:aws:ec2:*',
  'arn:aws:ec2',
  'arn:*:ssm:*:*:session/${aws:username}-*',
  'arn:aws:ssm:*:*:session/${aws:PrincipalTag/team}*',
  "arn:aws:ssm:*:*:session/${aws:PrincipalTag/none, 'alice'}-??",
  'arn:aws:ssm:*:*:session/bob-${*}',
  'arn:aws:ssm:*:*:session/${ssm:list}*',
  `arn:aws:?sm:eu-*:${OWN}:*`,
  'arn:aws:ssm:*::document/AWS-*',
  'arn:aws:s3:::*:?/c?d?',
  'arn:aws:s3:::bucket/**d*',
  'arn:aws:s3:::bucket/*d??',
  '*:*:*:*:*:*',
  'arn:aws:ec2:*:${aws:PrincipalAccount}:instance/*',
  '**',
];

const KEYS = [
  'ssm:resourceTag/Env',
  'aws:SourceIp',
  'aws:CurrentTime',
  'ssm:list',
  'aws:MultiFactorAuthPresent',
  'ssm:resourcetag/env',
  'aws:username',
  'aws:PrincipalTag/team',
  'aws:ResourceAccount',
];
const CONDITION_KEYS = [
  ...KEYS.slice(0, 5),
  'aws:PrincipalArn',
  'aws:PrincipalAccount',
  'aws:PrincipalType',
  'aws:userid',
  'aws:username',
  'aws:PrincipalTag/team',
  'constructor',
  '__proto__',
];
const TEXTS = [
  'alice',
  'Alice',
  'a*',
  '*',
  '',
  'web',
  '${aws:username}',
  'Stra\u00dfe',
  '\u212a',
  'k',
  'a, {b}',
];
const VALUES = [
  ...TEXTS,
  'true',
  'FALSE',
  '900',
  '3600.0',
  '10abc',
  '2026-11-24T22:00:00Z',
  '2026-11-24T23:00:00.5+01:00',
  '1795557600',
  '10.1.2.3',
  '10.1.0.0/16',
  '2001:db8::1',
  '2001:0DB8:0:0:0:0:0:1',
  '::ffff:10.1.2.3',
  'QUI=',
  NODE,
  `arn:aws:iam::${OWN}:role/Ops`,
  OWN,
  OTHER,
];
const CONDITION_VALUES: readonly (string | number | boolean)[] = [
  ...VALUES,
  true,
  false,
  900,
  3600,
  '9e2',
  '2026-11-24',
  '2026-02-30',
  '2026',
  '10.0.0.0/8',
  '0.0.0.0/0',
  '::/0',
  '2001:db8::/32',
  '10.1.2.300',
  '1::2::3',
  'QUI',
  'a?ice',
  '*e*',
  '${aws:username}',
  "${aws:PrincipalTag/none, 'web'}",
  "${aws:PrincipalTag/none, 'a, {b}'}",
  '${aws:PrincipalTag/team}',
  '${ssm:list}*',
  '${*}',
  'A${*}',
  'arn:*:iam::*:role/*',
  'arn:aws:ec2:*',
  'arn:aws:iam::${aws:PrincipalAccount}:role/${aws:PrincipalTag/team}',
  '${aws:PrincipalArn}',
  'arn:aws:iam::111122223333:user/alice',
  'AIDA*',
  'User',
];

const OPERATORS = [
  ...['StringEquals', 'StringEqualsIgnoreCase', 'StringLike', 'Bool', 'BinaryEquals', 'IpAddress'],
  ...['StringNotEquals', 'StringNotEqualsIgnoreCase', 'StringNotLike', 'NotIpAddress', 'Null'],
  ...['ArnEquals', 'ArnLike', 'ArnNotEquals', 'ArnNotLike'],
  ...['Numeric', 'Date'].flatMap((family) =>
    ['Equals', 'NotEquals', 'LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals'].map(
      (comparison) => `${family}${comparison}`,
    ),
  ),
];
