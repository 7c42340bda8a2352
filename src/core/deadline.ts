import type { Clock } from '../base/clock.ts';

/**
 * Runs `work` until it is done, `signal` fires or `ms` milliseconds are over, whichever is first, and does not
 * wait for work that ignores the signal it is given. Such work has to clean up after itself.
 *
 * @throws the reason of `signal`, what `timedOut` makes, or what `work` throws
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal | undefined,
  timedOut: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', abort);
  const cancelTimer = clock.schedule(ms, () => controller.abort(timedOut()));
  try {
    return await orAborted(work(controller.signal), controller.signal);
  } finally {
    cancelTimer();
    signal?.removeEventListener('abort', abort);
  }
}

/** `work`, unless the signal comes first: then its reason. The work goes on, and its outcome is ignored. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Resolves after `ms` milliseconds. @throws the reason of `signal` */
export async function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  let cancelTimer = () => {};
  const over = new Promise<void>((resolve) => {
    cancelTimer = clock.schedule(ms, resolve);
  });
  try {
    await orAborted(over, signal);
  } finally {
    cancelTimer();
  }
}
