import { PolicyError } from '../../policy/error.ts';
import {
  type Policies,
  type Policy,
  type PolicyKind,
  type Principal,
  parsePolicy,
} from '../../policy/index.ts';
import { isAccessTokenKey } from '../access-token.ts';
import { type ArnScope, federatedUserArn, rootArn, userArn } from '../arn.ts';
import { isIssuedKey } from '../issued-key.ts';
import type { CallerRecord } from '../options.ts';
import { ACCESS_KEY, UNIQUE_ID, UNIQUE_ID_WORDS } from './directory-words.ts';
import { readRoles } from './read-roles.ts';
import { type Members, Reader } from './reader.ts';
import { uniqueId } from './unique-id.ts';

/** One version of a directory, ready to be asked. */
export interface DirectoryVersion {
  /** By access key id. */
  readonly keys: ReadonlyMap<string, CallerRecord>;
  /** By ARN, of users and of everybody with a key. */
  readonly principals: ReadonlyMap<string, Principal>;
  /** By ARN of principals, and of roles by `roleKey`. */
  readonly policies: ReadonlyMap<string, Policies>;
  /** Of principals that are nobody here: the account's own filters. */
  readonly filters: Policies;
  /** By ARN, of the sessions that are those of nodes. */
  readonly nodes: ReadonlyMap<string, string>;
}

/** @throws {IamDirectoryError} with all that is wrong with it */
export function readDirectory(source: string | object, scope: ArnScope): DirectoryVersion {
  const reading = new DirectoryReading(scope);
  reading.read(source);
  return reading;
}

/** A version while it is being read, and what reading one part needs of the others. */
export class DirectoryReading implements DirectoryVersion {
  readonly scope: ArnScope;
  readonly reader = new Reader();
  readonly keys = new Map<string, CallerRecord>();
  readonly principals = new Map<string, Principal>();
  readonly policies = new Map<string, Policies>();
  readonly nodes = new Map<string, string>();
  filters: Policies = {};
  #managed: Members = new Map();
  readonly #parsed = new Map<string, Policy | undefined>();
  #groups: ReadonlyMap<string, readonly Policy<'identity'>[]> = new Map();

  constructor(scope: ArnScope) {
    this.scope = scope;
  }

  read(source: string | object): void {
    const { reader } = this;
    const document = reader.members(reader.json(source), '', DOCUMENT) ?? new Map();
    this.#managed = reader.named(document.get('policies'), 'policies', (value) => value);
    // Also those that nobody has: they are meant for somebody.
    for (const name of this.#managed.keys()) this.#namedPolicy('identity', name, '');
    this.filters = this.#filters(document);
    this.#groups = reader.named(document.get('groups'), 'groups', (value, path) => {
      const group = reader.members(value, path, ['policies']);
      return group && this.policyList('identity', group.get('policies'), `${path}.policies`);
    });
    const users = reader.named(document.get('users'), 'users', (value, path, name) =>
      this.#user(value, path, name),
    );
    readRoles(document.get('roles'), this);
    reader.named(document.get('federatedUsers'), 'federatedUsers', (value, path, name) =>
      this.#federatedUser(value, path, name, users),
    );
    this.#root(document.get('root'));
    reader.finish();
  }

  /** A principal, with its policies. */
  add(principal: Principal, policies: Policies): void {
    this.principals.set(principal.arn, principal);
    this.policies.set(principal.arn, policies);
  }

  addKey(record: CallerRecord & { readonly accessKeyId: string }, path: string): void {
    const { accessKeyId } = record;
    if (this.keys.has(accessKeyId)) this.reader.add(`${path}.accessKeyId`, 'is there twice');
    if (isIssuedKey(accessKeyId) || isAccessTokenKey(accessKeyId))
      this.reader.add(`${path}.accessKeyId`, 'begins as those that the service itself issues');
    this.keys.set(accessKeyId, record);
  }

  accessKeys(value: unknown, path: string, rest: Omit<CallerRecord, 'secretAccessKey'>): void {
    this.reader.list(value, path, (one, at) => {
      const key = this.reader.members(one, at, ACCESS_KEY);
      const record = key && this.accessKey(key, at);
      if (record) this.addKey({ ...record, ...rest }, at);
    });
  }

  accessKey(key: Members, path: string) {
    const { reader } = this;
    const text = (name: string, pattern: RegExp, what: string) =>
      reader.text(key.get(name), `${path}.${name}`, pattern, what);
    const accessKeyId = text('accessKeyId', /^[\w-]{1,128}$/, '1 to 128 letters, digits, _ and -');
    const secretAccessKey = text('secretAccessKey', /./, 'a string that is not empty');
    const sessionToken = key.has('sessionToken')
      ? text('sessionToken', /./, 'a string that is not empty')
      : undefined;
    const issued = reader.date(key.get('issued'), `${path}.issued`);
    const expiration = reader.date(key.get('expiration'), `${path}.expiration`);
    const mfaAuthenticated = reader.flag(key.get('mfaAuthenticated'), `${path}.mfaAuthenticated`);
    if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
    return {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
      ...(issued && { issued }),
      ...(expiration && { expiration }),
      ...(mfaAuthenticated !== undefined && { mfaAuthenticated }),
    };
  }

  /** What is attached to a user or a role. */
  attached(members: Members, path: string, more: readonly Policy<'identity'>[] = []): Policies {
    const boundary = members.has('boundary')
      ? this.policy('boundary', members.get('boundary'), `${path}.boundary`)
      : undefined;
    const identity = this.policyList('identity', members.get('policies'), `${path}.policies`);
    return { ...this.filters, identity: [...identity, ...more], ...(boundary && { boundary }) };
  }

  path(members: Members, at: string): string {
    const path = members.get('path') ?? '/';
    return (
      this.reader.text(path, `${at}.path`, /^\/([!-~]{1,510}\/)?$/, 'a path that begins and ends with /') ??
      '/'
    );
  }

  policyList<K extends PolicyKind>(kind: K, value: unknown, path: string): Policy<K>[] {
    return this.reader.list(value, path, (one, at) => this.policy(kind, one, at));
  }

  policy<K extends PolicyKind>(kind: K, source: unknown, path: string): Policy<K> | undefined {
    if (typeof source === 'string') return this.#namedPolicy(kind, source, path);
    if (typeof source === 'object' && source !== null && !Array.isArray(source)) {
      return this.#parse(kind, source, path, path);
    }
    this.reader.add(path, 'must be a policy, or the name of one in policies');
    return undefined;
  }

  #namedPolicy<K extends PolicyKind>(kind: K, name: string, path: string): Policy<K> | undefined {
    const source = this.#managed.get(name);
    if (typeof source !== 'object' || source === null) {
      this.reader.add(path === '' ? `policies.${name}` : path, 'must be a policy that is there in policies');
      return undefined;
    }
    const key = `${kind} ${name}`;
    if (!this.#parsed.has(key)) this.#parsed.set(key, this.#parse(kind, source, name, `policies.${name}`));
    return this.#parsed.get(key) as Policy<K> | undefined;
  }

  #parse<K extends PolicyKind>(kind: K, source: object, name: string, path: string): Policy<K> | undefined {
    try {
      return parsePolicy(kind, source, { name });
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      this.reader.addAll(path, error.problems);
      return undefined;
    }
  }

  #filters(document: Members): Policies {
    const levels = <K extends 'scp' | 'rcp'>(kind: K, name: string) =>
      document.has(name) && {
        [kind]: this.reader.list(document.get(name), name, (level, at) => this.policyList(kind, level, at)),
      };
    return {
      ...levels('scp', 'serviceControlPolicies'),
      ...levels('rcp', 'resourceControlPolicies'),
    };
  }

  #user(value: unknown, path: string, name: string): Policies | undefined {
    const user = this.reader.members(value, path, USER);
    if (!user) return undefined;
    const arn = userArn(`${this.path(user, path)}${name}`, this.scope);
    const groups = this.reader.list(user.get('groups'), `${path}.groups`, (group, at) => {
      const policies = typeof group === 'string' ? this.#groups.get(group) : undefined;
      if (!policies) this.reader.add(at, 'must be a group that is there in groups');
      return policies;
    });
    const policies = this.attached(user, path, groups.flat());
    const tags = this.reader.tags(user.get('tags'), `${path}.tags`);
    const userId = user.get('userId') ?? uniqueId('AIDA', arn);
    const principal: Principal = {
      arn,
      userId: this.reader.text(userId, `${path}.userId`, UNIQUE_ID, UNIQUE_ID_WORDS) ?? '',
      accountId: this.scope.accountId,
      userName: name,
      tags,
    };
    this.add(principal, policies);
    this.accessKeys(user.get('accessKeys'), `${path}.accessKeys`, { principal });
    return policies;
  }

  #federatedUser(value: unknown, path: string, name: string, users: ReadonlyMap<string, Policies>): void {
    const { reader } = this;
    const user = reader.members(value, path, FEDERATED_USER);
    if (!user) return;
    const by = user.get('by');
    const policies = typeof by === 'string' ? users.get(by) : undefined;
    if (!policies) {
      reader.add(`${path}.by`, 'must be a user that is there in users');
      return;
    }
    const principal: Principal = {
      arn: federatedUserArn(name, this.scope),
      userId: `${this.scope.accountId}:${name}`,
      accountId: this.scope.accountId,
      tags: reader.tags(user.get('tags'), `${path}.tags`),
    };
    this.add(principal, policies);
    const sessionPolicies = this.policyList('session', user.get('policies'), `${path}.policies`);
    this.accessKeys(user.get('accessKeys'), `${path}.accessKeys`, { principal, sessionPolicies });
  }

  #root(value: unknown): void {
    if (value === undefined) return;
    const root = this.reader.members(value, 'root', ['accessKeys']);
    const { accountId } = this.scope;
    const principal: Principal = { arn: rootArn(this.scope), userId: accountId, accountId };
    this.add(principal, this.filters);
    this.accessKeys(root?.get('accessKeys'), 'root.accessKeys', { principal });
  }
}

const DOCUMENT = [
  'policies',
  'groups',
  'users',
  'roles',
  'federatedUsers',
  'root',
  'serviceControlPolicies',
  'resourceControlPolicies',
];
const USER = ['path', 'userId', 'groups', 'policies', 'boundary', 'tags', 'accessKeys'];
const FEDERATED_USER = ['by', 'policies', 'tags', 'accessKeys'];
