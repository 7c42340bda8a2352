import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { bound, connectTo, destination, portWorld, readAll, sha256 } from '../node/port-world.ts';
import { environmentOf, ROOT, start } from './run.ts';
import { said, sshServer } from './ssh-server.ts';

const TARGET = 'mi-0123456789abcdef0';

test('forward leads a local port to the node', async () => {
  const env = await environment();
  const port = await destination((socket) => socket.end('hello from the node'));
  const example = start('forward.ts', [TARGET, `${port}`], env);
  const local = await said(example, /127\.0\.0\.1:(\d+) leads to/);
  expect((await readAll(await connectTo(Number(local)))).toString()).toBe('hello from the node');
  example.kill('SIGINT');
  expect(await once(example, 'exit')).toEqual([0, null]);
});

test('socks is a proxy for curl', async () => {
  const env = await environment();
  const server = createHttpServer((_, response) => response.end('a page of the node'));
  const { port } = await bound(server);
  const example = start('socks.ts', [TARGET, '0'], env);
  const local = await said(example, /proxy on 127\.0\.0\.1:(\d+)/);
  const fetch = (proxy: string) =>
    promisify(execFile)('curl', ['-sS', '--proxy', proxy, '--proxytunnel', `http://127.0.0.1:${port}/`]);
  expect((await fetch(`socks5h://127.0.0.1:${local}`)).stdout).toBe('a page of the node');
  expect((await fetch(`http://127.0.0.1:${local}`)).stdout).toBe('a page of the node');
  example.kill('SIGINT');
  expect(await once(example, 'exit')).toEqual([0, null]);
});

// A machine without OpenSSH's server can try everything else; CI installs it.
describe.skipIf(!existsSync('/usr/sbin/sshd') && !process.env.CI)('ssh', () => {
  test('runs commands, and scp copies 100 MB both ways', async () => {
    const env = await environment();
    const { port, folder, options } = await sshServer();
    const proxy = `ProxyCommand=${process.execPath} ${ROOT}scripts/run.mjs ${ROOT}examples/ssh.ts ${TARGET} ${port}`;
    const run = (program: string, args: string[]) =>
      promisify(execFile)(program, [...options, '-o', proxy, ...args], { env: { ...process.env, ...env } });
    const host = `${userInfo().username}@node`;

    const { stdout } = await run('ssh', [host, 'echo $((6*7))']);
    expect(stdout).toBe('42\n');
    await expect(run('ssh', [host, 'exit 3'])).rejects.toMatchObject({ code: 3 });

    const file = randomBytes(100 * 1024 * 1024);
    writeFileSync(join(folder, 'there'), file);
    await run('scp', [join(folder, 'there'), `${host}:${join(folder, 'copied')}`]);
    await run('scp', [`${host}:${join(folder, 'copied')}`, join(folder, 'back')]);
    expect(sha256(readFileSync(join(folder, 'back')))).toBe(sha256(file));
  }, 300_000);
});

async function environment(): Promise<Record<string, string>> {
  const { server } = await portWorld();
  return environmentOf(server.url);
}
