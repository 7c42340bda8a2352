/**
 * Hostile input on the command line: `npm run -s fuzz -- --count N [--from S]`.
 *
 * N mutated frames go through the decoder and the payload parsers, N / 10 frames with valid digests and
 * hostile content through live data channels of both roles, and N / 10 pieces of hostile frames through smux sessions.
 * Only `MessageError` and `SmuxError` may come of it. Frames are made in blocks of a thousand, each from its own seed. The last line is `N frames, 0 failures`; a failure ends the run
 * with status 1 and says which block to play again.
 */
import { parseArgs } from 'node:util';
import { ChannelFuzzer } from './channel-fuzzer.ts';
import { CodecFuzzer } from './codec-fuzzer.ts';
import { SmuxFuzzer } from './smux-fuzzer.ts';

const BLOCK = 1000;
/** Bytes that the process may grow by: what is measured is a leak, not the work. */
const MEMORY_LIMIT = 512 * 1024 * 1024;
/** Milliseconds for a block that takes some. */
const TIME_LIMIT = 10_000;

const { values } = parseArgs({ options: { count: { type: 'string' }, from: { type: 'string' } } });
const count = wholeNumber('--count', values.count ?? '100000');
const from = wholeNumber('--from', values.from ?? '0');

const codec = new CodecFuzzer();
const channels = new ChannelFuzzer();
const smux = new SmuxFuzzer();
// Stack traces are most of the time of a refusal; a block that fails is played again with them.
const { stackTraceLimit } = Error;
Error.stackTraceLimit = 0;
const memoryAtStart = process.memoryUsage.rss();
const start = performance.now();
let failures = 0;
for (let frame = from; frame < from + count && failures === 0; frame += BLOCK) {
  const size = Math.min(BLOCK, from + count - frame);
  const blockStart = performance.now();
  try {
    play(frame, size);
    if (performance.now() - blockStart > TIME_LIMIT) throw new Error(`a block took over ${TIME_LIMIT} ms`);
    const grown = process.memoryUsage.rss() - memoryAtStart;
    if (grown > MEMORY_LIMIT) throw new Error(`the process grew by ${grown} bytes`);
  } catch (error) {
    failures++;
    console.log(traced(frame, size) ?? error);
    console.log(`again: npm run -s fuzz -- --count ${BLOCK} --from ${frame}`);
  }
}
const seconds = (performance.now() - start) / 1000;
console.log(
  `${codec.read} of them were readable, and ${channels.frames} more went through live channels, ${smux.frames} through smux sessions, in ${seconds.toFixed(1)} s`,
);
console.log(`${count} frames, ${failures} failures`);
process.exitCode = failures > 0 ? 1 : 0;

function play(first: number, size: number): void {
  codec.run(first, size);
  channels.run(first, Math.ceil(size / 10));
  smux.run(first, Math.ceil(size / 10));
}

function traced(first: number, size: number): unknown {
  Error.stackTraceLimit = stackTraceLimit;
  try {
    play(first, size);
  } catch (error) {
    return error;
  }
  return undefined;
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`${option} must be a whole number, got ${text}`);
  process.exit(2);
}
