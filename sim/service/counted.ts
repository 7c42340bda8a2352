import type { CancelTimer, Clock } from '../../src/base/clock.ts';
import type { Bus } from '../../src/service/bus.ts';
import type { SessionRecord } from '../../src/service/session-record.ts';
import type { Entry, RecordStore, Store } from '../../src/service/store.ts';

/** How often each subject is subscribed to, and each record watched: what is left of a session shows here. */
export class Registrations {
  readonly #counts = new Map<string, number>();

  /** Those that are registered, sorted. */
  get names(): string[] {
    return [...this.#counts.keys()].sort();
  }

  add(name: string): () => void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    let registered = true;
    return () => {
      if (!registered) return;
      registered = false;
      const left = this.#counts.get(name)! - 1;
      if (left > 0) this.#counts.set(name, left);
      else this.#counts.delete(name);
    };
  }
}

export function countedBus(bus: Bus, registrations: Registrations): Bus {
  return {
    publish: (subject, message) => bus.publish(subject, message),
    subscribe(subject, listener) {
      const remove = registrations.add(`subscription of ${subject}`);
      const unsubscribe = bus.subscribe(subject, listener);
      return () => {
        remove();
        unsubscribe();
      };
    },
  };
}

export function countedStore(store: Store, registrations: Registrations): Store {
  const counted = <T>(records: RecordStore<T>): RecordStore<T> => ({
    get: (key) => records.get(key),
    create: (key, value) => records.create(key, value),
    update: (entry, value) => records.update(entry, value),
    delete: (entry) => records.delete(entry),
    list: () => records.list(),
    watch(key, listener) {
      const remove = registrations.add(`watch of ${key}`);
      const unwatch = records.watch(key, listener);
      return () => {
        remove();
        unwatch();
      };
    },
  });
  return {
    sessions: counted(store.sessions),
    nodes: counted(store.nodes),
    documents: counted(store.documents),
    documentContents: counted(store.documentContents),
    settings: counted(store.settings),
    activations: counted(store.activations),
    accessRequests: counted(store.accessRequests),
    roleCredentials: counted(store.roleCredentials),
  };
}

/** A store of which every version of a session that was ever written is seen, also of one that is removed. */
export function seenStore({ sessions, ...others }: Store, see: (record: SessionRecord) => void): Store {
  const seen: RecordStore<SessionRecord> = {
    get: (key) => sessions.get(key),
    create: (key, value) => sessions.create(key, value).then(seeing),
    update: (entry, value) => sessions.update(entry, value).then(seeing),
    delete: (entry) => sessions.delete(entry),
    list: () => sessions.list(),
    watch: (key, listener) => sessions.watch(key, listener),
  };
  const seeing = (entry: Entry<SessionRecord> | undefined) => {
    if (entry) see(entry.value);
    return entry;
  };
  return { ...others, sessions: seen };
}

/** The clock of one program, which knows how many of its timers are left. */
export class CountedClock implements Clock {
  readonly #clock: Clock;
  #pending = 0;
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get pending(): number {
    return this.#pending;
  }

  now(): number {
    return this.#clock.now();
  }

  /** The program is gone: no timer of it fires any more. */
  stop(): void {
    this.#stopped = true;
  }

  schedule(delay: number, callback: () => void): CancelTimer {
    if (this.#stopped) return () => {};
    let pending = true;
    this.#pending++;
    const over = () => {
      if (pending) this.#pending--;
      pending = false;
    };
    const cancel = this.#clock.schedule(delay, () => {
      over();
      if (!this.#stopped) callback();
    });
    return () => {
      over();
      cancel();
    };
  }
}
