import type { Clock } from '../base/clock.ts';
import type { RandomSource } from '../base/random.ts';
import { platformWith, systemClock } from '../core/runtime.ts';
import type { PayloadDigest } from '../crypto/digest.ts';
import type { Bus } from './bus.ts';
import type { ServiceEvent } from './event.ts';
import { memoryBus } from './memory-bus.ts';
import { memoryStore } from './memory-store.ts';
import {
  DEFAULT_LIMITS,
  DEFAULT_TIMERS,
  type ServiceLimits,
  type ServiceTimers,
  type SessionManagerServiceOptions,
} from './options.ts';
import type { Store } from './store.ts';

/** What every part of the service shares. */
export interface ServiceContext {
  readonly region: string;
  readonly accountId: string;
  /** Never goes back: for everything that takes its time. */
  readonly clock: Clock;
  /** What callers and other relays have, too: for dates that come from them, or that they act on. */
  readonly wallClock: Pick<Clock, 'now'>;
  readonly random: RandomSource;
  readonly digest: PayloadDigest;
  readonly store: Store;
  readonly bus: Bus;
  readonly limits: ServiceLimits;
  readonly timers: ServiceTimers;
  /** Tells the host; never throws. */
  emit(event: ServiceEvent): void;
  /** Tells the host of an error that nobody else will hear of. */
  report(error: unknown): void;
}

export function serviceContext(options: SessionManagerServiceOptions): ServiceContext {
  const { clock, random, digest } = platformWith(options.platform);
  const emit = (event: ServiceEvent) => {
    try {
      options.onEvent?.(event);
    } catch {
      // A host that cannot listen must not stop a session; there is nobody left to tell.
    }
  };
  return {
    region: options.region,
    accountId: options.accountId,
    clock,
    wallClock: options.platform?.clock ?? systemClock,
    random,
    digest,
    store: options.store ?? memoryStore(),
    bus: options.bus ?? memoryBus(),
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    timers: { ...DEFAULT_TIMERS, ...options.timers },
    emit,
    report: (error) => emit({ type: 'error', time: clock.now(), error }),
  };
}
