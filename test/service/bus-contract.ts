import { describe, expect, test } from 'vitest';
import type { Bus, BusMessage } from '../../src/service/index.ts';

/** What every {@link Bus} must do. `settle` lets its messages arrive. */
export function busContract(name: string, open: () => Promise<Bus>, settle: () => Promise<void>): void {
  describe(name, () => {
    test('frames and signals arrive in order at every subscriber of the subject, and at no other', async () => {
      const bus = await open();
      const first: BusMessage[] = [];
      const second: BusMessage[] = [];
      const other: BusMessage[] = [];
      bus.subscribe('session.a.client', (message) => first.push(message));
      bus.subscribe('session.a.client', (message) => second.push(message));
      bus.subscribe('session.a.agent', (message) => other.push(message));
      await settle();
      const sent: BusMessage[] = [
        new Uint8Array([1]),
        { type: 'pause', channelId: 'x' },
        new Uint8Array([2]),
        { type: 'activity', at: 5 },
      ];
      for (const message of sent) bus.publish('session.a.client', message);
      await settle();
      expect(first).toEqual(sent);
      expect(second).toEqual(sent);
      expect(other).toEqual([]);
    });

    test('a message without a subscriber is lost', async () => {
      const bus = await open();
      bus.publish('session.a.client', new Uint8Array([1]));
      await settle();
      const seen: BusMessage[] = [];
      bus.subscribe('session.a.client', (message) => seen.push(message));
      await settle();
      expect(seen).toEqual([]);
    });

    test('a subscriber that has left hears nothing, one that joins twice hears twice', async () => {
      const bus = await open();
      const seen: BusMessage[] = [];
      const listener = (message: BusMessage) => seen.push(message);
      const leave = bus.subscribe('node.a', listener);
      bus.subscribe('node.a', listener);
      await settle();
      bus.publish('node.a', new Uint8Array([1]));
      await settle();
      expect(seen).toHaveLength(2);
      leave();
      leave();
      bus.publish('node.a', new Uint8Array([2]));
      await settle();
      expect(seen).toHaveLength(3);
    });

    test('subscribers may subscribe, leave and publish while they are told', async () => {
      const bus = await open();
      const seen: string[] = [];
      const leave = bus.subscribe('a', () => {
        seen.push('first');
        leave();
        bus.subscribe('a', () => seen.push('late'));
        bus.publish('b', new Uint8Array());
      });
      bus.subscribe('a', () => seen.push('second'));
      bus.subscribe('b', () => seen.push('b'));
      await settle();
      bus.publish('a', new Uint8Array());
      await settle();
      expect([...seen].sort()).toEqual(['b', 'first', 'second']);
    });
  });
}
