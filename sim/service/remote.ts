import type { Clock } from '../../src/base/clock.ts';
import type { Bus, BusMessage } from '../../src/service/bus.ts';
import { memoryBus } from '../../src/service/memory-bus.ts';
import { memoryStore } from '../../src/service/memory-store.ts';
import { type RecordKind, type RecordStore, type Store, storeOf } from '../../src/service/store.ts';

/** One way, in milliseconds. */
export const REMOTE_LATENCY = 5;

/** Watchers are told last. */
const WATCH_LATENCY = 20;

/** A store at the other end of a network. Each call and each word to a watcher takes its time. */
export function remoteStore(clock: Clock, store: Store = memoryStore()): Store {
  const travel = () => new Promise<void>((resolve) => clock.schedule(REMOTE_LATENCY, resolve));
  const remote = <T>(records: RecordStore<T>): RecordStore<T> => {
    const call = async <R>(work: () => Promise<R>): Promise<R> => {
      await travel();
      const answer = await work();
      await travel();
      return answer;
    };
    return {
      get: (key) => call(() => records.get(key)),
      create: (key, value) => call(() => records.create(key, value)),
      update: (entry, value) => call(() => records.update(entry, value)),
      delete: (entry) => call(() => records.delete(entry)),
      list: () => call(() => records.list()),
      watch(key, listener) {
        let watching = true;
        const stop = records.watch(key, (entry) => {
          clock.schedule(WATCH_LATENCY, () => {
            if (watching) listener(entry);
          });
        });
        return () => {
          watching = false;
          stop();
        };
      },
    };
  };
  return storeOf(<T>(kind: RecordKind) => remote(store[kind] as RecordStore<unknown>) as RecordStore<T>);
}

/** A bus at the other end of a network: nothing that is published arrives at once, or is the same object. */
export function remoteBus(clock: Clock, bus: Bus = memoryBus()): Bus {
  return {
    publish: (subject, message) => {
      const copy: BusMessage = message instanceof Uint8Array ? message.slice() : { ...message };
      clock.schedule(REMOTE_LATENCY, () => bus.publish(subject, copy));
    },
    subscribe: (subject, listener) => bus.subscribe(subject, listener),
  };
}
