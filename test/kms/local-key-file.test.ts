import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LocalKeyService } from 'hawser/kms';
import { localKeyFile } from 'hawser/node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keyFilePath } from './file.ts';
import { CONTEXT, jane, keyPolicy, localKeys, stranger } from './world.ts';

const open = (path: string): LocalKeyService => localKeys({ store: localKeyFile(path) });

async function mode(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

describe('a file of keys', () => {
  test('is nobody else’s to read, and nothing stays beside it', async () => {
    const path = await keyFilePath();
    const keys = open(path);
    expect(await keys.listKeys()).toEqual([]);
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
    await keys.createKey();
    await keys.createKey();
    expect([await mode(dirname(path)), await mode(path)]).toEqual(['700', '600']);
    expect(await readdir(dirname(path))).toEqual(['keys.json']);
  });

  test('gives the same keys after a restart', async () => {
    const path = await keyFilePath();
    const before = open(path);
    const key = await before.createKey({ aliases: ['alias/sessions'], description: 'of sessions' });
    const other = await before.createKey();
    await before.disableKey(other.id);
    const { plaintext, ciphertext } = await before.as(jane).generateDataKey(key.arn, CONTEXT);

    const after = open(path);
    expect(await after.listKeys()).toEqual([key, { ...other, enabled: false }]);
    expect(await after.as(jane).decrypt(ciphertext, CONTEXT, { keyId: 'alias/sessions' })).toEqual(plaintext);
  });

  test('keeps the policy of a key', async () => {
    const path = await keyFilePath();
    const { arn } = await open(path).createKey({ policy: keyPolicy('Allow', stranger.arn, 'kms:*') });
    const after = open(path);
    await after.as(stranger).generateDataKey(arn, CONTEXT);
    await expect(after.as(jane).generateDataKey(arn, CONTEXT)).rejects.toMatchObject({
      code: 'ERR_KEY_ACCESS_DENIED',
    });
  });

  test('is one for several that have it open', async () => {
    const path = await keyFilePath();
    const [one, two] = [open(path), open(path)];
    const { arn } = await one.createKey({ aliases: ['alias/a'] });
    const { plaintext, ciphertext } = await two.as(jane).generateDataKey('alias/a', CONTEXT);
    expect(await one.as(jane).decrypt(ciphertext, CONTEXT)).toEqual(plaintext);
    await two.disableKey(arn);
    await expect(one.as(jane).decrypt(ciphertext, CONTEXT)).rejects.toMatchObject({
      code: 'ERR_KEY_UNUSABLE',
    });
    await expect(two.createKey({ aliases: ['alias/a'] })).rejects.toMatchObject({ code: 'ERR_KEY_ALIAS' });
  });

  test('loses no key, however many are made at once', async () => {
    const path = await keyFilePath();
    const keys = open(path);
    const made = await Promise.all(Array.from({ length: 8 }, () => keys.createKey()));
    expect(await open(path).listKeys()).toEqual(made);
  });

  test('is not changed while another process changes it, unless that one is gone', async () => {
    const path = await keyFilePath();
    const keys = open(path);
    await keys.createKey();
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume(); console.log()']);
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    // As the lock of that process would be, but for what only it knows of itself.
    const lock = { pid: child.pid, incarnation: await incarnationOf(child.pid!) };
    await writeFile(`${path}.lock`, JSON.stringify(lock), { mode: 0o600 });
    await expect(keys.createKey()).rejects.toMatchObject({
      code: 'ERR_KEY_FILE_LOCKED',
      message: expect.stringContaining(`The process ${child.pid} `),
    });
    expect(await keys.listKeys()).toHaveLength(1);

    child.kill('SIGKILL');
    await once(child, 'close');
    await keys.createKey();
    expect(await keys.listKeys()).toHaveLength(2);
  });

  test.runIf(process.platform !== 'win32').each([
    ['the file', (path: string) => chmod(path, 0o640), 'chmod 600'],
    ['its directory', (path: string) => chmod(dirname(path), 0o777), 'chmod 700'],
  ])('is not used when %s is open to others', async (_, openUp, command) => {
    const path = await keyFilePath();
    const keys = open(path);
    const { arn } = await keys.createKey();
    await openUp(path);
    const refused = { code: 'ERR_KEY_FILE_MODE', message: expect.stringContaining(command) };
    await expect(keys.listKeys()).rejects.toMatchObject(refused);
    await expect(keys.createKey()).rejects.toMatchObject(refused);
    await expect(keys.as(jane).generateDataKey(arn, CONTEXT)).rejects.toMatchObject({
      code: 'ERR_KEY_SERVICE',
      cause: refused,
    });
  });

  test('may be in a directory that others can look into', async () => {
    const path = await keyFilePath();
    await mkdir(dirname(path), { mode: 0o755 });
    await open(path).createKey();
    expect([await mode(dirname(path)), await mode(path)]).toEqual(['755', '600']);
  });

  const KEY = {
    id: '00000000-0000-4000-8000-000000000000',
    aliases: [],
    description: '',
    enabled: true,
    created: 0,
    material: btoa('k'.repeat(32)),
  };

  test.each<[string, string]>([
    ['nothing', ''],
    ['half of it', '{"version":1,"keys":[{"id":"0000'],
    ['another version', JSON.stringify({ version: 2, keys: [] })],
    ['no list', JSON.stringify({ version: 1, keys: {} })],
    ['a key of 31 bytes', JSON.stringify({ version: 1, keys: [{ ...KEY, material: btoa('k'.repeat(31)) }] })],
    ['no key', JSON.stringify({ version: 1, keys: [null] })],
    ['a policy that is none', JSON.stringify({ version: 1, keys: [{ ...KEY, policy: {} }] })],
    ['a member that nobody knows', JSON.stringify({ version: 1, keys: [{ ...KEY, expires: 1 }] })],
  ])('that holds %s is told, not quoted, and not overwritten', async (_, text) => {
    const path = await keyFilePath();
    await mkdir(dirname(path), { mode: 0o700 });
    await writeFile(path, text, { mode: 0o600 });
    const keys = open(path);
    for (const call of [keys.listKeys(), keys.createKey(), keys.enableKey(KEY.id)]) {
      const error = await call.catch((error) => error);
      expect(error).toMatchObject({
        code: 'ERR_KEY_FILE_UNREADABLE',
        message: expect.stringContaining(path),
      });
      expect(error.cause).toBeUndefined();
    }
    expect(await readFile(path, 'utf8')).toBe(text);
    expect(await readdir(dirname(path))).toEqual(['keys.json']);
  });

  test('keeps no policy that is a function, since it would be gone with the process', async () => {
    const path = await keyFilePath();
    const keys = open(path);
    const policy = () => ({ effect: 'Allow' }) as const;
    await expect(keys.createKey({ policy })).rejects.toMatchObject({ code: 'ERR_KEY_FILE_POLICY' });
    expect(await keys.listKeys()).toEqual([]);
  });
});

/** What Linux says of a process, as a lock has it; elsewhere nothing. */
async function incarnationOf(pid: number): Promise<string | undefined> {
  const read = (path: string) => readFile(path, 'latin1').catch(() => undefined);
  const stat = await read(`/proc/${pid}/stat`);
  const boot = await read('/proc/sys/kernel/random/boot_id');
  return stat && boot && `${boot.trim()} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
}
