import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A path in a folder that goes with the test. The folder `keys` is yet to be made. */
export async function keyFilePath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-keys-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'keys', 'keys.json');
}
