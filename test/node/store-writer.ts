/**
 * Writes to a durable store for as long as it lives, and says what was answered for: key and number of each change,
 * once its promise resolved. Arguments: directory, number of its life.
 */
import { durableStore } from 'hawser/node';
import type { Entry, RecordStore } from 'hawser/service';
import { isRemoval, type WrittenValue } from './store-writing.ts';

const [directory, life] = process.argv.slice(2);
const store = await durableStore(directory!);
const records = store.nodes as unknown as RecordStore<WrittenValue>;

/** Creates, updates and deletes one record, over and over. */
async function write(key: string, size: number): Promise<never> {
  let entry: Entry<WrittenValue> | undefined = await records.get(key);
  for (let count = (entry?.value.count ?? 0) + 1; ; count++) {
    const length = (size * count) % 20_000;
    const value = { count, length, text: 'x'.repeat(length) };
    if (entry && isRemoval(count)) {
      if (!(await records.delete(entry))) throw new Error(`${key} was not deleted.`);
      entry = undefined;
    } else {
      entry = entry ? await records.update(entry, value) : await records.create(key, value);
      if (!entry) throw new Error(`${key} was not written.`);
    }
    process.send!([key, count]);
  }
}

const first = Number(life) * 3; // some that were there before, some new
for (let i = 0; i < 8; i++) void write(`mi-${first + i}`, 37 * (i + 1));
process.on('disconnect', () => process.exit());
