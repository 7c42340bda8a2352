/**
 * The simulation on the command line: `npm run -s sim -- [--service | --restarts | --policy] --seeds N [--from S]`.
 *
 * Plays the scenarios of the seeds S to S + N - 1, each twice over now and then to see that it repeats itself: of two
 * channels and a network between them, or with `--service` of whole sessions through the service, which `--restarts` kills
 * and starts again meanwhile. With `--policy` each seed is a set of policies and four requests, which two evaluators decide.
 * The last line is `N seeds, 0 failures`; a failing seed ends the run with status 1 and says how to play it again.
 */
import { parseArgs } from 'node:util';
import { playPolicies } from './policy/compare.ts';
import { simulateSeed } from './seed.ts';
import { course, restartCourse } from './service/course.ts';
import { simulateService } from './service/simulation.ts';

const REPEAT_EVERY = 50;
const MAX_FAILURES = 100;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string' },
    service: { type: 'boolean' },
    restarts: { type: 'boolean' },
    policy: { type: 'boolean' },
  },
});
const seeds = wholeNumber('--seeds', values.seeds ?? '1000');
const from = wholeNumber('--from', values.from ?? '0');
const play: (seed: number) => Played | Promise<Played> = values.policy
  ? playPolicies
  : values.service
    ? (seed) => simulateService(course(seed))
    : values.restarts
      ? (seed) => simulateService(restartCourse(seed))
      : simulateSeed;
const mode = (['policy', 'service', 'restarts'] as const).find((name) => values[name]);
const option = mode ? `--${mode} ` : '';

const start = performance.now();
let frames = 0;
let retransmissions = 0;
let failures = 0;
let stalls = 0;
for (let seed = from; seed < from + seeds; seed++) {
  try {
    const outcome = await play(seed);
    frames += outcome.frames;
    retransmissions += outcome.retransmissions ?? 0;
    if (outcome.stalled) stalls++;
    if (seed % REPEAT_EVERY === 0 && (await play(seed)).trace !== outcome.trace) {
      throw new Error(`seed ${seed} played twice is not the same twice`);
    }
  } catch (error) {
    failures++;
    console.log(error instanceof Error ? error.message : error);
    console.log(`  again: npm run -s sim -- ${option}--seeds 1 --from ${seed}`);
    if (failures >= MAX_FAILURES) break;
  }
}
const seconds = (performance.now() - start) / 1000;
const resent = option !== '' ? '' : `, ${retransmissions} of them retransmissions`;
if (stalls > 0)
  console.log(
    `${stalls} sessions of the real programs stalled where nobody can help (sim/service/checks.ts)`,
  );
console.log(`${frames} ${values.policy ? 'allowed' : 'frames'}${resent}, in ${seconds.toFixed(1)} s`);
console.log(`${seeds} seeds, ${failures} failures`);
process.exitCode = failures > 0 ? 1 : 0;

interface Played {
  readonly trace: number;
  readonly frames: number;
  readonly retransmissions?: number;
  readonly stalled?: boolean;
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`${option} must be a whole number, got ${text}`);
  process.exit(2);
}
