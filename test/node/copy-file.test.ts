import { createHash, randomFillSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyFileFrom, copyFileTo } from 'hawser/node';
import { expect, onTestFinished, test } from 'vitest';
import { commandNode, INSTANCE_ID } from './world.ts';

async function setUp() {
  const { client } = await commandNode();
  const folder = mkdtempSync(join(tmpdir(), 'hawser-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return { client, here: join(folder, 'here'), there: join(folder, 'there'), folder };
}

test('a file goes to the node with its mode, and comes back', async () => {
  const { client, here, there, folder } = await setUp();
  const bytes = randomFillSync(Buffer.alloc(100_000));
  writeFileSync(here, bytes, { mode: 0o751 });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  expect(await copyFileTo(client, INSTANCE_ID, here, there)).toEqual({ bytes: 100_000, sha256, offset: 0 });
  expect(statSync(there).mode & 0o777).toBe(statSync(here).mode & 0o777);

  rmSync(here);
  expect(await copyFileFrom(client, INSTANCE_ID, there, here, { mode: 0o600 })).toEqual({
    bytes: 100_000,
    offset: 0,
  });
  expect(readFileSync(here).equals(bytes)).toBe(true);
  expect(statSync(here).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).sort()).toEqual(['here', 'there']);
});

test('a download that was cut off goes on where it stopped', async () => {
  const { client, here, there, folder } = await setUp();
  const bytes = randomFillSync(Buffer.alloc(2_000_000));
  writeFileSync(there, bytes);
  writeFileSync(here, 'the old one');
  const cut = new AbortController();
  const onProgress = () => cut.abort(new Error('cut off'));
  await expect(
    copyFileFrom(client, INSTANCE_ID, there, here, { signal: cut.signal, onProgress }),
  ).rejects.toThrow('cut off');
  expect(readFileSync(here, 'utf8')).toBe('the old one');
  const part = statSync(`${here}.part`).size;

  expect(await copyFileFrom(client, INSTANCE_ID, there, here)).toEqual({ bytes: 2_000_000, offset: part });
  expect(readFileSync(here).equals(bytes)).toBe(true);
  expect(readdirSync(folder).sort()).toEqual(['here', 'there']);
});

test('says what cannot be read or written here', async () => {
  const { client, folder, there } = await setUp();
  writeFileSync(there, 'x');
  await expect(copyFileTo(client, INSTANCE_ID, join(folder, 'no'), there)).rejects.toMatchObject({
    code: 'ENOENT',
  });
  const lost = join(folder, 'no', 'file');
  await expect(copyFileFrom(client, INSTANCE_ID, there, lost)).rejects.toMatchObject({ code: 'ENOENT' });
});
