import type { Clock } from '../../src/base/clock.ts';
import type { Dice } from '../dice.ts';

/**
 * The retries of both real programs for their data channels (PROTOCOL.md section 5): at once, then after 100 to 200 ms,
 * twice as long each time, five times.
 *
 * @param attempt answers `done`, or `again` after a failure
 * @returns whether one of them was done
 */
export async function retried(
  clock: Clock,
  dice: Dice,
  attempt: () => Promise<'done' | 'again' | 'never'>,
): Promise<boolean> {
  let delay = dice.whole(100, 200);
  for (let retries = 0; ; retries++) {
    const result = await attempt();
    if (result !== 'again') return result === 'done';
    if (retries === MAX_RETRIES) return false;
    await wait(clock, delay);
    delay *= 2;
  }
}

export function wait(clock: Clock, delay: number): Promise<void> {
  return new Promise((resolve) => clock.schedule(delay, resolve));
}

const MAX_RETRIES = 5;
