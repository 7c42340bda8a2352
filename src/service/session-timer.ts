import type { CancelTimer } from '../base/clock.ts';
import { activitySubject } from './bus.ts';
import type { ServiceContext } from './context.ts';
import { type Deadline, type DeadlineTimers, nextDeadline } from './deadline.ts';
import { isOver, type SessionRecord } from './session-record.ts';

/** How exact the idle timer is: relays report activity this often at most. */
export const ACTIVITY_INTERVAL = 1000;

/** After a failure of the store. */
const RETRY_DELAY = 1000;

/** Of a session: how exact `lastActivity` of its record is, in milliseconds. */
export function activityNoteInterval({ idleTimeout }: SessionRecord): number {
  return idleTimeout / 10;
}

export interface SessionTimerOptions {
  readonly context: ServiceContext;
  readonly timers: DeadlineTimers;
  /** Ends the session; asked again in a second when it fails. */
  readonly expired: (reason: Deadline['reason']) => Promise<unknown>;
  /** The session is over, or gone. */
  readonly stopped: () => void;
  /** Writes down that there was activity, for a service that resumes the session. */
  readonly note: (at: number) => Promise<unknown>;
}

/**
 * Runs the timers of one session, on the relay where it was started. It learns of the session from the store and
 * of its traffic from the bus, wherever its channels are.
 */
export class SessionTimer {
  readonly #context: ServiceContext;
  readonly #timers: DeadlineTimers;
  readonly #expired: (reason: Deadline['reason']) => Promise<unknown>;
  readonly #stopped: () => void;
  readonly #note: (at: number) => Promise<unknown>;
  #noting = false;
  readonly #unwatch: () => void;
  readonly #unsubscribe: () => void;
  #record: SessionRecord;
  #lastActivity: number;
  #wakeAt: number | undefined;
  #cancelWake: CancelTimer | undefined;

  /** @param lastActivity milliseconds since the epoch */
  constructor(record: SessionRecord, lastActivity: number, options: SessionTimerOptions) {
    const { context, timers, expired, stopped, note } = options;
    this.#context = context;
    this.#timers = timers;
    this.#expired = expired;
    this.#stopped = stopped;
    this.#note = note;
    this.#record = record;
    this.#lastActivity = lastActivity;
    this.#unsubscribe = context.bus.subscribe(activitySubject(record.sessionId), (message) => {
      // Deadlines only move away by it, so the running timer can stay: it looks again when it fires.
      if ('at' in message && typeof message.at === 'number') this.#noteActivity(message.at);
    });
    this.#unwatch = context.store.sessions.watch(record.sessionId, (entry) => this.#changed(entry?.value));
    this.#schedule(this.#deadline());
  }

  stop(): void {
    this.#cancelWake?.();
    this.#unwatch();
    this.#unsubscribe();
  }

  #changed(record: SessionRecord | undefined): void {
    if (!record || isOver(record)) {
      this.stop();
      this.#stopped();
      return;
    }
    if (record.status === 'Connected' && this.#record.status === 'Connecting') {
      this.#noteActivity(this.#context.clock.now());
    }
    this.#record = record;
    this.#schedule(this.#deadline());
  }

  #noteActivity(at: number): void {
    // The reporter may have been silent about what followed within its interval.
    this.#lastActivity = Math.max(this.#lastActivity, at + ACTIVITY_INTERVAL);
    const { lastActivity = this.#record.startDate } = this.#record;
    if (this.#noting || at < lastActivity + activityNoteInterval(this.#record)) return;
    this.#noting = true;
    this.#note(at)
      .catch((error: unknown) => this.#context.report(error))
      .finally(() => {
        this.#noting = false;
      });
  }

  #deadline(): Deadline | undefined {
    return nextDeadline(this.#record, this.#lastActivity, this.#timers);
  }

  #schedule(deadline: Deadline | undefined): void {
    if (!deadline || (this.#wakeAt !== undefined && this.#wakeAt <= deadline.at)) return;
    this.#cancelWake?.();
    this.#wakeAt = deadline.at;
    const { clock } = this.#context;
    this.#cancelWake = clock.schedule(Math.max(0, deadline.at - clock.now()), () => this.#wake());
  }

  #wake(): void {
    this.#wakeAt = undefined;
    const deadline = this.#deadline();
    if (deadline && deadline.at <= this.#context.clock.now()) this.#expire(deadline.reason);
    else this.#schedule(deadline);
  }

  #expire(reason: Deadline['reason']): void {
    this.#expired(reason).catch((error: unknown) => {
      this.#context.report(error);
      this.#cancelWake = this.#context.clock.schedule(RETRY_DELAY, () => this.#wake());
    });
  }
}
