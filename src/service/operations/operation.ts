import type { Principal } from '../../policy/index.ts';
import type { Authorization } from '../authorization.ts';
import type { ServiceContext } from '../context.ts';
import type { Documents } from '../documents.ts';
import type { Nodes } from '../nodes.ts';
import type { Sessions } from '../sessions.ts';
import type { Shape } from '../shape.ts';

/** One operation of the `ssm` API: registered by name, nothing else knows of it. */
export interface Operation<Input = unknown> {
  /** As in `X-Amz-Target`, without the prefix. */
  readonly name: string;
  readonly input: Shape<Input>;
  /** The members of the answer. @throws {ApiError} */
  handle(input: Input, call: Call): Promise<object>;
}

/** What there is to know of a call beside its input. */
export interface Call {
  readonly principal: Principal;
  /** Where the request went. */
  readonly url: URL;
}

/** What operations work on. */
export interface OperationParts {
  readonly context: ServiceContext;
  readonly authorization: Authorization;
  readonly nodes: Nodes;
  readonly sessions: Sessions;
  readonly documents: Documents;
  /** Where data channels are opened, when that is not where the request went. */
  readonly streamUrl: string | undefined;
}

/** Lets the compiler find the input's type from its shape. */
export function operation<Input>(definition: Operation<Input>): Operation {
  return definition as Operation;
}
