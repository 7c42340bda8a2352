import { nodeSubject } from './bus.ts';
import type { ServiceContext } from './context.ts';
import { channelClosedFrame, type EndedSession } from './frames.ts';

/** Milliseconds for which a node is not told the same again. */
const PAUSE = 10_000;

/** Told last, of all nodes together. */
const MAX_REMEMBERED = 1000;

/** The longest session id (SHAPES.md). */
const MAX_SESSION_ID = 96;

/**
 * Tells nodes on their control channels of sessions that are over, when they still want a data channel for one. The
 * answer to that call stops the reconnecting of AWS's agent, but its session worker lives on until `channel_closed`
 * comes (PROTOCOL.md section 1.8). An agent that asks in a loop is told every 10 seconds.
 */
export class ClosedNotices {
  readonly #context: ServiceContext;
  /** When, by node and session; the oldest is first. */
  readonly #told = new Map<string, number>();

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  tell(session: EndedSession): void {
    const { sessionId, target } = session;
    if (sessionId.length > MAX_SESSION_ID) return;
    const { clock, bus } = this.#context;
    const now = clock.now();
    const key = JSON.stringify([target, sessionId]);
    const told = this.#told.get(key);
    if (told !== undefined && now < told + PAUSE) return;
    this.#told.delete(key);
    this.#told.set(key, now);
    if (this.#told.size > MAX_REMEMBERED) this.#told.delete(this.#told.keys().next().value!);
    bus.publish(nodeSubject(target), channelClosedFrame(session, this.#context));
  }
}
