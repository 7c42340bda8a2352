import { execFileSync } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CopyToOptions } from 'hawser';
import { expect, onTestFinished, test } from 'vitest';
import { commandNode, INSTANCE_ID } from './world.ts';

function newFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'hawser-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const NAMES = ['plain', `it's a "file"; $(touch x) \`y\` é`, '-rf', 'two\nlines', '{{ command }} $$ *'];

async function setUp() {
  const { client } = await commandNode();
  const folder = newFolder();
  return {
    folder,
    to: (path: string, source: Parameters<typeof client.copyTo>[2], options?: CopyToOptions) =>
      client.copyTo(INSTANCE_ID, path, source, options),
    from: async (path: string, options?: Parameters<typeof client.copyFrom>[2]) => {
      const file = await client.copyFrom(INSTANCE_ID, path, options);
      const bytes = async () =>
        Buffer.from(await new Response(file.stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
      return { ...file, bytes };
    },
  };
}

test.each([0, 1, 2, 3, 57, 58, 786_429, 786_430, 3_000_000])(
  '%i bytes arrive as they are, both ways',
  async (size) => {
    const { folder, to, from } = await setUp();
    const bytes = randomFillSync(Buffer.alloc(size));
    const path = join(folder, 'file');
    expect(await to(path, bytes)).toEqual({ bytes: size, sha256: sha256(bytes), offset: 0 });
    expect(readFileSync(path).equals(bytes)).toBe(true);
    const file = await from(path);
    expect(file).toMatchObject({ size, offset: 0 });
    expect((await file.bytes()).equals(bytes)).toBe(true);
    expect(readdirSync(folder)).toEqual(['file']);
  },
);

test.each(NAMES)('the name %j is a name and nothing else', async (name) => {
  const { folder, to, from } = await setUp();
  const path = join(folder, name);
  await to(path, Buffer.from(name));
  expect(readdirSync(folder)).toEqual([name]);
  expect((await (await from(path)).bytes()).toString()).toBe(name);
});

test('a relative path that begins with a dash starts where the agent runs', async () => {
  const { from } = await setUp();
  const name = `-hawser-${process.pid}`;
  writeFileSync(name, 'here');
  onTestFinished(() => rmSync(name));
  expect((await (await from(name)).bytes()).toString()).toBe('here');
});

test('an upload replaces the file that is there, and sets the mode', async () => {
  const { folder, to } = await setUp();
  const path = join(folder, 'file');
  writeFileSync(path, 'old and longer', { mode: 0o644 });
  await to(path, new Blob(['new']), { mode: 0o600 });
  expect(readFileSync(path, 'utf8')).toBe('new');
  expect(statSync(path).mode & 0o7777).toBe(0o600);
});

test('an upload goes on after a part whose bytes are right, and begins anew after another', async () => {
  const { folder, to } = await setUp();
  const bytes = randomFillSync(Buffer.alloc(2_000_000));
  const path = join(folder, 'file');
  writeFileSync(`${path}.part`, bytes.subarray(0, 1_234_567));
  const progress: number[] = [];
  const onProgress = ({ bytes, total }: { bytes: number; total: number | undefined }) => {
    progress.push(bytes);
    expect(total).toBe(2_000_000);
  };
  expect(await to(path, bytes, { onProgress })).toMatchObject({ offset: 1_234_567, bytes: 2_000_000 });
  expect(readFileSync(path).equals(bytes)).toBe(true);
  expect(progress).toEqual([2_000_000]);

  for (const other of [randomFillSync(Buffer.alloc(1000)), Buffer.concat([bytes, Buffer.of(1)])]) {
    writeFileSync(`${path}.part`, other);
    expect(await to(path, () => new Blob([bytes]).stream())).toMatchObject({ offset: 0, bytes: 2_000_000 });
    expect(readFileSync(path).equals(bytes)).toBe(true);
  }
  writeFileSync(`${path}.part`, bytes.subarray(0, 1000));
  expect(await to(path, new Blob([bytes]).stream())).toMatchObject({ offset: 0 });
  expect(readdirSync(folder)).toEqual(['file']);
});

test('a source that fails leaves the part, for another try', async () => {
  const { folder, to } = await setUp();
  const bytes = randomFillSync(Buffer.alloc(2_000_000));
  const path = join(folder, 'file');
  async function* failing() {
    yield bytes.subarray(0, 1_000_000);
    throw new Error('the disk here is broken');
  }
  await expect(to(path, failing())).rejects.toThrow('the disk here is broken');
  expect(readdirSync(folder)).toEqual(['file.part']);
  const { offset } = await to(path, bytes);
  expect(offset).toBe(786_429); // the block that was complete
  expect(readFileSync(path).equals(bytes)).toBe(true);
});

test('a download goes on after what is here, if the file begins with it', async () => {
  const { folder, from } = await setUp();
  const bytes = randomFillSync(Buffer.alloc(2_000_000));
  const path = join(folder, 'file');
  writeFileSync(path, bytes);
  const rest = await from(path, {
    resume: { bytes: 1_500_000, sha256: sha256(bytes.subarray(0, 1_500_000)) },
  });
  expect(rest).toMatchObject({ size: 2_000_000, offset: 1_500_000 });
  expect((await rest.bytes()).equals(bytes.subarray(1_500_000))).toBe(true);
  for (const resume of [
    { bytes: 1_500_000, sha256: sha256(Buffer.from('else')) },
    { bytes: 2_000_001, sha256: sha256(bytes) },
  ]) {
    const whole = await from(path, { resume });
    expect(whole.offset).toBe(0);
    expect((await whole.bytes()).equals(bytes)).toBe(true);
  }
});

test('a download that is cancelled ends on the node', async () => {
  const { folder, from } = await setUp();
  const path = join(folder, 'file');
  writeFileSync(path, Buffer.alloc(20_000_000));
  const { stream } = await from(path);
  const reader = stream.getReader();
  expect((await reader.read()).value!.length).toBeGreaterThan(0);
  await reader.cancel();
});

test('a file that changes while it is copied is no copy', async () => {
  const { folder, from } = await setUp();
  const path = join(folder, 'file');
  writeFileSync(path, Buffer.alloc(20_000_000));
  const file = await from(path);
  writeFileSync(path, Buffer.alloc(20_000_000, 1));
  await expect(file.bytes()).rejects.toMatchObject({ code: 'ERR_COPY_DIGEST', path });
});

test('what is appended while it is copied is left out', async () => {
  const { folder, from } = await setUp();
  const path = join(folder, 'file');
  const bytes = randomFillSync(Buffer.alloc(5_000_000));
  writeFileSync(path, bytes);
  const file = await from(path);
  writeFileSync(path, 'more', { flag: 'a' });
  expect((await file.bytes()).equals(bytes)).toBe(true);
});

test('says what is missing, or is no file', async () => {
  const { folder, to, from } = await setUp();
  const lost = join(folder, 'no', 'file');
  const said = {
    name: 'CopyError',
    code: 'ERR_COPY_MISSING',
    path: lost,
    message: expect.stringContaining(lost),
  };
  await expect(from(lost)).rejects.toMatchObject(said);
  await expect(to(lost, Buffer.of(1))).rejects.toMatchObject(said);
  await expect(from(folder)).rejects.toMatchObject({ code: 'ERR_COPY_NOT_A_FILE' });
  await expect(to(folder, Buffer.of(1))).rejects.toMatchObject({ code: 'ERR_COPY_NOT_A_FILE' });
  await expect(from('/dev/zero')).rejects.toMatchObject({ code: 'ERR_COPY_NOT_A_FILE' });
  expect(existsSync(`${folder}.part`)).toBe(false);
});

test('says that the disk is full', async () => {
  const tools = newFolder();
  // What base64 says and does when it is.
  const script = '#!/bin/sh\nhead -c 1000\necho "base64: write error: No space left on device" >&2\nexit 1\n';
  writeFileSync(join(tools, 'base64'), script, { mode: 0o755 });
  const { client } = await commandNode({ env: { PATH: `${tools}:${process.env.PATH}` } });
  const path = join(newFolder(), 'file');
  await expect(client.copyTo(INSTANCE_ID, path, Buffer.alloc(5_000_000))).rejects.toMatchObject({
    code: 'ERR_COPY_DISK_FULL',
    path,
    message: expect.stringContaining('base64: write error: No space left on device'),
  });
  expect(existsSync(path)).toBe(false);
});

test('says which programs the node lacks', async () => {
  const tools = newFolder();
  for (const name of ['sh', 'head', 'tr', 'wc', 'stty', 'tail', 'cut', 'base64'])
    symlinkSync(execFileSync('which', [name], { encoding: 'utf8' }).trim(), join(tools, name));
  const { client } = await commandNode({ env: { PATH: tools } });
  const said = { code: 'ERR_COPY_TOOLS', message: expect.stringContaining('sha256sum, shasum or openssl') };
  await expect(client.copyFrom(INSTANCE_ID, '/etc/hostname')).rejects.toMatchObject(said);
  await expect(client.copyTo(INSTANCE_ID, join(newFolder(), 'x'), Buffer.of(1))).rejects.toMatchObject(said);
});

test.runIf(process.platform === 'linux')('says that not even root may', async () => {
  const { to } = await setUp();
  await expect(to('/sys/hawser', Buffer.of(1))).rejects.toMatchObject({ code: 'ERR_COPY_PERMISSION' });
});

test('a digest that is wrong on the node removes the part', async () => {
  const tools = newFolder();
  writeFileSync(join(tools, 'sha256sum'), '#!/bin/sh\ncat > /dev/null\necho 0123\n', { mode: 0o755 });
  const { client } = await commandNode({ env: { PATH: `${tools}:${process.env.PATH}` } });
  const folder = newFolder();
  const path = join(folder, 'file');
  await expect(client.copyTo(INSTANCE_ID, path, Buffer.of(1))).rejects.toMatchObject({
    code: 'ERR_COPY_DIGEST',
  });
  expect(readdirSync(folder)).toEqual([]);
});

test.skipIf(process.getuid?.() === 0)('says that the user may not', async () => {
  const { folder, to, from } = await setUp();
  const path = join(folder, 'file');
  writeFileSync(path, 'secret', { mode: 0 });
  await expect(from(path)).rejects.toMatchObject({ code: 'ERR_COPY_PERMISSION' });
  chmodSync(folder, 0o500);
  await expect(to(join(folder, 'new'), Buffer.of(1))).rejects.toMatchObject({ code: 'ERR_COPY_PERMISSION' });
  chmodSync(folder, 0o700);
});

test('a signal ends a copy in the middle, in both directions', async () => {
  const { folder, to, from } = await setUp();
  const path = join(folder, 'file');
  const bytes = Buffer.alloc(5_000_000, 'x');
  const up = new AbortController();
  const upload = to(path, bytes, { signal: up.signal, onProgress: () => up.abort(new Error('enough')) });
  await expect(upload).rejects.toThrow('enough');
  expect(existsSync(path)).toBe(false);
  writeFileSync(path, bytes);
  const down = new AbortController();
  const file = await from(path, { signal: down.signal, onProgress: () => down.abort(new Error('enough')) });
  await expect(file.bytes()).rejects.toThrow('enough');
});
