import { spawn } from 'node:child_process';
import { constants, createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { type NodeKey, parseRsaPublicKey } from 'hawser/crypto';
import { describeIdentity, machine, openIdentity } from 'hawser/node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createIdentity } from '../../src/node/identity.ts';
import { osRelease } from '../../src/node/machine.ts';

const INSTANCE_ID = 'mi-0123456789abcdef0';
const location = { region: 'eu-central-1', endpoint: 'https://hawser.example' };
const FINGERPRINT = '5f7c1b2e-6a1d-4f54-9b57-1f0a4a6f4b11';

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'hawser-identity-'));
  onTestFinished(() => rm(made, { recursive: true }));
  return join(made, 'agent');
}

function create(directory: string, force = false, register = async () => INSTANCE_ID): Promise<string> {
  return createIdentity(directory, { location, force, fingerprint: FINGERPRINT }, register);
}

async function created(): Promise<string> {
  const directory = await folder();
  await create(directory);
  return directory;
}

async function mode(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

function isSignedBy({ publicKey }: NodeKey, message: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), type: 'spki', format: 'der' });
  return verify(
    'sha256',
    message,
    { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
    signature,
  );
}

describe('an identity', () => {
  test('is kept in a directory that nobody else can look into, and comes back as it was', async () => {
    const directory = await folder();
    let registered: string | undefined;
    await createIdentity(
      directory,
      { location, force: false, fingerprint: FINGERPRINT },
      async (key, fingerprint) => {
        registered = key.publicKey;
        expect(fingerprint).toBe(FINGERPRINT);
        return INSTANCE_ID;
      },
    );
    expect([await mode(directory), await mode(join(directory, 'identity.json'))]).toEqual(['700', '600']);
    expect(await readdir(directory)).toEqual(['identity.json']);
    const identity = await openIdentity(directory);
    expect(identity).toMatchObject({ instanceId: INSTANCE_ID, fingerprint: FINGERPRINT, location });
    expect(identity.key.publicKey).toBe(registered);
    expect(identity.pendingKey).toBeUndefined();
    await identity.close();
    expect(await readdir(directory)).toEqual(['identity.json']);
  });

  test('has a key like that of the real agent, which signs with a salt of 32 bytes', async () => {
    const identity = await openIdentity(await created());
    expect(identity.key.publicKey).toHaveLength(392);
    expect(() => parseRsaPublicKey(identity.key.publicKey)).not.toThrow();
    const message = new TextEncoder().encode('AWS4-HMAC-SHA256');
    expect(isSignedBy(identity.key, message, await identity.key.sign(message))).toBe(true);
    await identity.close();
  });

  test('keeps a pending key, and puts it in the place of the old one', async () => {
    const directory = await created();
    const first = await openIdentity(directory);
    const { publicKey: old } = first.key;
    const { publicKey: next } = await first.createPendingKey();
    expect((await describeIdentity(directory)).keyIsPending).toBe(true);
    await first.close(); // or the power is gone

    const second = await openIdentity(directory);
    expect([second.key.publicKey, second.pendingKey?.publicKey]).toEqual([old, next]);
    await second.promotePendingKey();
    expect([second.key.publicKey, second.pendingKey]).toEqual([next, undefined]);
    await second.close();

    const third = await openIdentity(directory);
    expect([third.key.publicKey, third.pendingKey]).toEqual([next, undefined]);
    await third.close();
  });

  test('is not spoiled by a write that was cut short', async () => {
    const directory = await created();
    await writeFile(join(directory, 'identity.json.new'), '{"instanceId": "mi-', { mode: 0o600 });
    const identity = await openIdentity(directory);
    await identity.createPendingKey();
    expect(await readdir(directory)).toEqual(['identity.json', 'lock']);
    await identity.close();
  });

  test('is missed where there is none', async () => {
    await expect(openIdentity(await folder())).rejects.toMatchObject({ code: 'ERR_IDENTITY_MISSING' });
  });

  test.each([
    ['', 'nothing'],
    ['{"instanceId": "mi-1"}', 'half of it'],
    ['secret text that is no JSON', 'something else'],
  ])('is not made up from %j', async (text) => {
    const directory = await created();
    await writeFile(join(directory, 'identity.json'), text);
    const error = await openIdentity(directory).catch((error: Error) => error);
    expect(error).toMatchObject({ code: 'ERR_IDENTITY_UNREADABLE' });
    expect(inspect(error)).not.toContain('secret');
  });

  test.each([
    ['', 0o750, 'chmod 700'],
    ['identity.json', 0o640, 'chmod 600'],
    ['identity.json', 0o604, 'chmod 600'],
  ])('is not used when others can read %j (mode %o)', async (name, open, command) => {
    const directory = await created();
    const path = join(directory, name);
    await chmod(path, open);
    const refused = {
      code: 'ERR_IDENTITY_MODE',
      message: expect.stringContaining(`${command} "${path}"`.replace('/"', '"')),
    };
    await expect(openIdentity(directory)).rejects.toMatchObject(refused);
    await expect(describeIdentity(directory)).rejects.toMatchObject(refused);
    await expect(create(directory, true)).rejects.toMatchObject(refused);
  });
});

describe('a registration', () => {
  test('does not replace another one unless it is told to', async () => {
    const directory = await created();
    let asked = 0;
    const register = async () => {
      asked++;
      return 'mi-11111111111111111';
    };
    await expect(create(directory, false, register)).rejects.toMatchObject({
      code: 'ERR_IDENTITY_EXISTS',
      message: expect.stringContaining(INSTANCE_ID),
    });
    expect(asked).toBe(0);
    await create(directory, true, register);
    expect((await describeIdentity(directory)).instanceId).toBe('mi-11111111111111111');
  });

  test('that fails changes nothing', async () => {
    const directory = await created();
    const before = await readFile(join(directory, 'identity.json'), 'utf8');
    const register = () => Promise.reject(new Error('no'));
    await expect(create(directory, true, register)).rejects.toThrow('no');
    expect(await readFile(join(directory, 'identity.json'), 'utf8')).toBe(before);
    expect(await readdir(directory)).toEqual(['identity.json']);
  });

  test('uses a directory that is there, if it is closed to others', async () => {
    const directory = await folder();
    await mkdir(directory, { mode: 0o755 });
    await expect(create(directory)).rejects.toMatchObject({ code: 'ERR_IDENTITY_MODE' });
    await chmod(directory, 0o700);
    await create(directory);
  });
});

describe('the lock', () => {
  test('lets no two use one identity, nor replace it under the feet of one', async () => {
    const directory = await created();
    const identity = await openIdentity(directory);
    const locked = {
      code: 'ERR_IDENTITY_LOCKED',
      message: expect.stringContaining(`The process ${process.pid} uses`),
    };
    await expect(openIdentity(directory)).rejects.toMatchObject(locked);
    await expect(create(directory, true)).rejects.toMatchObject(locked);
    expect((await describeIdentity(directory)).usedBy).toBe(process.pid);
    await identity.close();
    expect((await describeIdentity(directory)).usedBy).toBeUndefined();
    await (await openIdentity(directory)).close();
  });

  test('has one holder, however many come at once', async () => {
    const directory = await created();
    const all = await Promise.allSettled(Array.from({ length: 10 }, () => openIdentity(directory)));
    const opened = all.filter((one) => one.status === 'fulfilled');
    expect(opened).toHaveLength(1);
    await opened[0]!.value.close();
    expect(await readdir(directory)).toEqual(['identity.json']);
  });

  test('of a process that is gone counts for nothing', async () => {
    const directory = await created();
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    await writeFile(join(directory, 'lock'), JSON.stringify({ pid: child.pid }), { mode: 0o600 });
    const opened = await Promise.allSettled([openIdentity(directory), openIdentity(directory)]);
    expect(opened.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('of an earlier process with a number that is in use again counts for nothing', async () => {
    const directory = await created();
    const lock = { pid: process.pid, incarnation: 'of another start' };
    await writeFile(join(directory, 'lock'), JSON.stringify(lock), { mode: 0o600 });
    await (await openIdentity(directory)).close();
  });

  test.skipIf(process.platform !== 'linux')(
    'of a process that has ended, and whose parent does not care, counts for nothing',
    async () => {
      const directory = await created();
      // What follows in the place of the first shell knows nothing of the child, and runs no program that it waits for.
      const untilDead = 'until read -r _ _ state _ </proc/$0/stat && [ $state = Z ]; do :; done';
      const parent = spawn('sh', ['-c', `: & exec sh -c '${untilDead}; echo $0; exec sleep 1000' $!`]);
      onTestFinished(() => void parent.kill());
      const pid = Number(await once(parent.stdout, 'data'));
      const startTime = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ')[21];
      const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
      const lock = { pid, incarnation: `${bootId} ${startTime}` };
      await writeFile(join(directory, 'lock'), JSON.stringify(lock), { mode: 0o600 });
      await (await openIdentity(directory)).close();
    },
  );

  test('that cannot be read counts for nothing', async () => {
    const directory = await created();
    await writeFile(join(directory, 'lock'), '', { mode: 0o600 });
    await (await openIdentity(directory)).close();
  });
});

describe('machine()', () => {
  test('knows what it is', async () => {
    const facts = await machine();
    expect(['Linux', 'MacOS', 'Windows']).toContain(facts.platformType);
    expect(facts.computerName).not.toBe('');
  });

  test.each([
    ['NAME="Debian GNU/Linux"\nVERSION_ID="12"\n', 'Debian GNU/Linux', '12'],
    ["PRETTY_NAME=x\nNAME='Arch Linux'\n", 'Arch Linux', undefined],
    ['NAME=Fedora\nVERSION_ID=41 \n', 'Fedora', '41'],
    ['NAME="a \\"b\\" \\\\"\n', 'a "b" \\', undefined],
    ['', undefined, undefined],
  ])('reads %j', (text, name, version) => {
    expect([osRelease(text, 'NAME'), osRelease(text, 'VERSION_ID')]).toEqual([name, version]);
  });
});
