import type { Principal } from '../../policy/index.ts';
import { type ArnScope, assumedRoleArn, roleArn } from '../arn.ts';
import { ACCESS_KEY, UNIQUE_ID, UNIQUE_ID_WORDS } from './directory-words.ts';
import type { DirectoryReading } from './read-directory.ts';
import { uniqueId } from './unique-id.ts';

/** Where the policies of a role are found by the ARN of any of its sessions, which does not tell the role's path. */
export function roleKey(sessionArn: string): string | undefined {
  return /^(arn:[^:]*:sts::[^:]*:assumed-role\/[^/]+\/)/.exec(sessionArn)?.[1];
}

export function readRoles(value: unknown, reading: DirectoryReading): void {
  const { reader, scope } = reading;
  reader.named(value, 'roles', (one, path, name) => {
    const role = reader.members(one, path, ROLE);
    if (!role) return;
    const pathName = `${reading.path(role, path)}${name}`.slice(1);
    const arn = roleArn(pathName, scope);
    const roleId = role.get('roleId') ?? uniqueId('AROA', arn);
    const serviceLinked = reader.flag(role.get('serviceLinked'), `${path}.serviceLinked`) ?? false;
    const about = {
      arn,
      name,
      roleId: reader.text(roleId, `${path}.roleId`, UNIQUE_ID, UNIQUE_ID_WORDS) ?? '',
      tags: reader.tags(role.get('tags'), `${path}.tags`),
      serviceLinked,
    };
    const policies = reading.attached(role, path);
    reading.policies.set(roleKey(assumedRoleArn(name, '', scope))!, policies);
    reader.list(role.get('sessions'), `${path}.sessions`, (session, at) =>
      readSession(session, at, about, reading),
    );
  });
}

interface Role {
  readonly arn: string;
  readonly name: string;
  readonly roleId: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly serviceLinked: boolean;
}

function readSession(value: unknown, path: string, role: Role, reading: DirectoryReading): void {
  const { reader, scope } = reading;
  const session = reader.members(value, path, SESSION);
  if (!session) return;
  const what = '2 to 64 letters, digits and +=,.@_-';
  const name = reader.text(session.get('name'), `${path}.name`, /^[\w+=,.@-]{2,64}$/, what);
  const key = reading.accessKey(session, path);
  const tags = withTags(role.tags, reader.tags(session.get('tags'), `${path}.tags`));
  const sessionPolicies = session.has('policies')
    ? reading.policyList('session', session.get('policies'), `${path}.policies`)
    : undefined;
  const targetId = session.has('targetId')
    ? reader.text(session.get('targetId'), `${path}.targetId`, /^[\s\S]{1,400}$/, 'the id of a node')
    : undefined;
  if (name === undefined || !key) return;
  const principal = principalOf(role, name, tags, scope);
  reading.principals.set(principal.arn, principal);
  if (targetId !== undefined) reading.nodes.set(principal.arn, targetId);
  const record = {
    ...key,
    principal,
    ...(sessionPolicies && { sessionPolicies }),
    ...(targetId !== undefined && { targetId }),
  };
  reading.addKey(record, path);
}

function principalOf(
  { arn, name, roleId, serviceLinked }: Role,
  sessionName: string,
  tags: ReadonlyMap<string, string>,
  scope: ArnScope,
): Principal {
  return {
    arn: assumedRoleArn(name, sessionName, scope),
    userId: `${roleId}:${sessionName}`,
    accountId: scope.accountId,
    tags,
    roleArn: arn,
    ...(serviceLinked && { serviceLinked }),
  };
}

/** Session tags take the place of the role's. Keys of tags are one, whatever their case. */
function withTags(
  ofRole: ReadonlyMap<string, string>,
  ofSession: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const own = new Set([...ofSession.keys()].map((key) => key.toLowerCase()));
  return new Map([...[...ofRole].filter(([key]) => !own.has(key.toLowerCase())), ...ofSession]);
}

const ROLE = ['path', 'roleId', 'policies', 'boundary', 'tags', 'serviceLinked', 'sessions'];
const SESSION = [...ACCESS_KEY, 'name', 'tags', 'policies', 'targetId'];
