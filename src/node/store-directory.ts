import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeError } from './error.ts';
import { isMissing, modeOpenToOthers, writePrivateFile } from './private-files.ts';

/** Of what the database holds. Another kind of records is not another format. */
const FORMAT = 1;
const FORMAT_FILE = 'format.json';
const DATABASE = 'records';

/**
 * The directory of a store, and that of the database in it. The format is in a file beside the database: whoever
 * cannot read the one does not open the other, and changes nothing.
 *
 * @returns `isNew` when there is nothing yet, or what a process left that was killed before {@link finishDirectory}
 * @throws {NodeError} `ERR_STORE_MODE`, `ERR_STORE_FORMAT`, `ERR_STORE_UNREADABLE`
 */
export async function openDirectory(path: string): Promise<OpenedDirectory> {
  return opened(path).catch((error) => {
    throw error instanceof NodeError
      ? error
      : unreadable(path, 'It cannot be made, or cannot be read.', error);
  });
}

interface OpenedDirectory {
  readonly isNew: boolean;
  readonly database: string;
}

async function opened(path: string): Promise<OpenedDirectory> {
  const database = join(path, DATABASE);
  await mkdir(path, { recursive: true, mode: 0o700 });
  const mode = await modeOpenToOthers(path);
  if (mode !== undefined) {
    throw new NodeError(
      'ERR_STORE_MODE',
      `${path} is open to other users (mode ${mode}), and the store holds the credentials of nodes. Close it: chmod 700 ${JSON.stringify(path)}`,
    );
  }
  const text = await readFile(join(path, FORMAT_FILE), 'utf8').catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (text === undefined) {
    const strange = (await readdir(path)).find((name) => name !== DATABASE && !name.startsWith(FORMAT_FILE));
    if (strange !== undefined) throw unreadable(path, `It holds something else: ${JSON.stringify(strange)}.`);
    await mkdir(database, { recursive: true, mode: 0o700 });
    return { isNew: true, database };
  }
  const format = formatOf(text);
  if (format === undefined) throw unreadable(path, `The file "${FORMAT_FILE}" is damaged.`);
  if (format === FORMAT) return { isNew: false, database };
  throw new NodeError(
    'ERR_STORE_FORMAT',
    `The store in ${path} has format ${format}, and this version of hawser reads format ${FORMAT}. Use the version that wrote it, or a later one.`,
  );
}

/** To be called once the database is there. */
export async function finishDirectory(path: string): Promise<void> {
  await writePrivateFile(join(path, FORMAT_FILE), JSON.stringify({ format: FORMAT }));
}

export function unreadable(path: string, why: string, cause?: unknown): NodeError {
  return new NodeError(
    'ERR_STORE_UNREADABLE',
    `${path} cannot be used as a store. ${why} Restore it from a copy, or choose another directory.`,
    { cause },
  );
}

function formatOf(text: string): number | undefined {
  try {
    const { format } = JSON.parse(text);
    return Number.isInteger(format) ? format : undefined;
  } catch {
    return undefined;
  }
}
