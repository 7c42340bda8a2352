import type { CancelTimer } from '../base/clock.ts';
import { ApiError } from './api-error.ts';
import type { Authorization } from './authorization.ts';
import type { Caller } from './caller.ts';
import type { ServiceContext } from './context.ts';
import type { Documents } from './documents.ts';
import type { KnownKeys } from './known-keys.ts';
import type { Nodes } from './nodes.ts';
import type { SessionManagerServiceOptions } from './options.ts';
import { isOver, type SessionOwner, type SessionRecord } from './session-record.ts';
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
        await this.#inTime(sessionId, this.#lookAt(sessionId));
      }
    }
  }

  /** A question that the host never answers must not keep those about other sessions from being asked. */
  async #inTime(sessionId: string, look: Promise<void>): Promise<void> {
    const { clock, timers, report } = this.#parts.context;
    let cancel: CancelTimer = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = clock.schedule(timers.recheck, () => {
        report(
          new Error(`Whether the session ${sessionId} may go on was not answered in ${timers.recheck} ms.`),
        );
        resolve();
      });
    });
    await Promise.race([look, late]);
    cancel();
  }

  /** What cannot be asked about is not ended: the next look may tell. */
  async #lookAt(sessionId: string): Promise<void> {
    const { context, sessions } = this.#parts;
    try {
      const record = await sessions.get(sessionId);
      if (!record || isOver(record) || record.cancelled) return;
      if (!(await this.#isAllowed(record))) await sessions.cancel(sessionId, 'AccessRevoked');
      else if (!(await this.#isHeldRightly(record))) {
        await sessions.channelClosed(sessionId, 'client', record.client.channel!);
      }
    } catch (error) {
      context.report(error);
    }
  }

  /** Whether somebody else than its owner, who has resumed it, may still do so. Otherwise they lose its channel. */
  async #isHeldRightly(record: SessionRecord): Promise<boolean> {
    const { channel, holder } = record.client;
    if (channel === undefined || holder === undefined || holder.arn === record.owner.arn) return true;
    const caller = await this.#callerOf(holder);
    if (typeof caller === 'string') return caller === 'unknown';
    try {
      await this.#parts.authorization.session(caller, 'ssm:ResumeSession', record.sessionId, record);
      return true;
    } catch (error) {
      if (error instanceof ApiError) return false;
      throw error;
    }
  }

  /** `unknown` where a service did not write down with which key; `gone` when that is good no more. */
  async #callerOf({ accessKeyId, arn, connection = {} }: SessionOwner): Promise<Caller | 'unknown' | 'gone'> {
    const { context, keys } = this.#parts;
    if (accessKeyId === undefined) return 'unknown';
    const key = await keys.find(accessKeyId);
    if (!key || key.caller.principal.arn !== arn) return 'gone';
    if (key.expiration && key.expiration.getTime() <= context.wallClock.now()) return 'gone';
    return { ...key.caller, connection };
  }

  async #isAllowed({ owner, target, documentName, documentNamed = true }: SessionRecord): Promise<boolean> {
    const { authorization, nodes, documents } = this.#parts;
    const caller = await this.#callerOf(owner);
    if (typeof caller === 'string') return caller === 'unknown';
    const decision = await authorization.canStart(caller, {
      target,
      tags: (await nodes.get(target))?.tags ?? {},
      document: documentName,
      documentTags: (await documents.find(documentName))?.record.tags ?? {},
      isNamed: documentNamed,
    });
    return decision.target.effect === 'Allow' && decision.document.effect === 'Allow';
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#parts.context.clock.schedule(0, resolve));
  }
}

/** Sessions in one turn. */
const BATCH = 100;
