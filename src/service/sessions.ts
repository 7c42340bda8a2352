import { ApiError } from './api-error.ts';
import type { Side } from './bus.ts';
import { nodeSubject } from './bus.ts';
import type { Caller } from './caller.ts';
import type { ServiceContext } from './context.ts';
import type { DeadlineTimers } from './deadline.ts';
import { channelClosedFrame, startSessionFrame } from './frames.ts';
import { type EndReason, isOver, type SessionOwner, type SessionRecord, withSide } from './session-record.ts';
import {
  active,
  agentReported,
  type Completion,
  cancelled,
  channelClosed,
  channelOpened,
  clientEnded,
  completed,
  expired,
  serviceResumed,
} from './session-state.ts';
import { activityNoteInterval, SessionTimer } from './session-timer.ts';
import { type Change, change } from './store.ts';
import { isTokenOf, newToken, type TokenRecord, tokenRecord } from './token.ts';

/** What a new session is made of; the rest of its record follows. */
export type NewSession = Pick<
  SessionRecord,
  | 'sessionId'
  | 'target'
  | 'owner'
  | 'accessRequestId'
  | 'documentName'
  | 'documentNamed'
  | 'documentContent'
  | 'parameters'
  | 'reason'
  | 'runAsUser'
  | 'idleTimeout'
  | 'maxDuration'
>;

/**
 * The sessions of the service: every change of a session record is made here. Whoever holds one of a session's
 * channels watches the record, and does its part of what the change means.
 */
export class Sessions {
  readonly #context: ServiceContext;
  /** Of the sessions that were started or resumed here and are not over. */
  readonly #timers = new Map<string, SessionTimer>();
  #closed = false;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /**
   * Creates the record and tells the node. Does not wait for the node (CONTROL-PLANE.md section 2.1).
   *
   * @throws {ApiError} `ServiceUnavailableException` after {@link shutDown}: nobody would end it
   */
  async start(session: NewSession): Promise<SessionRecord> {
    if (this.#closed) throw closed();
    const { store, bus, clock } = this.#context;
    const record: SessionRecord = {
      ...session,
      startDate: clock.now(),
      status: 'Connecting',
      client: {},
      agent: {},
      agentReady: false,
      clientEnded: false,
      completed: false,
      cancelled: false,
    };
    const { sessionId } = record;
    // 130 random bits: a taken id means a broken random source, not bad luck.
    if (!(await store.sessions.create(sessionId, record)))
      throw new Error(`The session id ${sessionId} is taken.`);
    this.#watchOver(record, record.startDate);
    this.#emit(record);
    if (this.#closed) {
      await this.cancel(sessionId, 'ServiceShutdown');
      throw closed();
    }
    bus.publish(nodeSubject(record.target), startSessionFrame(record, this.#context));
    return record;
  }

  /**
   * Takes over the sessions in the store that are not over: the process that had them has ended. Nobody has been able to
   * do anything since, so each has at least the time for connecting before its idle timer ends it.
   */
  async resume(): Promise<void> {
    const { store, timers } = this.#context;
    for (const { key } of await store.sessions.list()) {
      const now = this.#now();
      const record = (await this.#change(key, (record) => serviceResumed(record, now)))?.after;
      if (!record || isOver(record)) continue;
      const noted = (record.lastActivity ?? record.startDate) + activityNoteInterval(record);
      // The clock may have been set back meanwhile.
      const lastActivity = Math.min(noted, now);
      this.#watchOver(
        record,
        Math.max(lastActivity, now + timers.connect - record.idleTimeout),
        resumedTimers(record, timers, now),
      );
    }
  }

  async get(sessionId: string): Promise<SessionRecord | undefined> {
    const record = (await this.#context.store.sessions.get(sessionId))?.value;
    return record && !this.#isForgotten(record) ? record : undefined;
  }

  /** In no order. */
  async list(): Promise<readonly SessionRecord[]> {
    const entries = await this.#context.store.sessions.list();
    return entries.map(({ value }) => value).filter((record) => !this.#isForgotten(record));
  }

  /**
   * A fresh token in the place of the one before, or `undefined` when the session can no longer be joined.
   *
   * @param caller who is given the token of a client; the owner has its credentials renewed by it
   */
  async mintToken(sessionId: string, side: Side, caller?: Caller): Promise<string | undefined> {
    const { random, digest, wallClock, timers } = this.#context;
    const value = newToken(random);
    const token: TokenRecord = {
      ...tokenRecord(value, wallClock.now() + timers.token, digest),
      ...(caller && { holder: ownerOf(caller) }),
    };
    const made = await this.#change(sessionId, (record) => {
      if (isEnded(record, side)) return undefined;
      const owner = caller?.principal.arn === record.owner.arn ? ownerOf(caller) : record.owner;
      return { ...withSide(record, side, { token }), owner };
    });
    return made && made.after !== made.before ? value : undefined;
  }

  /** The session and the access key of who was given a token of its client; `undefined` for one that is not good. */
  async byToken(
    sessionId: string,
    token: string,
  ): Promise<{ readonly session: SessionRecord; readonly accessKeyId: string | undefined } | undefined> {
    const { wallClock, digest, store } = this.#context;
    const session = (await store.sessions.get(sessionId))?.value;
    const record = session?.client.token;
    if (!session || !isTokenOf(record, token, wallClock.now(), digest)) return undefined;
    return { session, accessKeyId: record?.holder?.accessKeyId };
  }

  /** Those that were started or resumed here, and are not over. */
  running(): readonly string[] {
    return [...this.#timers.keys()];
  }

  /**
   * Uses a token up, and makes `channelId` the channel of this side; the one before is thereby replaced. A client
   * may still come to a session that is over, once, to be told why.
   *
   * @returns `undefined` when the token is not good for this
   */
  async openChannel(
    sessionId: string,
    side: Side,
    token: string,
    channelId: string,
  ): Promise<SessionRecord | undefined> {
    const { wallClock, digest } = this.#context;
    const opened = await this.#change(sessionId, (record) =>
      isTokenOf(record[side].token, token, wallClock.now(), digest) &&
      !(side === 'agent' && isEnded(record, side))
        ? channelOpened(record, side, channelId)
        : undefined,
    );
    return opened && opened.after !== opened.before ? opened.after : undefined;
  }

  async channelClosed(sessionId: string, side: Side, channelId: string): Promise<void> {
    await this.#change(sessionId, (record) => channelClosed(record, side, channelId, this.#now()));
  }

  /** `agent_session_state` came. */
  async agentReported(sessionId: string, state: string): Promise<void> {
    await this.#change(sessionId, (record) => agentReported(record, state, this.#now()));
  }

  /** The client sent the TerminateSession flag. */
  async clientEnded(sessionId: string): Promise<void> {
    await this.#change(sessionId, clientEnded);
  }

  /** `agent_task_complete` came from the node: nothing happens for the sessions of other nodes. */
  async complete(sessionId: string, target: string, completion: Completion): Promise<void> {
    await this.#change(sessionId, (record) =>
      record.target === target ? completed(record, completion, this.#now()) : undefined,
    );
  }

  /** Ends a session, unless it is over. Its ends are told. */
  async cancel(sessionId: string, reason: EndReason): Promise<void> {
    await this.#end(sessionId, (record) => cancelled(record, reason, this.#now()));
  }

  /** Ends all sessions of a target that are not over. */
  async cancelAll(target: string, reason: EndReason): Promise<void> {
    const running = (await this.list()).filter((record) => record.target === target && !isOver(record));
    await Promise.all(running.map(({ sessionId }) => this.cancel(sessionId, reason)));
  }

  /** What a node missed while it had no control channel: sessions to start, sessions to end. */
  async missedBy(target: string): Promise<readonly Uint8Array[]> {
    const frames: Uint8Array[] = [];
    for (const record of await this.list()) {
      if (record.target !== target || record.completed) continue;
      if (record.cancelled && hadAgent(record) && this.#now() < endOf(record, this.#now()) + MISSED_END) {
        frames.push(channelClosedFrame(record, this.#context));
      }
      if (record.status === 'Connecting' && !record.agentReady) {
        // An agent that has it already drops it (PROTOCOL.md section 5).
        frames.push(startSessionFrame(record, this.#context));
      }
    }
    return frames;
  }

  /** Starts no more, and ends those that were started or resumed here, unless they are to be kept. */
  async shutDown(sessions: 'end' | 'keep'): Promise<void> {
    this.#closed = true;
    if (sessions === 'end') {
      const ids = [...this.#timers.keys()];
      await Promise.all(ids.map((sessionId) => this.cancel(sessionId, 'ServiceShutdown')));
    }
    for (const timer of this.#timers.values()) timer.stop();
    this.#timers.clear();
  }

  #watchOver(
    record: SessionRecord,
    lastActivity: number,
    timers: DeadlineTimers = this.#context.timers,
  ): void {
    const { sessionId } = record;
    const timer = new SessionTimer(record, lastActivity, {
      context: this.#context,
      timers,
      expired: (reason) => this.#end(sessionId, (now) => expired(now, reason, this.#now())),
      stopped: () => this.#timers.delete(sessionId),
      note: (at) => this.#change(sessionId, (now) => active(now, at)),
    });
    this.#timers.set(sessionId, timer);
  }

  async #end(sessionId: string, next: (record: SessionRecord) => SessionRecord | undefined): Promise<void> {
    const made = await this.#change(sessionId, next);
    if (!made || made.after === made.before || !made.after.cancelled) return;
    // Data channels are closed by those who hold them; an agent may have none, or have just lost it.
    this.#context.bus.publish(nodeSubject(made.after.target), channelClosedFrame(made.after, this.#context));
  }

  async #change(
    sessionId: string,
    next: (record: SessionRecord) => SessionRecord | undefined,
  ): Promise<Change<SessionRecord> | undefined> {
    const made = await change(this.#context.store.sessions, sessionId, next);
    if (made && made.after.status !== made.before.status) {
      this.#emit(made.after, made.before);
      if (isOver(made.after)) await this.#prune();
    }
    return made;
  }

  #emit(record: SessionRecord, before?: SessionRecord): void {
    this.#context.emit({
      type: 'session',
      time: this.#now(),
      sessionId: record.sessionId,
      target: record.target,
      owner: record.owner.arn,
      documentName: record.documentName,
      ...(before && { previousStatus: before.status }),
      status: record.status,
      ...(record.endReason && { endReason: record.endReason }),
    });
  }

  /** Removes what the history has no room for, when something was added to it. */
  async #prune(): Promise<void> {
    const { store, limits } = this.#context;
    const ended = (await store.sessions.list()).filter(({ value }) => isOver(value));
    const excess = ended.length - limits.history;
    const byAge = excess > 0 ? ended.sort((a, b) => endOf(a.value) - endOf(b.value)) : ended;
    await Promise.all(
      byAge
        .filter(({ value }, index) => index < excess || this.#isForgotten(value))
        .map((entry) => store.sessions.delete(entry)),
    );
  }

  #isForgotten(record: SessionRecord): boolean {
    return isOver(record) && endOf(record) <= this.#now() - this.#context.timers.history;
  }

  #now(): number {
    return this.#context.clock.now();
  }
}

export function ownerOf({ principal, accessKeyId, connection }: Caller): SessionOwner {
  const { arn, userId } = principal;
  return { arn, userId, ...(accessKeyId !== undefined && { accessKeyId }), connection };
}

/** What a session had not come to when it was resumed, it has the whole time for again. */
function resumedTimers(record: SessionRecord, timers: DeadlineTimers, now: number): DeadlineTimers {
  const { connect, agentLost, terminateGrace } = timers;
  return {
    agentLost,
    connect: record.status === 'Connecting' ? now - record.startDate + connect : connect,
    // An end that was under way waits for its agent to come back first.
    terminateGrace: record.status === 'Terminating' ? Math.max(terminateGrace, agentLost) : terminateGrace,
  };
}

/** Nobody can join any more. An agent that announced its end may still come back to deliver the rest. */
function isEnded(record: SessionRecord, side: Side): boolean {
  return isOver(record) || record.cancelled || (side === 'client' && record.status === 'Terminating');
}

/** It is known to the agent, unless that has forgotten it. */
function hadAgent({ agent, agentReady }: SessionRecord): boolean {
  const { token, channel, lostAt } = agent;
  return agentReady || (token ?? channel ?? lostAt) !== undefined;
}

function closed(): ApiError {
  return new ApiError('ServiceUnavailableException', 'The service has been closed.', 503);
}

function endOf({ endDate }: SessionRecord, otherwise = 0): number {
  return endDate ?? otherwise;
}

/**
 * Milliseconds for which a node that comes back is told of an end. An agent that knows the session says that it is
 * complete; one that lost it, as when its machine lost power, never does, and would be told at every connection while
 * the session is listed. It queues one end at a time, and a start behind them waits (processorworkerconfigutil.go of
 * amazon-ssm-agent). What still wants its data channel after that is told by `ClosedNotices`.
 */
const MISSED_END = 3_600_000;
