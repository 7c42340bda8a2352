import {
  type AuthorizationRequest,
  type Authorizer,
  evaluate,
  type Policies,
  type PoliciesFor,
  type Principal,
  parsePolicy,
  withGrant,
} from '../../policy/index.ts';
import { type ArnScope, isNodeRole, sessionNameOf } from '../arn.ts';
import type { CallerRecord } from '../options.ts';
import { isOwnDataKey } from '../own-data-key.ts';
import type { IamDocument } from './document.ts';
import { type DirectoryVersion, readDirectory } from './read-directory.ts';
import { roleKey } from './read-roles.ts';

/**
 * Principals, their access keys and their policies: all that a service has to know of them. Give it to the service whole:
 *
 *     const iam = iamDirectory(document, { region, accountId });
 *     const service = new SessionManagerService({ region, accountId, ...iam });
 */
export interface IamDirectory {
  readonly credentials: (accessKeyId: string) => CallerRecord | undefined;
  /**
   * Decides by the policies of the principal and the account's filters. Roles of managed nodes that are not in the
   * directory may nothing; every node may decrypt the data keys of its own sessions, where no policy denies it and its
   * boundary, if it has one, allows it.
   */
  readonly authorize: Authorizer;
  /** Those that `authorize` decides by, for `explain` of `hawser/policy`. */
  readonly policiesFor: (...asked: Parameters<PoliciesFor>) => Policies;
  /** A user, or the root user, or a session with a key, by ARN. */
  readonly principal: (arn: string) => Principal | undefined;
  /** Calls the listener after each change; returns what ends that. What it throws is ignored. */
  readonly policyChanges: (listener: () => void) => () => void;
  /**
   * Puts another document in the place of the one before, for calls to come. Whole or not at all.
   *
   * @throws {IamDirectoryError} and leaves the one before in force
   */
  readonly replace: (document: IamDocument | string) => void;
}

/**
 * A directory in memory.
 *
 * @param document JSON text, where names that come twice in one object are found, or what `JSON.parse` makes of it
 * @param scope the region and account of the service
 * @throws {IamDirectoryError} with all that is wrong with it
 */
export function iamDirectory(document: IamDocument | string, scope: ArnScope): IamDirectory {
  let version = readDirectory(document, scope);
  const listeners = new Set<() => void>();
  const delegation = accountDelegation(scope);
  const policiesFor = (principal: Principal, request: AuthorizationRequest): Policies => {
    const policies = withGrant(policiesOf(principal, version), request);
    if (!request.action.startsWith('kms:')) return policies;
    // A key of KMS leaves it to its account who may use it; what its own policy says is asked of the key.
    return { ...withOwnDataKey(policies, principal, request, version), resource: [delegation] };
  };
  return {
    credentials: (accessKeyId) => version.keys.get(accessKeyId),
    authorize: (request) => evaluate(policiesFor(request.principal, request), request),
    policiesFor,
    principal: (arn) => version.principals.get(arn),
    policyChanges(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    replace(next) {
      version = readDirectory(next, scope);
      for (const listener of [...listeners]) {
        try {
          listener();
        } catch {
          // The version is in force; one who cannot listen must not keep the others from ending sessions.
        }
      }
    },
  };
}

function policiesOf({ arn }: Principal, { policies, filters }: DirectoryVersion): Policies {
  return policies.get(arn) ?? policies.get(roleKey(arn) ?? '') ?? filters;
}

/** To a node, what it needs of KMS for its own sessions: like a policy of its own, which every filter still limits. */
function withOwnDataKey(
  policies: Policies,
  { arn }: Principal,
  request: AuthorizationRequest,
  { nodes }: DirectoryVersion,
): Policies {
  const node = nodes.get(arn) ?? (isNodeRole(arn) ? sessionNameOf(arn) : undefined);
  if (node === undefined || !isOwnDataKey(request, node)) return policies;
  return { ...policies, identity: [...(policies.identity ?? []), OWN_DATA_KEY] };
}

const OWN_DATA_KEY = parsePolicy(
  'identity',
  { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' } },
  { name: 'the data keys of its own sessions' },
);

function accountDelegation({ accountId }: ArnScope) {
  return parsePolicy('resource', {
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { AWS: accountId }, Action: 'kms:*', Resource: '*' },
  });
}
