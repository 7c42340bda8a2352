import { type Authorizer, type Decision, type Denial, denialMessage } from '../policy/index.ts';
import { ApiError } from './api-error.ts';
import {
  anyResource,
  documentArn,
  isNodeRole,
  opsItemArn,
  roleArn,
  sessionArn,
  sessionNameOf,
  targetArn,
} from './arn.ts';
import type { Caller } from './caller.ts';
import type { ServiceContext } from './context.ts';
import { Decider, type Question } from './decider.ts';
import type { SessionManagerServiceOptions } from './options.ts';
import { isOwnDataKey } from './own-data-key.ts';
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

/** Of the agent of a node. The client's data channel has the last one, too, on its session. */
export type AgentAction =
  | 'ssmmessages:CreateControlChannel'
  | 'ssmmessages:CreateDataChannel'
  | 'ssmmessages:OpenControlChannel'
  | 'ssmmessages:OpenDataChannel'
  | 'ssm:UpdateInstanceInformation';

export type SessionAction = 'ssm:ResumeSession' | 'ssm:TerminateSession' | 'ssmmessages:OpenDataChannel';

export type NodeAction =
  | 'ssm:GetConnectionStatus'
  | 'ssm:DeregisterManagedInstance'
  | 'ssm:UpdateManagedInstanceRole';

/** What of a session is checked when it is started. */
export interface StartQuestion {
  readonly target: string;
  readonly tags: Tags;
  readonly document: string;
  readonly documentTags: Tags;
  /** Whether the caller named the document. */
  readonly isNamed: boolean;
}

/** Both must be `Allow`. */
export interface StartDecision {
  readonly target: Decision;
  readonly document: Decision;
}

type Tags = Readonly<Record<string, string>>;
type Keys = Question['context'];

/** Asks the authorizer what IAM would be asked (POLICY.md section 6). Methods that return nothing throw when the answer is no. */
export class Authorization {
  readonly #decider: Decider;
  readonly #context: ServiceContext;
  readonly #documentCheck: 'current' | 'legacy';
  readonly #channels: 'deny' | 'allow';

  constructor(
    context: ServiceContext,
    {
      authorize = withinAccount(context.accountId),
      defaultDocumentCheck = 'current',
      channelPolicies = 'deny',
    }: Pick<SessionManagerServiceOptions, 'authorize' | 'defaultDocumentCheck' | 'channelPolicies'>,
  ) {
    this.#decider = new Decider(context, authorize);
    this.#context = context;
    this.#documentCheck = defaultDocumentCheck;
    this.#channels = channelPolicies;
  }

  /** What is asked here, for those who ask more than that. */
  authorizerFor(caller: Caller): Authorizer {
    return this.#decider.for(caller);
  }

  /** @throws {ApiError} */
  async startSession(caller: Caller, start: StartQuestion): Promise<void> {
    const { target, document } = await this.canStart(caller, start);
    const [forTarget, forDocument] = this.#startQuestions(start, true);
    if (isDenial(target)) throw this.#denied(caller, forTarget, target);
    if (isDenial(document)) throw this.#denied(caller, forDocument, document);
  }

  /**
   * Node and document are separate questions, with the tags of each its own. By the older rule a document that nobody
   * named is not asked for, unless a policy makes its own by `ssm:SessionDocumentAccessCheck` (CONTROL-PLANE.md 2.1.1).
   */
  async canStart(caller: Caller, start: StartQuestion): Promise<StartDecision> {
    if (this.#documentCheck === 'legacy' && !start.isNamed) {
      const [unchecked] = this.#startQuestions(start, false);
      const decision = await this.#decider.decide(caller, unchecked);
      if (!isDenial(decision)) return { target: decision, document: decision };
    }
    const [target, document] = this.#startQuestions(start, true);
    return {
      target: await this.#decider.decide(caller, target),
      document: await this.#decider.decide(caller, document),
    };
  }

  /**
   * A session is asked for under two spellings of its ARN, with the name and with the `aws:userid` of its owner in
   * front, so that both policies which AWS documents work; a Deny on either wins (CONTROL-PLANE.md section 4.2).
   *
   * @param session `undefined` when there is none, which only those may learn who may act on one of that name
   * @throws {ApiError}
   */
  async session(
    caller: Caller,
    action: SessionAction,
    sessionId: string,
    session: SessionRecord | undefined,
  ): Promise<void> {
    const tags = session
      ? { 'aws:ssmmessages:session-id': session.owner.userId, 'aws:ssmmessages:target-id': session.target }
      : {};
    const names = session
      ? [sessionId, `${session.owner.userId}-${sessionIdSuffix(sessionId)}`]
      : [sessionId];
    const questions = names.map((name) => ({
      action,
      resource: sessionArn(name, this.#context),
      context: context(tags),
    }));
    const decisions = await Promise.all(questions.map((question) => this.#decider.decide(caller, question)));
    const denied = decisions.find(isExplicitDeny) ?? decisions.find(isDenial);
    if (!denied || !(isExplicitDeny(denied) || decisions.every(isDenial))) return;
    // Policies that predate this action neither allow nor deny it.
    const isOptional = action === 'ssmmessages:OpenDataChannel' && this.#channels === 'deny';
    if (isOptional && !isExplicitDeny(denied)) return;
    throw this.#denied(caller, questions[0]!, denied);
  }

  /**
   * A channel of an agent, or its ping: on no resource in particular (POLICY.md section 6). Asked for only where channels
   * have to be allowed: authorizers from before know of nodes at most what `isOwnDataKey` is about.
   *
   * @throws {ApiError}
   */
  async agent(caller: Caller, action: AgentAction): Promise<void> {
    if (this.#channels === 'allow') {
      await this.#require(caller, { action, resource: '*', context: context({}) });
    }
  }

  /** For actions on no resource in particular. @throws {ApiError} */
  async account(caller: Caller, action: AccountAction): Promise<void> {
    await this.#require(caller, { action, resource: '*', context: context({}) });
  }

  /** @throws {ApiError} */
  async node(caller: Caller, action: NodeAction, id: string, tags: Tags): Promise<void> {
    await this.#require(caller, { action, resource: targetArn(id, this.#context), context: context(tags) });
  }

  /** Whoever hands a role to a machine must be allowed to pass it on (CONTROL-PLANE.md section 2.8). @throws {ApiError} */
  async createActivation(caller: Caller, iamRole: string, tags: Tags): Promise<void> {
    const action = 'ssm:CreateActivation';
    await this.#require(caller, { action, resource: '*', context: requestTags(tags) });
    await this.passRole(caller, iamRole);
  }

  /** @throws {ApiError} */
  async passRole(caller: Caller, iamRole: string): Promise<void> {
    await this.#require(caller, {
      action: 'iam:PassRole',
      resource: roleArn(iamRole, this.#context),
      context: context({}, ['iam:PassedToService', 'ssm.amazonaws.com']),
    });
  }

  /** @param tags those that it shall have @throws {ApiError} */
  async createDocument(caller: Caller, name: string, tags: Tags): Promise<void> {
    const resource = documentArn(name, this.#context);
    await this.#require(caller, { action: 'ssm:CreateDocument', resource, context: requestTags(tags) });
    if (Object.keys(tags).length === 0) return;
    await this.#require(caller, {
      action: 'ssm:AddTagsToResource',
      resource,
      context: requestTags(tags),
    });
  }

  /** @param nameOrArn an ARN of another account or region is asked for as it is @throws {ApiError} */
  async document(caller: Caller, action: DocumentAction, nameOrArn: string, tags: Tags): Promise<void> {
    const resource = nameOrArn.startsWith('arn:') ? nameOrArn : documentArn(nameOrArn, this.#context);
    await this.#require(caller, { action, resource, context: context(tags) });
  }

  /**
   * @param action `ssm:AddTagsToResource`
   * @param tags of the resource
   * @param request tags that are to be added, and the keys of those that change
   * @throws {ApiError}
   */
  async resource(
    caller: Caller,
    action: string,
    resource: string,
    tags: Tags,
    { added = {}, keys }: { readonly added?: Tags; readonly keys?: readonly string[] } = {},
  ): Promise<void> {
    const requested = keys ? requestTags(added, keys) : [];
    const all = new Map<string, string | readonly string[]>([...context(tags), ...requested]);
    await this.#require(caller, { action, resource, context: all });
  }

  /** @throws {ApiError} */
  async startAccessRequest(caller: Caller, target: string, tags: Tags, requested: Tags): Promise<void> {
    await this.#require(caller, {
      action: 'ssm:StartAccessRequest',
      resource: targetArn(target, this.#context),
      context: new Map<string, string | readonly string[]>([...context(tags), ...requestTags(requested)]),
    });
  }

  /** @param tags of the request for access @throws {ApiError} */
  async getAccessToken(caller: Caller, accessRequestId: string, tags: Tags): Promise<void> {
    const resource = opsItemArn(accessRequestId, this.#context);
    await this.#require(caller, { action: 'ssm:GetAccessToken', resource, context: context(tags) });
  }

  #startQuestions(start: StartQuestion, checksDocument: boolean): [target: Question, document: Question] {
    const action = 'ssm:StartSession';
    const check = ['ssm:SessionDocumentAccessCheck', `${checksDocument}`] as const;
    return [
      { action, resource: targetArn(start.target, this.#context), context: context(start.tags, check) },
      {
        action,
        resource: documentArn(start.document, this.#context),
        context: context(start.documentTags, check),
      },
    ];
  }

  #denied({ principal }: Caller, { action, resource, context }: Question, denial: Denial): ApiError {
    // AWS decides on `*` and says so (POLICY.md section 2).
    const named = resource === '*' ? anyResource(action, this.#context) : resource;
    const request = { principal, action, resource: named, context };
    return new ApiError('AccessDeniedException', denialMessage(request, denial));
  }

  async #require(caller: Caller, question: Question): Promise<void> {
    const decision = await this.#decider.decide(caller, question);
    if (isDenial(decision)) throw this.#denied(caller, question, decision);
  }
}

function withinAccount(accountId: string): Authorizer {
  return (request) => {
    const { principal, action } = request;
    // What nodes need of the account; all else that an agent does is for its own node.
    const isForNodes = action === 'ssm:GetParameters' || isOwnDataKey(request, sessionNameOf(principal.arn));
    return principal.accountId === accountId && (!isNodeRole(principal.arn) || isForNodes)
      ? { effect: 'Allow' }
      : { effect: 'ImplicitDeny', policyType: 'resource-based policy' };
  };
}

/** Of a resource that is yet to be, or whose tags change. */
function requestTags(tags: Tags, tagKeys: readonly string[] = Object.keys(tags)): Keys {
  const keys = new Map<string, string | readonly string[]>([['aws:TagKeys', tagKeys]]);
  for (const [key, value] of Object.entries(tags)) keys.set(`aws:RequestTag/${key}`, value);
  return keys;
}

/** Tags have two spellings as context keys. */
function context(tags: Tags, ...entries: (readonly [string, string])[]): ReadonlyMap<string, string> {
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
