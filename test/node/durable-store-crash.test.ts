/** Processes that are killed while they write: what they were answered for is there, and nothing else. */
import { join } from 'node:path';
import { durableStore } from 'hawser/node';
import type { RecordStore } from 'hawser/service';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/testing/index.ts';
import { killed, program } from '../support/child.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { isRemoval, type WrittenValue } from './store-writing.ts';

const writer = await program('test/node/store-writer.ts');
const LIVES = 12;

test('every change that was answered for survives kill -9, and none is half there', async () => {
  const directory = join(await temporaryDirectory(), 'store');
  const random = seededRandom(6);
  let changes = 0;
  let before = new Map<string, WrittenValue>();
  for (let life = 0; life < LIVES; life++) {
    const child = writer.start(directory, String(life));
    const enough = 1 + Math.floor(random.random() * 400);
    /** The number of the last change that was answered for, by record. */
    const said = new Map<string, number>([...before].map(([key, { count }]) => [key, count]));
    await new Promise<void>((resolve, reject) => {
      let heard = 0;
      child.on('message', ([key, count]: [string, number]) => {
        said.set(key, count);
        changes++;
        if (++heard === enough) resolve();
      });
      child.once('exit', (status) => reject(new Error(`The writer ended by itself: ${status}.`)));
    });
    await killed(child);

    const store = await durableStore(directory);
    const records = store.nodes as unknown as RecordStore<WrittenValue>;
    const found = new Map((await records.list()).map(({ key, value }) => [key, value]));
    await store.close();
    for (const key of new Set([...said.keys(), ...found.keys()])) {
      const last = said.get(key) ?? 0;
      // The one after it may have been written, though nobody lived to say so.
      expect([stateAfter(last), stateAfter(last + 1)], `${key} in life ${life}`).toContain(
        stateOf(found.get(key)),
      );
    }
    before = found;
  }
  expect(changes).toBeGreaterThan(LIVES * 50);
}, 120_000);

function stateAfter(count: number): string {
  return count === 0 || isRemoval(count) ? 'gone' : `whole ${count}`;
}

function stateOf(value: WrittenValue | undefined): string {
  if (!value) return 'gone';
  return `${value.text === 'x'.repeat(value.length) ? 'whole' : 'half'} ${value.count}`;
}
