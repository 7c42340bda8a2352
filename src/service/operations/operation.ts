import type { LocalKeyService } from '../../kms/index.ts';
import type { AccessRequests } from '../access-requests.ts';
import type { Activations } from '../activations.ts';
import { ApiError } from '../api-error.ts';
import { targetArn } from '../arn.ts';
import type { Authorization } from '../authorization.ts';
import type { Caller } from '../caller.ts';
import type { ServiceContext } from '../context.ts';
import type { Documents } from '../documents.ts';
import type { HybridNodes } from '../hybrid-nodes.ts';
import type { LongPolls } from '../long-polls.ts';
import type { Nodes } from '../nodes.ts';
import type { ParameterStore } from '../parameter-store.ts';
import type { RoleCredentials } from '../role-credentials.ts';
import type { Sessions } from '../sessions.ts';
import type { Settings } from '../settings.ts';
import type { Shape } from '../shape.ts';

/** One operation of the JSON APIs: registered by name, nothing else knows of it. */
export interface Operation<Input = unknown> {
  /** As in `X-Amz-Target`, without the prefix. */
  readonly name: string;
  /** Default `ssm`. */
  readonly api?: ApiName;
  /**
   * What the request is signed with: the credentials of the caller, which is the default, the key of a hybrid node,
   * or nothing (CONTROL-PLANE.md section 2.8).
   */
  readonly signedWith?: 'credentials' | 'nodeKey' | 'nothing';
  readonly input: Shape<Input>;
  /** The members of the answer. @throws {ApiError} */
  handle(input: Input, call: Call): Promise<object>;
}

/** The APIs of AWS JSON 1.1 that there are, by the service name that requests are signed for. */
export type ApiName = 'ssm' | 'ec2messages' | 'kms';

/** What there is to know of a call beside its input. */
export interface Call extends Caller {
  /** Where the request went. */
  readonly url: URL;
  /** Nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** What operations work on. */
export interface OperationParts {
  readonly context: ServiceContext;
  readonly authorization: Authorization;
  readonly nodes: Nodes;
  readonly hybridNodes: HybridNodes;
  readonly activations: Activations;
  readonly accessRequests: AccessRequests;
  readonly roleCredentials: RoleCredentials;
  readonly sessions: Sessions;
  readonly documents: Documents;
  readonly settings: Settings;
  readonly longPolls: LongPolls;
  /** The keys of KMS, where they are hosted here. */
  readonly keys: LocalKeyService | undefined;
  /** What session documents refer to, where it is hosted here. */
  readonly parameters: ParameterStore | undefined;
  /** Where data channels are opened, when that is not where the request went. */
  readonly streamUrl: string | undefined;
}

/** Lets the compiler find the input's type from its shape. */
export function operation<Input>(definition: Operation<Input>): Operation {
  return definition as Operation;
}

/** The call of an agent for its own node. */
export type NodeCall = Call & { readonly targetId: string };

/**
 * An operation for agents: it needs no policy but the credentials of a node, and is about that node alone.
 *
 * @param context where the nodes are
 */
export function nodeOperation<Input>(
  definition: Omit<Operation<Input>, 'handle'> & {
    handle(input: Input, call: NodeCall): Promise<object>;
  },
  context: ServiceContext,
): Operation {
  const { name, api = 'ssm' } = definition;
  return operation({
    ...definition,
    async handle(input, call) {
      const { targetId, principal } = call;
      const { InstanceId: about = targetId } = input as { readonly InstanceId?: string };
      if (targetId !== undefined && about === targetId)
        return definition.handle(input, { ...call, targetId });
      const resource = about === undefined ? '*' : targetArn(about, context);
      throw new ApiError(
        'AccessDeniedException',
        `User: ${principal.arn} is not authorized to perform: ${api}:${name} on resource: ${resource} because these are not the credentials of that node`,
      );
    },
  });
}
