import { mkdir, open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NodeError, type NodeErrorCode } from './error.ts';

/** What a file holds that its owner alone may read. */
export interface Secret {
  /** Of the error when others can. */
  readonly code: NodeErrorCode;
  /** What they can do then, for its text: "whoever reads it can …". */
  readonly danger: string;
  /** The part of the mode of its directory that must not be set. */
  readonly directoryMask: number;
}

/** Makes a directory that its owner alone can look into, or checks the one that is there. @throws {NodeError} */
export async function ensurePrivateDirectory(path: string, secret: Secret): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await assertPrivate(path, secret, secret.directoryMask, 'chmod 700');
}

/** @returns `undefined` when there is no such file @throws {NodeError} when it is open to others */
export async function readPrivateFile(path: string, secret: Secret): Promise<string | undefined> {
  try {
    await assertPrivate(dirname(path), secret, secret.directoryMask, 'chmod 700');
    await assertPrivate(path, secret, 0o077, 'chmod 600');
    // Where a link leads, others could put a file of theirs as well.
    const place = dirname(await realpath(path));
    await assertPrivate(place, secret, secret.directoryMask & 0o022, 'chmod go-w');
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Replaces a file in one step: whenever the machine stops, there is the old one or the new one. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  await unlink(draft).catch(() => {}); // of a process that was stopped here
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  await syncDirectory(dirname(path));
}

/** The name is on the disk as well. Windows opens no directories, and needs none of this. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function assertPrivate(
  path: string,
  { code, danger }: Secret,
  mask: number,
  command: string,
): Promise<void> {
  const mode = await modeOpenToOthers(path, mask);
  if (mode === undefined) return;
  throw new NodeError(
    code,
    `${path} is open to other users (mode ${mode}), and ${danger}. If nobody has, close it: ${command} ${JSON.stringify(path)}`,
  );
}

/**
 * The mode of a file that is not its owner's alone, for people; `undefined` for one that is. Modes mean nothing on
 * Windows, where the access list of the parent is inherited.
 *
 * @param mask the part of the mode that must not be set
 */
export async function modeOpenToOthers(path: string, mask = 0o077): Promise<string | undefined> {
  const { mode } = await stat(path);
  if (process.platform === 'win32' || (mode & mask) === 0) return undefined;
  return (mode & 0o777).toString(8);
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
