import { dirname, resolve } from 'node:path';
import { base64, fromBase64 } from '../base/encoding.ts';
import type { LocalKeyRecord, LocalKeyStore } from '../kms/index.ts';
import { NodeError } from './error.ts';
import { takeLock } from './lock-file.ts';
import { ensurePrivateDirectory, readPrivateFile, type Secret, writePrivateFile } from './private-files.ts';

/**
 * Keeps the keys of a {@link LocalKeyService} in a file that its owner alone can read. Several processes can use it at
 * once: each call reads it, and a change replaces it in one step. It is made, with its directory, by the first key.
 *
 *     const keys = new LocalKeyService({ region, accountId, store: localKeyFile('/var/lib/gateway/keys.json') });
 *
 * Whoever has a copy of the file can decrypt whatever was encrypted with its keys; whoever has lost it cannot.
 *
 * Calls throw a {@link NodeError}, through a {@link KeyService} as the cause of `ERR_KEY_SERVICE`: `ERR_KEY_FILE_MODE`
 * when other users can read the file, or write its directory; `ERR_KEY_FILE_UNREADABLE` for a file that holds something
 * else, which is never overwritten; `ERR_KEY_FILE_LOCKED` while another process changes it; `ERR_KEY_FILE_POLICY` for a
 * key whose policy is a function.
 */
export function localKeyFile(path: string): LocalKeyStore {
  const file = resolve(path);
  let changes: Promise<unknown> = Promise.resolve();

  const changeNow: LocalKeyStore['change'] = async (change) => {
    await ensurePrivateDirectory(dirname(file), SECRET);
    const unlock = await takeLock(`${file}.lock`, (pid) => locked(file, pid));
    try {
      await writePrivateFile(file, serialize(change(await read(file))));
    } finally {
      await unlock();
    }
  };

  return {
    list: () => read(file),
    change(change) {
      const changed = changes.then(() => changeNow(change));
      changes = changed.catch(() => {});
      return changed;
    },
  };
}

/** Another user who may write the directory could put a file of theirs in the place of this one. */
const SECRET: Secret = {
  code: 'ERR_KEY_FILE_MODE',
  danger: 'whoever reads the keys in it can decrypt what was encrypted with them',
  directoryMask: 0o022,
};

const VERSION = 1;

async function read(file: string): Promise<readonly LocalKeyRecord[]> {
  const text = await readPrivateFile(file, SECRET);
  if (text === undefined) return [];
  const keys = parse(text);
  if (keys) return keys;
  throw new NodeError(
    'ERR_KEY_FILE_UNREADABLE',
    `${file} cannot be read as a file of keys, and is left as it is. Restore it from a copy, or move it away to begin with new keys.`,
  );
}

function serialize(keys: readonly LocalKeyRecord[]): string {
  const members = keys.map(({ id, aliases, description, enabled, created, material, policy }) => {
    if (typeof policy === 'function') throw noPolicy();
    return { id, aliases, description, enabled, created, policy, material: base64(material) };
  });
  return `${JSON.stringify({ version: VERSION, keys: members }, undefined, 2)}\n`;
}

/** `undefined` for what it cannot be. No error of a parser is kept: they quote what they read. */
function parse(text: string): readonly LocalKeyRecord[] | undefined {
  try {
    const { version, keys } = JSON.parse(text);
    if (version !== VERSION || !Array.isArray(keys)) return undefined;
    const records = keys.map(parseKey);
    return records.every((record) => record !== undefined) ? records : undefined;
  } catch {
    return undefined;
  }
}

function parseKey(key: Readonly<Record<string, unknown>>): LocalKeyRecord | undefined {
  const { id, aliases, description, enabled, created, policy, material: text, ...others } = key;
  const material = typeof text === 'string' ? fromBase64(text) : undefined;
  const isKey =
    typeof id === 'string' &&
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) &&
    Array.isArray(aliases) &&
    aliases.every((alias) => typeof alias === 'string') &&
    typeof description === 'string' &&
    typeof enabled === 'boolean' &&
    typeof created === 'number' &&
    (policy === undefined || typeof policy === 'string') &&
    material?.length === 32 &&
    // A member that is not known may be a limit to what the key is for.
    Object.keys(others).length === 0;
  if (!isKey) return undefined;
  return { id, aliases, description, enabled, created, material, ...(policy !== undefined && { policy }) };
}

function locked(file: string, pid: number | undefined): NodeError {
  const who = pid === undefined ? 'Another process' : `The process ${pid}`;
  return new NodeError('ERR_KEY_FILE_LOCKED', `${who} is changing ${file}. Try again when it is done.`);
}

function noPolicy(): NodeError {
  return new NodeError(
    'ERR_KEY_FILE_POLICY',
    'A key policy that is a function cannot be kept in a file, and without it the key would be open to its whole account. Give the key a policy document.',
  );
}
