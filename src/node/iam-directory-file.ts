import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type IamDirectory, iamDirectory } from '../service/index.ts';
import { NodeError } from './error.ts';
import { readPrivateFile, type Secret } from './private-files.ts';

export interface IamDirectoryFileOptions {
  /** That of the service, as `accountId`. */
  readonly region: string;
  /** 12 digits. */
  readonly accountId: string;
  /** Milliseconds between two looks at the file. Default 1000. */
  readonly interval?: number;
  /** Another version is in force. */
  readonly onReload?: () => void;
  /**
   * A version could not be used, or the file not be read: the last good one stays in force. Told once for each version.
   * Default: a warning of the process.
   */
  readonly onError?: (error: Error) => void;
}

/** A directory that a file holds. Give it to the service whole, as an {@link IamDirectory}. */
export interface IamDirectoryFile extends Omit<IamDirectory, 'replace'> {
  /**
   * Reads the file now.
   *
   * @throws what {@link iamDirectoryFile} throws; then the last good version stays in force
   */
  readonly reload: () => Promise<void>;
  /** Looks at the file no more. What was in force stays so. */
  readonly close: () => void;
}

/**
 * Principals and policies from a JSON file (`IamDocument`), which is read again when it has changed. A version is in
 * force as a whole, or not at all.
 *
 *     const iam = await iamDirectoryFile('/etc/gateway/iam.json', { region, accountId });
 *     const service = new SessionManagerService({ region, accountId, ...iam, endRevokedSessions: true });
 *
 * @throws {NodeError} `ERR_IAM_FILE_MODE` when other users can read the file, or write its directory; `ERR_IAM_FILE_MISSING`
 * @throws {IamDirectoryError} for a file that cannot be used
 */
export async function iamDirectoryFile(
  path: string,
  { region, accountId, interval = 1000, onReload, onError = warn }: IamDirectoryFileOptions,
): Promise<IamDirectoryFile> {
  const file = resolve(path);
  let seen: string | undefined = await versionOf(file);
  const directory = iamDirectory(await read(file), { region, accountId });
  let told = '';
  let turn: Promise<unknown> = Promise.resolve();
  let looking = false;
  let closed = false;

  const load = async () => {
    // Before reading: what changes while it is read is another version.
    seen = await versionOf(file);
    const text = await read(file).catch((error: unknown) => {
      // What is in the way of reading it, as a mode of its directory, goes away without another version.
      seen = undefined;
      throw error;
    });
    if (closed) return;
    directory.replace(text);
    told = '';
    onReload?.();
  };
  // One at a time: what was read last must be put in force last.
  const reload = () => {
    const loaded = turn.then(load);
    turn = loaded.catch(() => {});
    return loaded;
  };
  const tell = (error: Error, version: string) => {
    const telling = `${version} ${error.message}`;
    if (telling === told) return;
    told = telling;
    try {
      onError(error);
    } catch {
      // A host that cannot listen must not end the looking, nor the process.
    }
  };
  const look = async () => {
    if (looking) return;
    looking = true;
    const version = await versionOf(file);
    try {
      if (version !== seen) await reload();
    } catch (error) {
      tell(error as Error, version);
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(look, interval);
  timer.unref();
  const { replace: _, ...rest } = directory;
  const close = () => {
    closed = true;
    clearInterval(timer);
  };
  return { ...rest, reload, close };
}

/** Another user who may write the directory could put a file of theirs in the place of this one. */
const SECRET: Secret = {
  code: 'ERR_IAM_FILE_MODE',
  danger: 'whoever reads the keys in it can act as everybody who has one',
  directoryMask: 0o022,
};

async function read(file: string): Promise<string> {
  const text = await readPrivateFile(file, SECRET);
  if (text !== undefined) return text;
  throw new NodeError('ERR_IAM_FILE_MISSING', `There is no file ${file}. It holds who may do what.`);
}

/** Differs when the file has been written or replaced; what it is while there is none. */
async function versionOf(file: string): Promise<string> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return found ? [found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ') : 'none';
}

function warn(error: Error): void {
  process.emitWarning(`${error.message} The version before stays in force.`, { code: 'ERR_IAM_DIRECTORY' });
}
