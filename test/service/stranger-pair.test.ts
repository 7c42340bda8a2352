import { describe, expect, test } from 'vitest';
import { lines, type Middle, StrangerPair, throughNaiveRelay, throughService } from './stranger-pair.ts';

/** Lines that a session prints in a second and a half. */
const PRINTED = 400;

/** A shell whose client prints `PRINTED` lines and loses its connection `cuts` times in the middle of them. */
async function session(middle: Middle, cuts: number): Promise<StrangerPair> {
  const pair = new StrangerPair(middle);
  await pair.connectAgent();
  await pair.connectClient();
  await middle.clock.advance(2_000);
  let line = 0;
  for (let cut = 0; cut < cuts; cut++) {
    const until = line + Math.floor(PRINTED / (cuts + 1));
    await pair.print(line, until);
    line = until;
    await middle.cutClient();
    await pair.print(line, line + 5);
    line += 5;
    await pair.connectClient();
  }
  await pair.print(line, PRINTED);
  await middle.clock.advance(120_000);
  return pair;
}

describe('plugin and agent at their worst', () => {
  test('quirk 1.3: acknowledges that a cut swallowed stall the pair on a naive relay for good', async () => {
    const { shown } = await session(throughNaiveRelay(), 1);
    expect(lines(PRINTED).startsWith(shown)).toBe(true);
    expect(shown.length).toBeLessThan(lines(PRINTED).length);
  });

  test.each([1, 3])('quirk 1.3: and do not on this service, however often it is cut: %d', async (cuts) => {
    expect((await session(await throughService(), cuts)).shown).toBe(lines(PRINTED));
  });

  test('quirk 1.4: an acknowledge that the agent overlooked leaves its list at the first duplicate', async () => {
    const naive = await session(throughNaiveRelay(), 0);
    expect(naive.agent.acknowledged).toBe(false);
    const ours = await session(await throughService(), 0);
    expect(ours.agent.acknowledged).toBe(true);
    for (const { shown } of [naive, ours]) expect(shown).toBe(lines(PRINTED));
  });

  test('quirk 6: what the client typed goes through as well, also in the first second', async () => {
    const middle = await throughService();
    const pair = new StrangerPair(middle);
    await pair.connectAgent();
    await pair.connectClient();
    await pair.print(0, 1);
    await middle.clock.advance(100);
    pair.plugin.send(new TextEncoder().encode('ls\n'));
    await middle.clock.advance(3_000);
    pair.plugin.send(new TextEncoder().encode('exit\n'));
    await middle.cutClient();
    await pair.connectClient();
    await middle.clock.advance(3_000);
    expect(pair.typed).toBe('ls\nexit\n');
    expect(pair.plugin.acknowledged).toBe(true);
  });
});
