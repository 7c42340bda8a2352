import {
  type AuthorizationRequest,
  type Authorizer,
  type Decision,
  type Denial,
  denialMessage,
  type Principal,
} from '../policy/index.ts';
import { ApiError } from './api-error.ts';
import { type ArnScope, documentArn, isNodeRole, roleArn, sessionArn, targetArn } from './arn.ts';
import { sessionIdSuffix } from './session-id.ts';
import type { SessionRecord } from './session-record.ts';

export type AccountAction =
  | 'ssm:DescribeSessions'
  | 'ssm:DescribeActivations'
  | 'ssm:DeleteActivation'
  | 'ssm:DescribeInstanceInformation'
  | 'ssm:ListDocuments';

export type DocumentAction =
  | 'ssm:UpdateDocument'
  | 'ssm:UpdateDocumentDefaultVersion'
  | 'ssm:GetDocument'
  | 'ssm:DescribeDocument'
  | 'ssm:ListDocumentVersions'
  | 'ssm:DeleteDocument'
  | 'ssm:ModifyDocumentPermission'
  | 'ssm:DescribeDocumentPermission';

export type NodeAction =
  | 'ssm:GetConnectionStatus'
  | 'ssm:DeregisterManagedInstance'
  | 'ssm:UpdateManagedInstanceRole';

/** Asks the authorizer what IAM would be asked (POLICY.md section 6). Each method throws when the answer is no. */
export class Authorization {
  /** What is asked here, for those who ask more than that. */
  readonly authorize: Authorizer;
  readonly #scope: ArnScope;

  constructor(scope: ArnScope, authorize: Authorizer = withinAccount(scope.accountId)) {
    this.authorize = authorize;
    this.#scope = scope;
  }

  /** Node and document are separate questions, with the tags of each its own. @throws {ApiError} */
  async startSession(
    principal: Principal,
    target: string,
    tags: Readonly<Record<string, string>>,
    document: string,
    documentTags: Readonly<Record<string, string>>,
  ): Promise<void> {
    const action = 'ssm:StartSession';
    await this.#require({
      principal,
      action,
      resource: targetArn(target, this.#scope),
      context: context(tags, DOCUMENT_CHECK),
    });
    await this.#require({
      principal,
      action,
      resource: documentArn(document, this.#scope),
      context: context(documentTags, DOCUMENT_CHECK),
    });
  }

  /**
   * A session is asked for under two spellings of its ARN, with the name and with the `aws:userid` of its owner in
   * front, so that both policies which AWS documents work; a Deny on either wins (CONTROL-PLANE.md section 4.2).
   *
   * @param session `undefined` when there is none, which only those may learn who may act on one of that name
   * @throws {ApiError}
   */
  async session(
    principal: Principal,
    action: 'ssm:ResumeSession' | 'ssm:TerminateSession',
    sessionId: string,
    session: SessionRecord | undefined,
  ): Promise<void> {
    const tags = session
      ? { 'aws:ssmmessages:session-id': session.owner.userId, 'aws:ssmmessages:target-id': session.target }
      : {};
    const names = session
      ? [sessionId, `${session.owner.userId}-${sessionIdSuffix(sessionId)}`]
      : [sessionId];
    const requests = names.map((name) => ({
      principal,
      action,
      resource: sessionArn(name, this.#scope),
      context: context(tags),
    }));
    const decisions = await Promise.all(requests.map(this.authorize));
    const denied = decisions.find(isExplicitDeny) ?? decisions.find(isDenial);
    if (denied && (isExplicitDeny(denied) || decisions.every(isDenial)))
      throw accessDenied(requests[0]!, denied);
  }

  /** For actions on no resource in particular. @throws {ApiError} */
  async account(principal: Principal, action: AccountAction): Promise<void> {
    await this.#require({ principal, action, resource: '*', context: context({}) });
  }

  /** @throws {ApiError} */
  async node(
    principal: Principal,
    action: NodeAction,
    id: string,
    tags: Readonly<Record<string, string>>,
  ): Promise<void> {
    await this.#require({ principal, action, resource: targetArn(id, this.#scope), context: context(tags) });
  }

  /** Whoever hands a role to a machine must be allowed to pass it on (CONTROL-PLANE.md section 2.8). @throws {ApiError} */
  async createActivation(
    principal: Principal,
    iamRole: string,
    tags: Readonly<Record<string, string>>,
  ): Promise<void> {
    const action = 'ssm:CreateActivation';
    await this.#require({ principal, action, resource: '*', context: requestTags(tags) });
    await this.passRole(principal, iamRole);
  }

  /** @throws {ApiError} */
  async passRole(principal: Principal, iamRole: string): Promise<void> {
    await this.#require({
      principal,
      action: 'iam:PassRole',
      resource: roleArn(iamRole, this.#scope),
      context: context({}, ['iam:PassedToService', 'ssm.amazonaws.com']),
    });
  }

  /** @param tags those that it shall have @throws {ApiError} */
  async createDocument(
    principal: Principal,
    name: string,
    tags: Readonly<Record<string, string>>,
  ): Promise<void> {
    const resource = documentArn(name, this.#scope);
    await this.#require({ principal, action: 'ssm:CreateDocument', resource, context: requestTags(tags) });
    if (Object.keys(tags).length === 0) return;
    await this.#require({
      principal,
      action: 'ssm:AddTagsToResource',
      resource,
      context: requestTags(tags),
    });
  }

  /** @param nameOrArn an ARN of another account or region is asked for as it is @throws {ApiError} */
  async document(
    principal: Principal,
    action: DocumentAction,
    nameOrArn: string,
    tags: Readonly<Record<string, string>>,
  ): Promise<void> {
    const resource = nameOrArn.startsWith('arn:') ? nameOrArn : documentArn(nameOrArn, this.#scope);
    await this.#require({ principal, action, resource, context: context(tags) });
  }

  /**
   * @param action `ssm:AddTagsToResource`
   * @param tags of the resource
   * @param request tags that are to be added, and the keys of those that change
   * @throws {ApiError}
   */
  async resource(
    principal: Principal,
    action: string,
    resource: string,
    tags: Readonly<Record<string, string>>,
    {
      added = {},
      keys,
    }: { readonly added?: Readonly<Record<string, string>>; readonly keys?: readonly string[] } = {},
  ): Promise<void> {
    const requested = keys ? requestTags(added, keys) : [];
    const all = new Map<string, string | readonly string[]>([...context(tags), ...requested]);
    await this.#require({ principal, action, resource, context: all });
  }

  async #require(request: AuthorizationRequest): Promise<void> {
    const decision = await this.authorize(request);
    if (isDenial(decision)) throw accessDenied(request, decision);
  }
}

const DOCUMENT_CHECK = ['ssm:SessionDocumentAccessCheck', 'true'] as const;

function withinAccount(accountId: string): Authorizer {
  return (request) => {
    const { principal } = request;
    return principal.accountId === accountId && (!isNodeRole(principal.arn) || isOwnDataKey(request))
      ? { effect: 'Allow' }
      : { effect: 'ImplicitDeny', policyType: 'resource-based policy' };
  };
}

/**
 * Whether a node wants to decrypt the data key of one of its own sessions. Without it no node could take part in an
 * encrypted one; and that is all of KMS that an agent needs (PROTOCOL.md section 8). The encryption context cannot be
 * made up: what was encrypted with another does not decrypt.
 */
function isOwnDataKey({ principal, action, context }: AuthorizationRequest): boolean {
  const node = principal.arn.slice(principal.arn.lastIndexOf('/') + 1);
  return action === 'kms:Decrypt' && context.get('kms:EncryptionContext:aws:ssm:TargetId') === node;
}

/** Of a resource that is yet to be, or whose tags change. */
function requestTags(
  tags: Readonly<Record<string, string>>,
  tagKeys: readonly string[] = Object.keys(tags),
): ReadonlyMap<string, string | readonly string[]> {
  const keys = new Map<string, string | readonly string[]>([['aws:TagKeys', tagKeys]]);
  for (const [key, value] of Object.entries(tags)) keys.set(`aws:RequestTag/${key}`, value);
  return keys;
}

/** Tags have two spellings as context keys. */
function context(
  tags: Readonly<Record<string, string>>,
  ...entries: (readonly [string, string])[]
): ReadonlyMap<string, string> {
  const keys = new Map<string, string>(entries);
  for (const [key, value] of Object.entries(tags)) {
    keys.set(`ssm:resourceTag/${key}`, value);
    keys.set(`aws:ResourceTag/${key}`, value);
  }
  return keys;
}

/** Nothing but `Allow` lets a request pass. */
function isDenial(decision: Decision): decision is Denial {
  return decision.effect !== 'Allow';
}

function isExplicitDeny(decision: Decision): decision is Denial {
  return decision.effect === 'ExplicitDeny';
}

function accessDenied(request: AuthorizationRequest, denial: Denial): ApiError {
  return new ApiError('AccessDeniedException', denialMessage(request, denial));
}
