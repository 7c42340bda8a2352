import { expect, it } from 'vitest';
import { ChannelFuzzer } from '../../sim/channel-fuzzer.ts';
import { CodecFuzzer, onlyMessageErrors, parse } from '../../sim/codec-fuzzer.ts';
import { samplePayloads } from '../../sim/corpus.ts';
import { hostileVariants } from '../../sim/mutation.ts';
import { SmuxFuzzer } from '../../sim/smux-fuzzer.ts';

// `npm run -s fuzz -- --count 10000000` is the long run.

it('answers mutated frames with nothing but MessageError', () => {
  const fuzzer = new CodecFuzzer();
  fuzzer.run(1, 50_000);
  expect(fuzzer.read).toBeGreaterThan(1_000);
});

// Fails until parseHandshakeResponse reads Errors without calling String on objects.
it('answers a hostile value at every place of every payload with nothing but MessageError', () => {
  for (const { messageType, payloadType = 0, payload } of samplePayloads()) {
    for (const variant of hostileVariants(payload)) {
      onlyMessageErrors(() => parse({ messageType, payloadType, payload: variant }));
    }
  }
});

it('keeps a live channel standing and bounded under hostile frames with valid digests', () => {
  const fuzzer = new ChannelFuzzer();
  for (let seed = 0; seed < 100; seed++) fuzzer.run(seed, 100);
  fuzzer.run(100, 20_000);
  expect(fuzzer.frames).toBeGreaterThan(3_000);
});

it('keeps a smux session standing and bounded under hostile frames of both versions', () => {
  const fuzzer = new SmuxFuzzer();
  for (let seed = 0; seed < 100; seed++) fuzzer.run(seed, 100);
  fuzzer.run(100, 5_000);
  expect(fuzzer.frames).toBeGreaterThan(8_000);
  expect(fuzzer.failed).toBeGreaterThan(5);
});
