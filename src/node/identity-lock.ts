import { join } from 'node:path';
import { NodeError } from './error.ts';
import { lockOwner, takeLock, type Unlock } from './lock-file.ts';

/** Makes this process the only one that uses a directory. @throws {NodeError} `ERR_IDENTITY_LOCKED` */
export async function lockDirectory(directory: string): Promise<Unlock> {
  return takeLock(join(directory, LOCK), (pid) => locked(directory, pid));
}

/** The process that uses a directory; `undefined` when none does. */
export async function lockHolder(directory: string): Promise<number | undefined> {
  return lockOwner(join(directory, LOCK));
}

const LOCK = 'lock';

function locked(directory: string, pid: number | undefined): NodeError {
  const who = pid === undefined ? 'Another process' : `The process ${pid}`;
  return new NodeError(
    'ERR_IDENTITY_LOCKED',
    `${who} uses ${directory}. Two agents cannot be the same node: stop that one first, or choose another directory.`,
  );
}
