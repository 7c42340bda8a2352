import type { Side } from './bus.ts';
import type { ServiceContext } from './context.ts';
import { RelayedStream } from './relayed-stream.ts';
import { isOver } from './session-record.ts';

/** A session in the relay of this process. */
export interface RelayedSession {
  /** Both directions, each by the side that sends it. */
  readonly streams: Readonly<Record<Side, RelayedStream>>;
  /** Channel ids of the ends that are here: what comes from one of them has been looked at. */
  readonly ends: Set<string>;
}

/** What the relay of this process remembers of sessions while their sockets come and go: until they are over. */
export class RelayMemory {
  readonly #context: ServiceContext;
  readonly #sessions = new Map<string, { readonly session: RelayedSession; readonly unwatch: () => void }>();

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** How many sessions are remembered. */
  get size(): number {
    return this.#sessions.size;
  }

  session(sessionId: string): RelayedSession {
    const known = this.#sessions.get(sessionId);
    if (known) return known.session;
    const { limits, store } = this.#context;
    const stream = () => new RelayedStream(limits.unacknowledgedFrames);
    const session = { streams: { client: stream(), agent: stream() }, ends: new Set<string>() };
    const unwatch = store.sessions.watch(sessionId, (entry) => {
      if (!entry || isOver(entry.value)) this.#forget(sessionId);
    });
    this.#sessions.set(sessionId, { session, unwatch });
    return session;
  }

  clear(): void {
    for (const sessionId of [...this.#sessions.keys()]) this.#forget(sessionId);
  }

  #forget(sessionId: string): void {
    this.#sessions.get(sessionId)?.unwatch();
    this.#sessions.delete(sessionId);
  }
}
