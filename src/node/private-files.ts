import { mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NodeError } from './error.ts';

/** Makes a directory that its owner alone can look into, or checks that it is one. @throws {NodeError} `ERR_IDENTITY_MODE` */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await assertPrivate(path, 'chmod 700');
}

/** @returns `undefined` when there is no such file @throws {NodeError} `ERR_IDENTITY_MODE` when others can read it */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    await assertPrivate(dirname(path), 'chmod 700');
    await assertPrivate(path, 'chmod 600');
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

/** Modes mean nothing on Windows, where the access list of the parent is inherited. */
async function assertPrivate(path: string, command: string): Promise<void> {
  const { mode } = await stat(path);
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  throw new NodeError(
    'ERR_IDENTITY_MODE',
    `${path} is open to other users (mode ${(mode & 0o777).toString(8)}), and whoever reads it can be this node. If nobody has, close it: ${command} ${JSON.stringify(path)}`,
  );
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
