import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import type { NodeError } from './error.ts';
import { isMissing } from './private-files.ts';

/** Gives a lock back. */
export type Unlock = () => Promise<void>;

/**
 * Makes this process the only one that has a lock, which is a file. A lock whose process is gone counts for nothing. It
 * holds among the processes that see each other, not among containers that share a volume.
 *
 * @param locked what to throw when another process has it, if it is known which
 */
export async function takeLock(
  path: string,
  locked: (pid: number | undefined) => NodeError,
): Promise<Unlock> {
  const own = JSON.stringify({ pid: process.pid, incarnation: incarnation(process.pid) });
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, own, { mode: 0o600, flag: 'wx' });
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      // A link is made whole or not at all, so that nobody reads half a lock.
      const taken = await link(draft, path).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'EEXIST') return false;
          throw error;
        },
      );
      if (taken) return () => unlink(path).catch(() => {});
      const pid = await lockOwner(path);
      if (pid !== undefined) throw locked(pid);
      await removeStale(path);
    }
  } finally {
    await unlink(draft).catch(() => {});
  }
  throw locked(undefined);
}

/** The process that has a lock; `undefined` when none does. */
export async function lockOwner(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  return text === undefined ? undefined : holder(text);
}

const MAX_TRIES = 5;

function holder(lock: string): number | undefined {
  try {
    const { pid, incarnation: since } = JSON.parse(lock);
    return Number.isInteger(pid) && isAlive(pid) && incarnation(pid) === since ? pid : undefined;
  } catch {
    return undefined; // no lock of ours
  }
}

/** Moved before it is removed, since by now it may be the fresh lock of a process that was faster: that one is put back. */
async function removeStale(path: string): Promise<void> {
  const moved = `${path}.${randomUUID()}`;
  try {
    await rename(path, moved);
    if (holder(await readFile(moved, 'utf8')) !== undefined) await link(moved, path);
    await unlink(moved);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Tells a process from a later one of the same number, and from its own remains, where the system lets one know. */
function incarnation(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTime] = [fields[0], fields[19]];
    if (state === 'Z') return undefined; // it has ended; in containers there may be nobody to clear it away
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${startTime}`;
  } catch {
    return undefined;
  }
}
