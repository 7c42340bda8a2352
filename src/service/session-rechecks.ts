import type { CancelTimer } from '../base/clock.ts';
import type { Authorization } from './authorization.ts';
import type { ServiceContext } from './context.ts';
import type { Documents } from './documents.ts';
import type { KnownKeys } from './known-keys.ts';
import type { Nodes } from './nodes.ts';
import type { SessionManagerServiceOptions } from './options.ts';
import { isOver, type SessionRecord } from './session-record.ts';
import type { Sessions } from './sessions.ts';

export interface SessionRechecksParts {
  readonly context: ServiceContext;
  readonly sessions: Sessions;
  readonly keys: KnownKeys;
  readonly authorization: Authorization;
  readonly nodes: Nodes;
  readonly documents: Documents;
  readonly policyChanges: SessionManagerServiceOptions['policyChanges'];
}

/**
 * Ends running sessions that their owners may start no more: policies decide on calls, and a session goes on without
 * any (POLICY.md section 6). Each look asks once for every session that was started or resumed here.
 */
export class SessionRechecks {
  readonly #parts: SessionRechecksParts;
  readonly #unsubscribe: (() => void) | undefined;
  #cancelTimer: CancelTimer = () => {};
  #looking = false;
  #again = false;
  #stopped = false;

  constructor(parts: SessionRechecksParts) {
    this.#parts = parts;
    this.#unsubscribe = parts.policyChanges?.(() => this.look());
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe?.();
    this.#cancelTimer();
  }

  #schedule(): void {
    const { clock, timers } = this.#parts.context;
    this.#cancelTimer();
    if (!this.#stopped) this.#cancelTimer = clock.schedule(timers.recheck, () => this.look());
  }

  /** One look at a time; changes while it lasts ask for one more, however many they are. */
  look(): void {
    this.#again = true;
    if (this.#looking || this.#stopped) return;
    this.#looking = true;
    this.#lookAtAll()
      .catch((error: unknown) => this.#parts.context.report(error))
      .finally(() => {
        this.#looking = false;
        if (this.#again) this.look();
        else this.#schedule();
      });
  }

  async #lookAtAll(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      const ids = this.#parts.sessions.running();
      for (const [index, sessionId] of ids.entries()) {
        if (this.#stopped) return;
        // Others have their turn in between.
        if (index % BATCH === BATCH - 1) await this.#turn();
        await this.#lookAt(sessionId);
      }
    }
  }

  /** What cannot be asked about is not ended: the next look may tell. */
  async #lookAt(sessionId: string): Promise<void> {
    const { context, sessions } = this.#parts;
    try {
      const record = await sessions.get(sessionId);
      if (!record || isOver(record) || record.cancelled || (await this.#isAllowed(record))) return;
      await sessions.cancel(sessionId, 'AccessRevoked');
    } catch (error) {
      context.report(error);
    }
  }

  async #isAllowed({ owner, target, documentName, documentNamed = true }: SessionRecord): Promise<boolean> {
    const { context, keys, authorization, nodes, documents } = this.#parts;
    // Of a service that did not write it down.
    if (owner.accessKeyId === undefined) return true;
    const key = await keys.find(owner.accessKeyId);
    if (!key || key.caller.principal.arn !== owner.arn) return false;
    if (key.expiration && key.expiration.getTime() <= context.wallClock.now()) return false;
    const decision = await authorization.canStart(
      { ...key.caller, connection: owner.connection ?? {} },
      {
        target,
        tags: (await nodes.get(target))?.tags ?? {},
        document: documentName,
        documentTags: (await documents.find(documentName))?.record.tags ?? {},
        isNamed: documentNamed,
      },
    );
    return decision.target.effect === 'Allow' && decision.document.effect === 'Allow';
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#parts.context.clock.schedule(0, resolve));
  }
}

/** Sessions in one turn. */
const BATCH = 100;
