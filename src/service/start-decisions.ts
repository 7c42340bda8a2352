import { HawserError } from '../base/error.ts';
import { DEFAULT_DOCUMENT } from '../core/documents/aws-documents.ts';
import type { Principal } from '../policy/index.ts';
import { ApiError } from './api-error.ts';
import type { Authorization, StartDecision } from './authorization.ts';
import { type Caller, credentialed } from './caller.ts';
import type { ConnectionInfo } from './connection.ts';
import type { ServiceContext } from './context.ts';
import type { Documents } from './documents.ts';
import type { Nodes } from './nodes.ts';
import { sessionDocument } from './operations/session-document.ts';
import type { CallerRecord } from './options.ts';

/** Whether somebody may start a session, and what the policies say of the node and of the document. */
export interface StartPermission extends StartDecision {
  /** Both are `Allow`. */
  readonly allowed: boolean;
}

export interface StartDecisionsParts {
  readonly context: ServiceContext;
  readonly authorization: Authorization;
  readonly nodes: Nodes;
  readonly documents: Documents;
}

/** Answers the policies' part of StartSession, for those who only want to know. */
export class StartDecisions {
  readonly #parts: StartDecisionsParts;

  constructor(parts: StartDecisionsParts) {
    this.#parts = parts;
  }

  /** @throws {HawserError} `ERR_UNKNOWN_DOCUMENT` */
  async of(
    who: Principal | CallerRecord,
    targets: Iterable<string>,
    document: string | undefined,
    connection: ConnectionInfo,
  ): Promise<ReadonlyMap<string, StartPermission>> {
    const { authorization, nodes } = this.#parts;
    const record = 'principal' in who ? who : { principal: who };
    const caller: Caller = { ...credentialed(undefined, record), connection };
    const { name, tags } = await this.#document(document ?? DEFAULT_DOCUMENT, caller.principal);
    const permissions = new Map<string, StartPermission>();
    for (const target of targets) {
      const decision = await authorization.canStart(caller, {
        target,
        tags: (await nodes.get(target))?.tags ?? {},
        document: name,
        documentTags: tags,
        isNamed: document !== undefined,
      });
      const allowed = decision.target.effect === 'Allow' && decision.document.effect === 'Allow';
      permissions.set(target, { allowed, ...decision });
    }
    return permissions;
  }

  async #document(nameOrArn: string, principal: Principal) {
    try {
      return await sessionDocument(nameOrArn, principal, this.#parts);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      throw new HawserError('ERR_UNKNOWN_DOCUMENT', error.message, { cause: error });
    }
  }
}
