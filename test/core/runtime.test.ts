import { afterEach, expect, test, vi } from 'vitest';
import { defaultPlatform, platformWith } from '../../src/core/runtime.ts';
import { VirtualClock } from '../../src/testing/index.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test('the clock never goes back, and goes on when the system clock was set back', () => {
  const time = vi.spyOn(Date, 'now').mockReturnValue(10_000);
  const { clock } = defaultPlatform();
  expect(clock.now()).toBe(10_000);
  time.mockReturnValue(4_000);
  expect(clock.now()).toBe(10_000);
  time.mockReturnValue(4_500);
  expect(clock.now()).toBe(10_500);
});

test('a delay of more than 24 days does not fire at once', () => {
  const timer = vi.spyOn(globalThis, 'setTimeout');
  defaultPlatform().clock.schedule(1e12, () => {})();
  defaultPlatform().clock.schedule(-5, () => {})();
  expect(timer.mock.calls.map(([, delay]) => delay)).toEqual([2 ** 31 - 1, 0]);
});

test('ids are lower-case UUIDs, also where the runtime makes none', () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  expect(defaultPlatform().random.uuid()).toMatch(uuid);
  vi.stubGlobal('crypto', { getRandomValues: (bytes: Uint8Array) => bytes.fill(0xff) });
  expect(defaultPlatform().random.uuid()).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
});

test('parts can be replaced one by one', () => {
  const clock = new VirtualClock();
  const platform = platformWith({ clock });
  expect(platform.clock.now()).toBe(clock.now());
  clock.jump(-3_600_000);
  expect(platform.clock.now()).toBe(clock.now() + 3_600_000);
  expect(platform.transport).toBe(defaultPlatform().transport);
});
