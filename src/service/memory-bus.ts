import type { Bus, BusMessage } from './bus.ts';

type Listener = (message: BusMessage) => void;

/** A bus within one process. `publish` calls the subscribers itself: a frame is relayed in the turn it arrives. */
export function memoryBus(): Bus {
  const subjects = new Map<string, readonly Listener[]>();
  return {
    publish(subject, message) {
      const listeners = subjects.get(subject);
      if (listeners) for (const listener of listeners) listener(message);
    },
    subscribe(subject, listener) {
      // A new list each time, so that a running `publish` is not disturbed.
      const own: Listener = (message) => listener(message);
      subjects.set(subject, [...(subjects.get(subject) ?? []), own]);
      return () => {
        const left = subjects.get(subject)?.filter((other) => other !== own) ?? [];
        if (left.length > 0) subjects.set(subject, left);
        else subjects.delete(subject);
      };
    },
  };
}
