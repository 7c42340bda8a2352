import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import type { SessionClient } from '../core/client.ts';
import { CopyError } from '../core/copy-error.ts';
import type { CopiedPart, CopyFromOptions } from '../core/copy-from.ts';
import type { CopiedFile, CopyToOptions } from '../core/copy-to.ts';

export interface CopyFileFromOptions extends Omit<CopyFromOptions, 'resume'> {
  /** Permission bits of the file here, under the umask. Default 0o666. */
  readonly mode?: number | undefined;
}

/**
 * Copies a file of a managed node to one here. It comes as `<localPath>.part` and gets its name, over a file that is
 * there, when it is whole. After a failure the part stays, and another call goes on after it.
 *
 * @returns bytes of the file, and how many of them were here already
 * @throws {CopyError} when the node cannot give it
 * @throws the system's error when it cannot be written here
 */
export async function copyFileFrom(
  client: SessionClient,
  target: string,
  remotePath: string,
  localPath: string,
  options: CopyFileFromOptions = {},
): Promise<Pick<CopiedFile, 'bytes' | 'offset'>> {
  const { mode, ...others } = options;
  const part = `${localPath}.part`;
  const { size, offset, stream } = await client.copyFrom(target, remotePath, {
    ...others,
    resume: await partAt(part),
  });
  try {
    const file = await open(part, offset > 0 ? 'a' : 'w', mode);
    try {
      for await (const bytes of stream) await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await stream.cancel().catch(() => {});
    if (error instanceof CopyError && error.code === 'ERR_COPY_DIGEST') await rm(part, { force: true });
    throw error;
  }
  await rename(part, localPath);
  return { bytes: size, offset };
}

/**
 * Copies a file here to a managed node, with its permission bits unless `mode` says otherwise; see
 * `SessionClient.copyTo`.
 *
 * @throws {CopyError} when the node cannot take it
 * @throws the system's error when it cannot be read here
 */
export async function copyFileTo(
  client: SessionClient,
  target: string,
  localPath: string,
  remotePath: string,
  options: CopyToOptions = {},
): Promise<CopiedFile> {
  const { size, mode } = await stat(localPath);
  return client.copyTo(target, remotePath, () => createReadStream(localPath), {
    mode: mode & 0o777,
    ...options,
    size,
  });
}

/** What an earlier try has left. */
async function partAt(path: string): Promise<CopiedPart | undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return bytes > 0 ? { bytes, sha256: hash.digest('hex') } : undefined;
}
