import {
  type AuthorizationRequest,
  evaluate,
  type Policies,
  PolicyError,
  type PolicyKind,
  type Principal,
  parsePolicy,
} from '../../src/policy/index.ts';

export const ACCOUNT = '111122223333';
export const OTHER = '444455556666';
export const NODE = `arn:aws:ec2:eu-west-1:${ACCOUNT}:instance/i-0123456789abcdef0`;

export const alice: Principal = {
  arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
  userId: 'AIDAALICE',
  accountId: ACCOUNT,
};
export const jane: Principal = {
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Ops/jane`,
  userId: 'AROAOPS:jane',
  accountId: ACCOUNT,
};
export const root: Principal = { arn: `arn:aws:iam::${ACCOUNT}:root`, userId: ACCOUNT, accountId: ACCOUNT };
export const fred: Principal = {
  arn: `arn:aws:sts::${ACCOUNT}:federated-user/fred`,
  userId: `${ACCOUNT}:fred`,
  accountId: ACCOUNT,
};

export type Context = Readonly<Record<string, string | readonly string[]>>;

export interface Asked {
  principal?: Principal;
  action?: string;
  resource?: string;
  context?: Context;
}

export function request({
  principal = alice,
  action = 'ssm:StartSession',
  resource = NODE,
  context = {},
}: Asked = {}): AuthorizationRequest {
  return { principal, action, resource, context: new Map(Object.entries(context)) };
}

/** Statements that say nothing else allow everything on everything. */
export type Said = Readonly<Record<string, unknown>>;

export function policy<K extends PolicyKind>(kind: K, said: Said | readonly Said[], version = '2012-10-17') {
  const statements = [said].flat().map((one) => ({
    Effect: 'Allow',
    ...('NotAction' in one ? {} : { Action: '*' }),
    ...('NotResource' in one || kind === 'trust' ? {} : { Resource: '*' }),
    ...one,
  }));
  return parsePolicy(kind, { Version: version, Statement: statements });
}

/** Of one identity-based policy. */
export function decision(said: Said | readonly Said[], asked: Asked = {}, version?: string) {
  return evaluate({ identity: [policy('identity', said, version)] }, request(asked)).effect;
}

/** Whether the statement applies. */
export function applies(said: Said, asked: Asked = {}, version?: string): boolean {
  return decision(said, asked, version) === 'Allow';
}

/** Whether a condition holds for the values of the key `k`. */
export function holds(
  operator: string,
  values: unknown,
  value?: string | readonly string[],
  context: Context = {},
): boolean {
  const said = { Condition: { [operator]: { k: values } } };
  return applies(said, { context: { ...context, ...(value === undefined ? {} : { k: value }) } });
}

/** `Allow`, or the kind of denial and the kind of policy that decided. */
export function outcome(policies: Policies, asked: Asked = {}): string {
  const decided = evaluate(policies, request(asked));
  return decided.effect === 'Allow' ? 'Allow' : `${decided.effect}: ${decided.policyType}`;
}

/** What is wrong with a policy: `CODE at path`. */
export function problemsOf(kind: PolicyKind, source: string | object): string[] {
  try {
    parsePolicy(kind, source);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.problems.map(({ code, path }) => `${code} at ${path}`);
  }
  return [];
}
