/** A service whose callers and policies are those of a directory. */
import type { Credentials } from '../../src/crypto/index.ts';
import {
  type AccessKeyDocument,
  type IamDirectory,
  type IamDocument,
  iamDirectory,
} from '../../src/service/index.ts';
import { ACCOUNT, NODE, nodeCredentials, REGION, type World, type WorldOptions, world } from './world.ts';

export const OTHER_NODE = 'mi-0fedcba9876543210';
export const SCOPE = { region: REGION, accountId: ACCOUNT };

/** The ARNs of the account. */
export const ARN = {
  node: (id = NODE) => `arn:aws:ssm:${REGION}:${ACCOUNT}:managed-instance/${id}`,
  document: (name = 'SSM-SessionManagerRunShell') => `arn:aws:ssm:${REGION}:${ACCOUNT}:document/${name}`,
  session: (id: string) => `arn:aws:ssm:${REGION}:${ACCOUNT}:session/${id}`,
  user: (name: string) => `arn:aws:iam::${ACCOUNT}:user/${name}`,
};

export function credentialsOf(name: string): { accessKeyId: string; secretAccessKey: string } {
  return { accessKeyId: `AKIA${name.toUpperCase()}`, secretAccessKey: `${name}-secret` };
}

export interface Statement {
  readonly Effect?: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: object;
}

export function policy(...statements: readonly Statement[]): object {
  return {
    Version: '2012-10-17',
    Statement: statements.map((statement) => ({ Effect: 'Allow', ...statement })),
  };
}

export const EVERYTHING = policy({ Action: '*', Resource: '*' });

/** A user with one access key: `credentialsOf(name)`. */
export function user(name: string, members: object = {}): object {
  return { userId: `AIDA${name.toUpperCase()}`, accessKeys: [credentialsOf(name)], ...members };
}

function keyOf({ accessKeyId, secretAccessKey, sessionToken }: Credentials): AccessKeyDocument {
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

/** The nodes of the tests, as sessions of a role. */
export const NODE_ROLES: NonNullable<IamDocument['roles']> = {
  Node: {
    sessions: [NODE, OTHER_NODE].map((id) => ({
      name: id,
      ...keyOf(nodeCredentials(id)),
      targetId: id,
    })),
  },
};

export function documentOf(members: IamDocument): IamDocument {
  return { ...members, roles: { ...NODE_ROLES, ...members.roles } };
}

export interface IamWorld extends World {
  readonly iam: IamDirectory;
  /** Calls as somebody; the code and the text of a refusal, or the members of the answer. */
  as(who: Credentials, operation: string, input: object): Promise<Record<string, unknown>>;
  /** Puts another document in force, with the nodes. */
  put(document: IamDocument): void;
}

export function iamWorld(document: IamDocument, options: WorldOptions = {}): IamWorld {
  const iam = iamDirectory(documentOf(document), SCOPE);
  const w = world({ ...iam, ...options });
  return {
    ...w,
    iam,
    as: async (who, operation, input) => (await w.call(operation, input, who)).body,
    put: (next) => iam.replace(documentOf(next)),
  };
}

/** The text of an `AccessDeniedException`, in the words of AWS. */
export function deniedText(arn: string, action: string, resource: string, why?: string): string {
  const reason = why ?? `because no identity-based policy allows the ${action} action`;
  return `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} ${reason}`;
}
