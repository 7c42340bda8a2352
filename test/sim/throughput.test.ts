import { describe, expect, it } from 'vitest';
import { stream } from '../../sim/throughput.ts';
import { MessageType } from '../../src/channel/constants.ts';
import { peekMessageType } from '../../src/channel/decode.ts';
import { FRAME_OVERHEAD } from '../../src/channel/message.ts';

const link = { roundTrip: 50, loss: 0, window: 65_536, payloadSize: 1024 };

/** Messages that fill the window. */
const WINDOW = Math.ceil(link.window / (FRAME_OVERHEAD + link.payloadSize));

/** Loses the first `count` acknowledges. */
function firstAcknowledges(count: number): (from: string, frame: Uint8Array) => boolean {
  let left = count;
  return (_from, frame) => peekMessageType(frame) === MessageType.Acknowledge && left-- > 0;
}

describe('throughput', () => {
  it('is all that the window allows where nothing is lost', () => {
    const { rate, allowed, retransmissions } = stream({ ...link, bytes: 300 * link.window });
    expect(rate / allowed).toBeGreaterThan(0.97);
    expect(rate / allowed).toBeLessThanOrEqual(1);
    expect(retransmissions).toBe(0);
  });

  it.each([1, 2, 3])('is at least nine tenths of that at 1 percent loss (seed %i)', (seed) => {
    const { rate, allowed } = stream({ ...link, loss: 0.01, bytes: 300 * link.window, seed });
    expect(rate / allowed).toBeGreaterThan(0.9);
  });

  it('does not stall when the first acknowledge is lost', () => {
    const bytes = 50 * link.window;
    const untroubled = stream({ ...link, bytes });
    const troubled = stream({ ...link, bytes, lose: firstAcknowledges(1) });
    expect(troubled.time).toBeLessThan(untroubled.time + 2 * link.roundTrip);
    expect(troubled.retransmissions).toBe(1);
  });

  it('does not stall when the acknowledges of a whole window are lost', () => {
    const bytes = 50 * link.window;
    const untroubled = stream({ ...link, bytes });
    const troubled = stream({ ...link, bytes, lose: firstAcknowledges(WINDOW) });
    expect(troubled.time).toBeLessThan(untroubled.time + 500);
  });
});

describe('a plugin, which acknowledges nothing twice,', () => {
  it('gets the rest when one of its acknowledges was lost', () => {
    const bytes = 50 * link.window;
    const { rate, allowed } = stream({ ...link, bytes, client: 'plugin', lose: firstAcknowledges(1) });
    expect(rate / allowed).toBeGreaterThan(0.9);
  });

  it('gets the rest when the acknowledges of a whole window were lost', () => {
    const bytes = 50 * link.window;
    const { rate, allowed } = stream({ ...link, bytes, client: 'plugin', lose: firstAcknowledges(WINDOW) });
    expect(rate / allowed).toBeGreaterThan(0.5);
  });

  // Fails until the span limit of SendStream spares messages that are never acknowledged.
  it('still gets everything tens of thousands of messages after the loss', () => {
    const few = { ...link, payloadSize: 16, window: 65_536, bytes: 20_000 * 16, client: 'plugin' as const };
    const { rate, allowed } = stream({ ...few, lose: firstAcknowledges(1) });
    expect(rate / allowed).toBeGreaterThan(0.8);
  });
});
