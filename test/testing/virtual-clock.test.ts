import { describe, expect, it } from 'vitest';
import { deferred } from '../../src/base/deferred.ts';
import { VirtualClock } from '../../src/testing/index.ts';

describe('VirtualClock', () => {
  it('stands still until told to go on', async () => {
    const clock = new VirtualClock(1000);
    let fired = false;
    clock.schedule(0, () => {
      fired = true;
    });
    for (let i = 0; i < 10; i++) await Promise.resolve();
    expect([clock.now(), fired]).toEqual([1000, false]);
    await clock.advance(0);
    expect([clock.now(), fired]).toEqual([1000, true]);
  });

  it('fires timers at their due time, in order, ties in order of scheduling', async () => {
    const clock = new VirtualClock(0);
    const fired: string[] = [];
    const at = (delay: number, name: string) =>
      clock.schedule(delay, () => fired.push(`${name}@${clock.now()}`));
    at(20, 'c');
    at(10, 'a');
    at(10, 'b');
    at(31, 'late');
    await clock.advance(30);
    expect(fired).toEqual(['a@10', 'b@10', 'c@20']);
    expect(clock.now()).toBe(30);
    expect([clock.pending, clock.nextDue]).toEqual([1, 31]);
  });

  it('fires timers that timers schedule within the same advance', async () => {
    const clock = new VirtualClock(0);
    const fired: number[] = [];
    const tick = () => {
      fired.push(clock.now());
      clock.schedule(10, tick);
    };
    clock.schedule(10, tick);
    await clock.advance(35);
    expect(fired).toEqual([10, 20, 30]);
  });

  it.each([6 * 3_600_000, -6 * 3_600_000])(
    'shows another time after a jump of %d ms, and fires its timers as if there had been none',
    async (jump) => {
      const clock = new VirtualClock(0);
      const fired: number[] = [];
      clock.schedule(10, () => fired.push(clock.now()));
      clock.schedule(20, () => {
        clock.jump(-jump);
        fired.push(clock.now());
      });
      clock.schedule(30, () => fired.push(clock.now()));
      clock.jump(jump);
      expect([clock.now(), clock.nextDue, clock.pending]).toEqual([jump, jump + 10, 3]);
      await clock.advance(40);
      expect(fired).toEqual([jump + 10, 20, 30]);
      expect(clock.now()).toBe(40);
    },
  );

  it('never fires a cancelled timer, even when another of the same instant cancels it', async () => {
    const clock = new VirtualClock(0);
    let fired = 0;
    const cancels = [1, 2].map(() =>
      clock.schedule(5, () => {
        fired++;
        for (const cancel of cancels) cancel();
      }),
    );
    await clock.advance(10);
    expect([fired, clock.pending]).toEqual([1, 0]);
  });

  it('lets long promise chains settle between timers', async () => {
    const clock = new VirtualClock(0);
    const order: string[] = [];
    clock.schedule(1, async () => {
      for (let i = 0; i < 5000; i++) await undefined;
      order.push('chain');
      clock.schedule(1, () => order.push('timer of the chain'));
    });
    clock.schedule(3, () => order.push('later timer'));
    await clock.advance(3);
    expect(order).toEqual(['chain', 'timer of the chain', 'later timer']);
  });

  it('lets bytes pass through web streams between timers', async () => {
    const clock = new VirtualClock(0);
    const { readable, writable } = new TransformStream<number, number>();
    const seen: number[] = [];
    const reading = readable
      .pipeThrough(new TransformStream<number, number>({ transform: (x, to) => to.enqueue(x * 2) }))
      .pipeTo(new WritableStream({ write: (x) => void seen.push(x) }));
    const writer = writable.getWriter();
    clock.schedule(10, () => void writer.write(21));
    clock.schedule(11, () => {
      expect(seen).toEqual([42]);
      void writer.close();
    });
    await clock.runUntil(reading);
    expect(clock.now()).toBe(11);
  });

  it('runs until a promise settles, and no further', async () => {
    const clock = new VirtualClock(0);
    const done = deferred<string>();
    clock.schedule(500, () => done.resolve('done'));
    clock.schedule(501, () => expect.unreachable());
    expect(await clock.runUntil(done.promise)).toBe('done');
    expect(clock.now()).toBe(500);
  });

  it('answers a rejection with the rejection', async () => {
    const clock = new VirtualClock(0);
    const failed = deferred();
    clock.schedule(5, () => failed.reject(new Error('refused')));
    await expect(clock.runUntil(failed.promise)).rejects.toThrow('refused');
  });

  it('says so when nothing can settle the promise', async () => {
    const clock = new VirtualClock(0);
    await expect(clock.runUntil(deferred().promise)).rejects.toMatchObject({ code: 'ERR_VIRTUAL_TIME_IDLE' });
  });

  it('bounds the virtual time of a wait', async () => {
    const clock = new VirtualClock(0);
    const ping = () => void clock.schedule(54_000, ping);
    ping();
    await expect(clock.runUntil(deferred().promise, 120_000)).rejects.toMatchObject({
      code: 'ERR_VIRTUAL_TIME_LIMIT',
    });
    await expect(clock.runUntilIdle(120_000)).rejects.toMatchObject({ code: 'ERR_VIRTUAL_TIME_LIMIT' });
    expect(clock.now()).toBe(4 * 54_000);
  });

  it('waits for a promise that another thread settles', async () => {
    const clock = new VirtualClock(0);
    const digest = await clock.runUntil(crypto.subtle.digest('SHA-256', new Uint8Array(10)));
    expect(digest.byteLength).toBe(32);
  });

  it('throws what a timer throws', async () => {
    const clock = new VirtualClock(0);
    clock.schedule(5, () => {
      throw new Error('broken');
    });
    await expect(clock.advance(10)).rejects.toThrow('broken');
    expect(clock.now()).toBe(5);
  });

  it('refuses a delay that is not a number', () => {
    expect(() => new VirtualClock().schedule(Number.NaN, () => {})).toThrow(RangeError);
  });
});
